"""Brings one modality to a common size and scale, fitted on training spots only."""

import hashlib
from collections import OrderedDict
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA

KEPT = 128


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


_FITTED: OrderedDict[tuple[bytes, int], Reduction] = OrderedDict()


def reduction_of(x: NDArray[np.floating], n_components: int) -> Reduction:
    """Return the reduction fitted on training spots, the same for every method and seed, and fitted once for all.

    The last ones are remembered by the numbers that they were fitted on.

    Parameters
    ----------
    x
        Embedding (spot, feature).
    n_components
        Components kept at most.
    """
    values = np.ascontiguousarray(x, dtype=np.float64)
    digest = hashlib.blake2b(repr(values.shape).encode(), digest_size=16)
    digest.update(values.data)
    key = digest.digest(), n_components
    if key not in _FITTED:
        _FITTED[key] = Reduction(n_components=n_components).fit(values)
    _FITTED.move_to_end(key)
    while len(_FITTED) > KEPT:
        _FITTED.popitem(last=False)
    return _FITTED[key]


def forget() -> None:
    """Forget every remembered reduction, so that the next one is fitted anew."""
    _FITTED.clear()
