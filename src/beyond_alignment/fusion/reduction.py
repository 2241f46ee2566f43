"""Brings one modality to a common size and scale, fitted on training spots only."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA


class Reduction(TransformerMixin, BaseEstimator):
    """Centre, project on the leading principal components, and scale to unit mean variance.

    Without it the modality with more features dominates a shared probe, and a ridge penalty weighs on large embeddings.
    The components of a modality that varies by no more than rounding, or has one spot, are zero.

    Parameters
    ----------
    n_components
        d, components kept at most (fewer when the data have fewer features or spots).
    seed
        Of the randomised solver.

    Attributes
    ----------
    pca_
        The fitted components.
    scale_
        Root of the mean variance of the kept components in the training spots; infinite where there is none.
    """

    def __init__(self, *, n_components: int = 50, seed: int = 0) -> None:
        self.n_components = n_components
        self.seed = seed

    def fit(self, x: ArrayLike, y: object = None) -> Self:
        """Fit on training spots: ``x`` is (spot, feature)."""
        values = np.asarray(x, dtype=np.float32)
        kept = min(self.n_components, *values.shape)
        solver = "randomized" if kept < min(values.shape) / 2 else "full"
        self.pca_ = PCA(n_components=kept, svd_solver=solver, iterated_power=3, random_state=self.seed)
        with np.errstate(invalid="ignore", divide="ignore"):  # shares of no variance
            self.pca_.fit(values)
        rounding = np.finfo(np.float32).eps * np.abs(values).max()
        varies = np.std(np.asarray(x, dtype=np.float64), axis=0).max() > rounding
        scale = float(np.sqrt(np.mean(self.pca_.explained_variance_)))
        self.scale_ = scale if varies and scale > 0 else np.inf  # what underflows in single precision does not vary
        return self

    def transform(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return (spot, component)."""
        return self.pca_.transform(np.asarray(x, dtype=np.float32)).astype(np.float64) / self.scale_

    @property
    def n_parameters_(self) -> int:
        """Number of fitted numbers: components and means."""
        return int(self.pca_.components_.size + self.pca_.mean_.size)
