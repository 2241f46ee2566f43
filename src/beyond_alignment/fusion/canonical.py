"""Canonical correlation: the linear subspaces that alignment finds."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from beyond_alignment.checks import paired
from beyond_alignment.errors import InputError
from beyond_alignment.fusion.whitening import Regularisation, check_enough_rows, cross_factor, fit_whitening

Pair = tuple[ArrayLike, ArrayLike]


class CanonicalCorrelation(TransformerMixin, BaseEstimator):
    """Regularised canonical correlation analysis of a pair of embeddings.

    Parameters
    ----------
    n_components
        Number k of canonical directions of each embedding.
    regularisation
        Shrinkage of each covariance, a number from 0 to 0.95 or `ledoit_wolf`.

    Attributes
    ----------
    weights1_, weights2_
        Directions (feature, component) of each embedding; the largest entry of each in `weights1_` is positive.
    mean1_, mean2_
        Column means (feature,) of the samples fitted on.
    correlations_
        Singular values (component,) of the whitened cross-covariance of the samples fitted on.
    """

    def __init__(self, n_components: int = 2, *, regularisation: Regularisation = "ledoit_wolf"):
        self.n_components = n_components
        self.regularisation = regularisation

    def fit(self, X: Pair, y: object = None) -> Self:
        """Find the directions on training samples.

        Parameters
        ----------
        X
            Pair of embeddings, each (sample, feature).
        y
            Ignored: alignment does not see the label.

        Returns
        -------
        This object.

        Raises
        ------
        InputError
            The embeddings are not a finite pair, or have fewer directions or samples than are asked for.
        """
        first, second = paired(*X)
        left = fit_whitening(first, regularisation=self.regularisation, name="x1")
        right = fit_whitening(second, regularisation=self.regularisation, name="x2")
        check_enough_rows(left, right, len(first))
        if not 1 <= self.n_components <= min(left.rank, right.rank):
            raise InputError(
                f"{self.n_components} components were asked for and the embeddings have"
                f" {min(left.rank, right.rank)}; pass a number from 1 to that."
            )
        cross = cross_factor(left, right) * left.apply(first).T @ right.apply(second) / len(first)
        u, values, vt = np.linalg.svd(cross, full_matrices=False)
        kept = slice(self.n_components)
        weights1, weights2 = left.matrix @ u[:, kept], right.matrix @ vt[kept].T
        signs = np.sign(weights1[np.abs(weights1).argmax(axis=0), np.arange(self.n_components)])
        self.weights1_, self.weights2_ = weights1 * signs, weights2 * signs
        self.mean1_, self.mean2_ = left.mean, right.mean
        self.correlations_ = values[kept]
        return self

    def _scores(self, X: Pair) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Canonical scores (sample, component) of both embeddings."""
        check_is_fitted(self)
        first, second = paired(*X, min_rows=1)
        expected = (len(self.mean1_), len(self.mean2_))
        if (first.shape[1], second.shape[1]) != expected:
            raise InputError(
                f"The embeddings have {first.shape[1]} and {second.shape[1]} features and were fitted with"
                f" {expected[0]} and {expected[1]}; pass the same features."
            )
        return (first - self.mean1_) @ self.weights1_, (second - self.mean2_) @ self.weights2_

    def transform(self, X: Pair) -> NDArray[np.float64]:
        """Project samples onto the canonical directions.

        Parameters
        ----------
        X
            Pair of embeddings, each (sample, feature), with the features fitted on.

        Returns
        -------
        Aligned concatenation (sample, 2k): the k scores of the first embedding, then those of the second.

        Raises
        ------
        InputError
            The embeddings are not a finite pair or have other features.
        """
        return np.concatenate(self._scores(X), axis=1)

    def correlations(self, X: Pair) -> NDArray[np.float64]:
        """Correlation of each canonical pair on samples, best held out.

        Parameters
        ----------
        X
            Pair of embeddings, each (sample, feature), with the features fitted on.

        Returns
        -------
        Pearson correlations (component,), 0 where a score is constant.

        Raises
        ------
        InputError
            The embeddings are not a finite pair or have other features.
        """
        first, second = (s - s.mean(axis=0) for s in self._scores(X))
        scale = np.linalg.norm(first, axis=0) * np.linalg.norm(second, axis=0)
        return np.divide((first * second).sum(axis=0), scale, out=np.zeros_like(scale), where=scale > 0)
