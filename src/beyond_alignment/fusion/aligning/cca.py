"""Canonical correlation analysis as a fusion method: linear alignment in closed form."""

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.fusion.base import Fusion
from beyond_alignment.fusion.canonical import CanonicalCorrelation
from beyond_alignment.fusion.probe import Kind
from beyond_alignment.fusion.record import FusionMethod
from beyond_alignment.fusion.reduction import reduction_of
from beyond_alignment.fusion.whitening import Regularisation, varying_columns

ROUNDING = 1e-10


class Cca(Fusion):
    """The canonical scores of both reduced embeddings side by side (:cite:t:`hotelling1936relations`).

    Parameters
    ----------
    kind
        ``classification`` or ``regression``.
    n_components
        Components that each modality is reduced to.
    seed
        Of everything that draws.
    dimension
        Features of the representation, half of them for each modality. Features beyond the directions that both
        modalities have are 0; so is the whole representation where a modality does not vary, or has fewer than three
        spots: there is nothing to align.
    regularisation
        Shrinkage of each covariance, a number from 0 to 0.95 or ``ledoit_wolf``.

    Attributes
    ----------
    n_varying_
        Components of each reduced embedding that vary in the training spots.
    canonical_
        The fitted analysis; None where there is nothing to align.
    """

    def __init__(
        self,
        *,
        kind: Kind = "classification",
        n_components: int = 50,
        seed: int = 0,
        dimension: int = 64,
        regularisation: Regularisation = "ledoit_wolf",
    ) -> None:
        super().__init__(kind=kind, n_components=n_components, seed=seed)
        self.dimension = dimension
        self.regularisation = regularisation

    def _fit_representation(self, expression: NDArray[np.float64], morphology: NDArray[np.float64]) -> None:
        if self.dimension < 2 or self.dimension % 2:
            msg = f"A representation of {self.dimension} features has no two equal halves: pass an even dimension."
            raise InputError(msg)
        self.reductions_ = tuple(reduction_of(x, self.n_components) for x in (expression, morphology))
        self.n_varying_ = tuple(
            _n_varying(x, reduction.transform(x))
            for reduction, x in zip(self.reductions_, (expression, morphology), strict=True)
        )
        pair = self._reduced(expression, morphology)
        self.canonical_ = None
        if min(self.n_varying_) and len(expression) > 2:
            kept = min(self.dimension // 2, *self.n_varying_)
            self.canonical_ = CanonicalCorrelation(kept, regularisation=self.regularisation).fit(pair)

    def _reduced(
        self, expression: NDArray[np.float64], morphology: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the components that vary of both reduced embeddings (spot, component)."""
        first, second = (
            reduction.transform(x)[:, :kept]
            for reduction, x, kept in zip(self.reductions_, (expression, morphology), self.n_varying_, strict=True)
        )
        return first, second

    def _represent(self, expression: NDArray[np.float64], morphology: NDArray[np.float64]) -> NDArray[np.float64]:
        z = np.zeros((len(expression), self.dimension))
        if self.canonical_ is not None:
            scores = self.canonical_.transform(self._reduced(expression, morphology))
            kept, half = scores.shape[1] // 2, self.dimension // 2
            z[:, :kept], z[:, half : half + kept] = scores[:, :kept], scores[:, kept:]
        return z

    @property
    def _n_representation_parameters(self) -> int:
        reductions = sum(reduction.n_parameters_ for reduction in self.reductions_)
        if self.canonical_ is None:
            return reductions
        fitted = (self.canonical_.weights1_, self.canonical_.weights2_, self.canonical_.mean1_, self.canonical_.mean2_)
        return reductions + sum(values.size for values in fitted)


def _n_varying(raw: NDArray[np.float64], reduced: NDArray[np.float64]) -> int:
    """Count the components of a reduced embedding that vary beyond the rounding of single precision."""
    if not varying_columns(raw).any():
        return 0
    variance = reduced.var(axis=0)
    return int((varying_columns(reduced) & (variance > ROUNDING * variance.max())).sum())


METHODS = (
    FusionMethod(
        "cca",
        "CCA",
        "alignment",
        "R",
        estimator=Cca,
        trained_on="pairs",
        citation=("hotelling1936relations",),
    ),
)
