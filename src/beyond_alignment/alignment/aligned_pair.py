"""Both embeddings reduced alike, and of each the leading directions that alignment finds."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from beyond_alignment.alignment.reduced import ReducedPair
from beyond_alignment.alignment.shrinkage import shrinkage_by_size
from beyond_alignment.checks import paired
from beyond_alignment.fusion.canonical import CanonicalCorrelation
from beyond_alignment.fusion.whitening import fit_whitening

Pair = tuple[ArrayLike, ArrayLike]


class AlignedPair(TransformerMixin, BaseEstimator):
    """Canonical correlation after the reduction of :class:`ReducedPair`, so that alignment alone tells them apart.

    Shrinkage is that of :func:`shrinkage_by_size`, the larger one of both embeddings.

    Parameters
    ----------
    n_directions
        k, canonical directions kept of each embedding; as many as the narrower one has where that is fewer. With all
        of them the narrower embedding is only turned, and nothing of it is lost.
    n_components
        Principal components that each embedding is reduced to first.
    seed
        Of the randomised solver.

    Attributes
    ----------
    n_directions_
        Directions kept.
    """

    def __init__(self, n_directions: int = 10, *, n_components: int = 50, seed: int = 0) -> None:
        self.n_directions = n_directions
        self.n_components = n_components
        self.seed = seed

    def fit(self, X: Pair, y: object = None) -> Self:
        """Fit on a pair of embeddings, each (sample, feature), without a label."""
        views = paired(*X)
        self.reduced_ = ReducedPair(n_components=self.n_components, seed=self.seed).fit(views)
        sides = self._sides(views)
        shrinkage = max(shrinkage_by_size(*side.shape) for side in sides)
        narrower = min(fit_whitening(side, regularisation=shrinkage).rank for side in sides)
        self.n_directions_ = min(self.n_directions, narrower)
        self.canonical_ = CanonicalCorrelation(self.n_directions_, regularisation=shrinkage).fit(sides)
        return self

    def transform(self, X: Pair) -> NDArray[np.float64]:
        """Return (sample, 2k): k canonical scores of the first embedding, then those of the second."""
        return self.canonical_.transform(self._sides(X))

    def correlations(self, X: Pair) -> NDArray[np.float64]:
        """Return the correlation of each canonical pair on samples (component,), best held out."""
        return self.canonical_.correlations(self._sides(X))

    def _sides(self, X: Pair) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return both embeddings reduced."""
        first, second = (part.transform(x) for part, x in zip(self.reduced_.parts_, X, strict=True))
        return first, second
