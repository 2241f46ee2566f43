"""The interface of every fusion method: two modalities in, a representation and predictions out."""

from abc import abstractmethod
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from beyond_alignment.errors import InputError
from beyond_alignment.fusion.probe import Kind, fit_probe

Pair = tuple[ArrayLike, ArrayLike]


def check_pair(pair: Pair) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both modalities as float arrays.

    Raises
    ------
    InputError
        If they are not two finite (spot, feature) arrays with the same spots.
    """
    if len(pair) != 2:
        msg = f"{len(pair)} arrays were given: X is the pair (x_expression, x_morphology)."
        raise InputError(msg)
    expression, morphology = (np.asarray(x, dtype=np.float64) for x in pair)
    if expression.ndim != 2 or morphology.ndim != 2 or len(expression) != len(morphology) or len(expression) == 0:
        msg = f"Shapes {expression.shape} and {morphology.shape}: both must be (spot, feature) with the same spots."
        raise InputError(msg)
    for name, x in (("expression", expression), ("morphology", morphology)):
        if not np.isfinite(x).all():
            msg = f"The {name} embedding holds {int((~np.isfinite(x)).sum())} values that are not finite: remove them."
            raise InputError(msg)
    return expression, morphology


class Fusion(BaseEstimator):
    """A fusion method: a representation of both modalities, scored by the common probe.

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
    n_parameters_
        Number of fitted numbers, the probe's included.
    """

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

    def fit(self, X: Pair, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit on training spots.

        Parameters
        ----------
        X
            ``(x_expression, x_morphology)``, each (spot, feature).
        y
            Labels (spot,) or targets (spot, target).
        groups
            (spot,): the probe's penalty is chosen without splitting a group.

        Raises
        ------
        InputError
            If the shapes do not fit, a value is not finite, or there is only one class.
        """
        expression, morphology = check_pair(X)
        labels = np.asarray(y)
        if len(labels) != len(expression):
            msg = f"{len(labels)} labels for {len(expression)} spots: give one label a spot."
            raise InputError(msg)
        if self.kind == "classification" and len(np.unique(labels)) < 2:
            msg = f"Only one class among {len(labels)} training spots: a classifier needs two or more."
            raise InputError(msg)
        self._fit_representation(expression, morphology)
        self._fit_head(self._represent(expression, morphology), labels, groups)
        return self

    def _fit_head(self, z: NDArray[np.float64], y: NDArray, groups: ArrayLike | None) -> None:
        """Fit the common probe on the representation."""
        self.head_ = fit_probe(z, y, kind=self.kind, groups=groups, seed=self.seed)
        if self.kind == "classification":
            self.classes_ = self.head_.classes_

    def transform(self, X: Pair) -> NDArray[np.float64]:
        """Return the fused representation (spot, feature)."""
        return self._represent(*check_pair(X))

    def predict_proba(self, X: Pair) -> NDArray[np.float64]:
        """Return the probability of each class (spot, class), in the order of ``classes_``."""
        return self.head_.predict_proba(self.transform(X))

    def predict(self, X: Pair) -> NDArray:
        """Return the class that the probe finds most probable (spot,) or the predicted targets (spot, target)."""
        return self.head_.predict(self.transform(X))

    @property
    def n_parameters_(self) -> int:
        """Number of fitted numbers: representation and probe."""
        return int(self._n_representation_parameters + self.head_.coef_.size + np.size(self.head_.intercept_))
