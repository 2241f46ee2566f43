"""Both embeddings side by side, each reduced to the same size: what alignment is compared with."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from beyond_alignment.fusion.reduction import Reduction

Pair = tuple[ArrayLike, ArrayLike]


class ReducedPair(TransformerMixin, BaseEstimator):
    """Concatenate both embeddings after reducing each to its principal components, fitted on training samples.

    Parameters
    ----------
    n_components
        Components kept of each embedding.
    seed
        Of the randomised solver.
    """

    def __init__(self, *, n_components: int = 50, seed: int = 0) -> None:
        self.n_components = n_components
        self.seed = seed

    def fit(self, X: Pair, y: object = None) -> Self:
        """Fit on a pair of embeddings, each (sample, feature)."""
        self.parts_ = [Reduction(n_components=self.n_components, seed=self.seed).fit(x) for x in X]
        return self

    def transform(self, X: Pair) -> NDArray[np.float64]:
        """Return (sample, component of the first, then of the second)."""
        return np.hstack([part.transform(x) for part, x in zip(self.parts_, X, strict=True)])
