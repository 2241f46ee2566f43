"""The interface of every fusion method: two modalities in, a representation and predictions out."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone

from beyond_alignment.errors import InputError
from beyond_alignment.experts.compute import Device, resolve_device
from beyond_alignment.fusion.pairs import (
    Means,
    Pair,
    PartialPair,
    TrainingSet,
    check_neighbours,
    check_pair,
    check_training,
)
from beyond_alignment.fusion.probe import Kind, Probe, ProbeProblem, fit_probes
from beyond_alignment.fusion.rehearsal import Rehearsal

__all__ = ["Fusion", "Pair", "PartialPair", "TrainingSet", "check_pair"]

EXPECTED = (InputError, FloatingPointError, np.linalg.LinAlgError)


class Fusion(BaseEstimator):
    """A fusion method: a representation of both modalities, scored by the common probe.

    The probe's penalty and confidence are chosen in the same way for all methods: the whole method is fitted anew
    without each of three groups of training spots in turn, so that it is known how its probe does on spots that
    neither the probe nor the representation has seen (:mod:`beyond_alignment.fusion.rehearsal`).

    A modality that is all zero, constant or holds the same column twice carries nothing, or nothing new, and is fitted
    like any other; so is one with more features than spots. Values that are not finite and a fold with one class alone
    are refused. A modality that is missing at prediction is passed as None: its training mean takes its place.

    Parameters
    ----------
    kind
        ``classification`` or ``regression``.
    n_components
        Components that each modality is reduced to.
    seed
        Of everything that draws.

    Attributes
    ----------
    classes_
        Labels in the order of the probabilities (classification).
    means_
        Mean of each modality over the training spots, (feature,) each.
    n_parameters_
        Number of fitted numbers, the probe's included.
    """

    device: Device = "cpu"

    def __init__(self, *, kind: Kind = "classification", n_components: int = 50, seed: int = 0) -> None:
        self.kind = kind
        self.n_components = n_components
        self.seed = seed

    @abstractmethod
    def _fit_representation(self, expression: NDArray[np.float64], morphology: NDArray[np.float64]) -> None:
        """Fit what the representation needs, on training spots."""

    @abstractmethod
    def _represent(self, expression: NDArray[np.float64], morphology: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the representation (spot, feature)."""

    @property
    @abstractmethod
    def _n_representation_parameters(self) -> int:
        """Number of fitted numbers behind the representation."""

    def fit(self, X: Pair, y: ArrayLike, groups: ArrayLike | None = None, neighbours: ArrayLike | None = None) -> Self:
        """Fit on training spots.

        Parameters
        ----------
        X
            ``(x_expression, x_morphology)``, each (spot, feature).
        y
            Labels (spot,) or targets (spot, target).
        groups
            (spot,): the probe's settings are chosen without splitting a group.
        neighbours
            Rows of the neighbours of each spot within ``X`` (spot, neighbour), -1 for none, for a method that reads
            them.

        Raises
        ------
        InputError
            If the shapes do not fit, a value is not finite, or there is only one class.
        FloatingPointError
            If a trained method diverges.
        """
        given = TrainingSet(X, y, groups, neighbours)
        self.train(given)
        rehearsals: list[Rehearsal] = []
        for inner, outer in given.rehearsals(self.seed):
            try:
                rehearsals.append(clone(self).rehearse(inner, outer))
            except EXPECTED:  # one class alone, or a divergence: this fold says nothing
                continue
        problems = self.head_problems(self.represent_training(given), given, rehearsals)
        self.take_heads(fit_probes(problems, device=resolve_device(self.device).type))
        return self

    def rehearse(self, inner: TrainingSet, outer: TrainingSet) -> Rehearsal:
        """Fit the representation on some training spots and return what it makes of the others."""
        self.train(inner)
        return self.rehearsed(inner, outer)

    def rehearsed(self, inner: TrainingSet, outer: TrainingSet) -> Rehearsal:
        """Return what the fitted representation makes of the spots that it was fitted on, and of others."""
        z, z_out = self.represent_training(inner), self.transform(outer.pair, neighbours=outer.neighbours)
        return Rehearsal(z, np.asarray(inner.labels), z_out, np.asarray(outer.labels))

    def train(self, given: TrainingSet) -> None:
        """Check a training set and fit the representation."""
        pair = self._check(given)[0]
        self._fit_representation(*pair)

    def _check(self, given: TrainingSet) -> tuple[Means, NDArray, NDArray[np.int64]]:
        """Return what is in a training set, checked, and remember the means."""
        pair, labels, neighbours = check_training(given, kind=self.kind)
        self.means_ = pair[0].mean(axis=0), pair[1].mean(axis=0)
        return pair, labels, neighbours

    def represent_training(self, given: TrainingSet) -> NDArray[np.float64]:
        """Return the representation of the training spots (spot, feature)."""
        return self.transform(given.pair, neighbours=given.neighbours)

    def head_problems(
        self, z: NDArray[np.float64], given: TrainingSet, rehearsals: Sequence[Rehearsal]
    ) -> list[ProbeProblem]:
        """Return what the common probe is fitted on, once for each head."""
        return [ProbeProblem(z, np.asarray(given.labels), self.kind, rehearsals=rehearsals)]

    def take_heads(self, probes: Sequence[Probe]) -> None:
        """Take the fitted probes, one for each head."""
        self.head_ = probes[0]
        if self.kind == "classification":
            self.classes_ = self.head_.classes_

    def transform(self, X: PartialPair, neighbours: ArrayLike | None = None) -> NDArray[np.float64]:
        """Return the fused representation (spot, feature).

        Parameters
        ----------
        X
            ``(x_expression, x_morphology)``, each (spot, feature); one of them may be None.
        neighbours
            Rows of the neighbours of each spot within ``X`` (spot, neighbour), -1 for none, for a method that reads
            them.

        Raises
        ------
        InputError
            If the shapes do not fit or a value is not finite.
        """
        pair = check_pair(X, means=self.means_)
        return self._represent_near(pair, check_neighbours(neighbours, len(pair[0])))

    def _represent_near(self, pair: Means, neighbours: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the representation of spots with neighbours, which most methods do not read."""
        return self._represent(*pair)

    def predict_proba(self, X: PartialPair, neighbours: ArrayLike | None = None) -> NDArray[np.float64]:
        """Return the probability of each class (spot, class), in the order of ``classes_``."""
        return self.head_.predict_proba(self.transform(X, neighbours))

    def predict(self, X: PartialPair, neighbours: ArrayLike | None = None) -> NDArray:
        """Return the class that the probe finds most probable (spot,) or the predicted targets (spot, target)."""
        return self.head_.predict(self.transform(X, neighbours))

    @property
    def n_parameters_(self) -> int:
        """Number of fitted numbers: representation and probe."""
        return int(self._n_representation_parameters + self.head_.coef_.size + np.size(self.head_.intercept_))
