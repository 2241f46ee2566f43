"""One expert alone: what any fusion has to beat."""

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.fusion.base import Fusion
from beyond_alignment.fusion.record import FusionMethod
from beyond_alignment.fusion.reduction import reduction_of


class _Unimodal(Fusion):
    """The reduced embedding of one modality, the other one ignored."""

    _modality: int

    def _fit_representation(self, expression: NDArray[np.float64], morphology: NDArray[np.float64]) -> None:
        self.reduction_ = reduction_of((expression, morphology)[self._modality], self.n_components)

    def _represent(self, expression: NDArray[np.float64], morphology: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.reduction_.transform((expression, morphology)[self._modality])

    @property
    def _n_representation_parameters(self) -> int:
        return self.reduction_.n_parameters_


class ExpressionOnly(_Unimodal):
    """The expression expert alone."""

    _modality = 0


class MorphologyOnly(_Unimodal):
    """The morphology expert alone."""

    _modality = 1


METHODS = (
    FusionMethod("expression_only", "expression only", "unimodal", "R + U1", estimator=ExpressionOnly),
    FusionMethod("morphology_only", "morphology only", "unimodal", "R + U2", estimator=MorphologyOnly),
)
