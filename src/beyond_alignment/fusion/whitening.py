"""Whitening of an embedding with a shrunk covariance."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf_shrinkage

from beyond_alignment.errors import InputError

Regularisation = Literal["ledoit_wolf"] | float
MAX_SHRINKAGE = 0.95


@dataclass(frozen=True)
class Whitening:
    """A centring and the inverse square root of a shrunk covariance.

    Attributes
    ----------
    mean
        Column means (feature,).
    matrix
        Symmetric S^-1/2 (feature, feature), with zero rows and columns for constant features.
    rank
        Number of directions that vary.
    shrinkage
        Share of the covariance replaced by its mean variance, 0 to 0.95.
    """

    mean: NDArray[np.float64]
    matrix: NDArray[np.float64]
    rank: int
    shrinkage: float

    def apply(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Whiten an embedding (sample, feature)."""
        return (x - self.mean) @ self.matrix


def varying_columns(x: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which columns of an embedding vary beyond rounding.

    Parameters
    ----------
    x
        Embedding (sample, feature).

    Returns
    -------
    Mask (feature,).
    """
    spread = np.ptp(x, axis=0)
    return np.asarray(spread > 1e-10 * np.maximum(np.abs(x).max(axis=0), np.finfo(np.float64).tiny))


def fit_whitening(x: NDArray[np.float64], *, regularisation: Regularisation, name: str = "x") -> Whitening:
    """Estimate the whitening (1 - r) S + r (tr S / d) I, to the power -1/2, of an embedding.

    Parameters
    ----------
    x
        Embedding (sample, feature); constant columns are left out and stay zero.
    regularisation
        The shrinkage r from 0 to 0.95, or `ledoit_wolf` to estimate it, at most 0.95 (with 1 nothing of the pairing
        would be left). It is invariant under rotations of the features; with 0, directions without variance are
        left out.
    name
        What to call the embedding in an error.

    Returns
    -------
    The whitening, to be applied to these or other samples.

    Raises
    ------
    InputError
        Every column is constant, or the regularisation is neither `ledoit_wolf` nor from 0 to 0.95.
    """
    numeric = isinstance(regularisation, int | float) and 0 <= regularisation <= MAX_SHRINKAGE
    if regularisation != "ledoit_wolf" and not numeric:
        raise InputError(
            f"The regularisation is {regularisation!r}; pass 'ledoit_wolf' or a number from 0 to {MAX_SHRINKAGE}."
        )
    varying = varying_columns(x)
    if not varying.any():
        raise InputError(f"Every column of {name} is constant; pass an embedding that varies.")
    mean = x.mean(axis=0)
    centred = x[:, varying] - mean[varying]
    shrinkage = (
        min(float(ledoit_wolf_shrinkage(centred, assume_centered=True)), MAX_SHRINKAGE)
        if isinstance(regularisation, str)
        else float(regularisation)
    )
    covariance = centred.T @ centred / len(x)
    values, vectors = np.linalg.eigh(covariance)
    kept = values > values[-1] * len(values) * np.finfo(np.float64).eps
    shrunk = (1 - shrinkage) * np.where(kept, values, 0) + shrinkage * values.mean()
    scale = np.zeros_like(shrunk)
    positive = shrunk > 0
    scale[positive] = shrunk[positive] ** -0.5
    matrix = np.zeros((x.shape[1], x.shape[1]))
    matrix[np.ix_(varying, varying)] = (vectors * scale) @ vectors.T
    return Whitening(mean=mean, matrix=matrix, rank=int(kept.sum()), shrinkage=shrinkage)


def cross_factor(first: Whitening, second: Whitening) -> float:
    """Factor by which the cross-covariance shrinks when both covariances do.

    Shrinking the covariances alone would let whitened cross-covariances exceed 1; shrinking the joint covariance
    (1 - r) S + r diag(I) as a whole keeps them correlations.

    Parameters
    ----------
    first, second
        Whitenings of both embeddings.

    Returns
    -------
    sqrt((1 - r1)(1 - r2)).
    """
    return float(np.sqrt((1 - first.shrinkage) * (1 - second.shrinkage)))


def check_enough_rows(first: Whitening, second: Whitening, n: int) -> None:
    """Refuse an unregularised analysis in which some canonical correlation must be 1.

    Parameters
    ----------
    first, second
        Whitenings of both embeddings.
    n
        Number of samples.

    Raises
    ------
    InputError
        Nothing is shrunk and the directions of both embeddings outnumber the degrees of freedom.
    """
    if first.shrinkage == 0 and second.shrinkage == 0 and first.rank + second.rank > n - 1:
        raise InputError(
            f"{n} samples are too few for {first.rank} + {second.rank} directions without regularisation, where a"
            " correlation of 1 means nothing; pass regularisation='ledoit_wolf' or fewer features."
        )
