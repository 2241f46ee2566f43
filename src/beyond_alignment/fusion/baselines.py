"""Early concatenation and late average: the two fusions that need no training of their own."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

from beyond_alignment.fusion.base import Fusion, PartialPair, TrainingSet
from beyond_alignment.fusion.probe import Probe, ProbeProblem
from beyond_alignment.fusion.record import FusionMethod
from beyond_alignment.fusion.reduction import reduction_of
from beyond_alignment.fusion.rehearsal import Rehearsal


class Concatenation(Fusion):
    """Early concatenation: both reduced embeddings side by side, one probe over them."""

    def _fit_representation(self, expression: NDArray[np.float64], morphology: NDArray[np.float64]) -> None:
        self.reductions_ = tuple(reduction_of(x, self.n_components) for x in (expression, morphology))

    def _represent(self, expression: NDArray[np.float64], morphology: NDArray[np.float64]) -> NDArray[np.float64]:
        first, second = self.reductions_
        return np.hstack([first.transform(expression), second.transform(morphology)])  # (spot, d1 + d2)

    @property
    def _n_representation_parameters(self) -> int:
        return sum(reduction.n_parameters_ for reduction in self.reductions_)


class LateAverage(Concatenation):
    """Late average: one probe a modality, their log odds (or predictions) averaged.

    The mean is of log probabilities and is normalised again (the logarithmic pool, Genest and Zidek 1986), not of
    probabilities: what each modality says is then added, and a label whose synergy is additive is kept.
    """

    def head_problems(
        self, z: NDArray[np.float64], given: TrainingSet, rehearsals: Sequence[Rehearsal]
    ) -> list[ProbeProblem]:
        """Return what the two probes are fitted on, each with its own part of the rehearsals."""
        problems: list[ProbeProblem] = []
        for which, part in enumerate(self._parts(z)):
            own = [
                replace(one, z=self._parts(one.z, len(one.y))[which], z_out=self._parts(one.z_out, len(one.y))[which])
                for one in rehearsals
            ]
            problems += super().head_problems(part, given, own)
        return problems

    def take_heads(self, probes: Sequence[Probe]) -> None:
        """Take the two fitted probes."""
        self.heads_ = tuple(probes)
        if self.kind == "classification":
            self.classes_ = self.heads_[0].classes_

    def _parts(self, z: NDArray, n_train: int | None = None) -> tuple[NDArray, NDArray]:
        """Split a representation, fitted on so many spots, back into its two modalities."""
        width = self.reductions_[0].pca_.n_components_
        if n_train is not None:
            width = min(self.n_components, n_train, len(self.means_[0]))
        return z[:, :width], z[:, width:]

    def predict_proba(self, X: PartialPair, neighbours: ArrayLike | None = None) -> NDArray[np.float64]:
        """Return the pooled probability of each class (spot, class)."""
        parts = self._parts(self.transform(X))
        return pooled([head.predict_proba(part) for head, part in zip(self.heads_, parts, strict=True)])

    def predict(self, X: PartialPair, neighbours: ArrayLike | None = None) -> NDArray:
        """Return the class of the highest pooled probability (spot,), or the mean prediction (spot, target).

        What is pooled is what both logistic regressions find, whatever their confidence.
        """
        parts = self._parts(self.transform(X))
        if self.kind == "classification":
            given = [head.model_.predict_proba(part) for head, part in zip(self.heads_, parts, strict=True)]
            return self.classes_[np.argmax(pooled(given), axis=1)]
        return np.mean([head.predict(part) for head, part in zip(self.heads_, parts, strict=True)], axis=0)

    @property
    def n_parameters_(self) -> int:
        """Number of fitted numbers: both reductions and both probes."""
        probes = sum(head.coef_.size + np.size(head.intercept_) for head in self.heads_)
        return int(self._n_representation_parameters + probes)


def pooled(probabilities: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the logarithmic pool of some experts' probabilities, equal weights (spot, class).

    Parameters
    ----------
    probabilities
        Of each expert (spot, class); a probability that was rounded to zero counts as the smallest number there is.
    """
    logs = [np.log(np.maximum(p, np.finfo(np.float64).tiny)) for p in probabilities]
    return softmax(np.mean(logs, axis=0), axis=1)  # (spot, class)


METHODS = (
    FusionMethod("concat", "concatenation", "baseline", "R + U1 + U2 + additive S", estimator=Concatenation),
    FusionMethod(
        "late_average",
        "late average",
        "baseline",
        "R + part of U1, U2 and additive S",
        estimator=LateAverage,
        trained_on="labels",
    ),
)
