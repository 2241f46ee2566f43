"""Pearson correlations of the columns of two arrays."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def pearson_columns(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Correlate each column of an array with the same column of another: (column,), 0 where one is constant."""
    return (standardised(first) * standardised(second)).mean(axis=0)


def cross_correlations(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Correlate every column of one array with every column of another; 0 where one of the two is constant."""
    a, b = standardised(first), standardised(second)
    return a.T @ b / len(a)


def standardised(values: ArrayLike) -> NDArray[np.float64]:
    """Return columns of mean 0 and unit variance (sample, column); a constant one becomes 0."""
    x = np.asarray(values, dtype=np.float64)
    sd, varies = x.std(axis=0), np.ptp(x, axis=0) > 0
    return np.divide(x - x.mean(axis=0), sd, out=np.zeros_like(x), where=varies & (sd > 0))
