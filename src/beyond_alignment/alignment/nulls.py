"""What the spectrum of the cross-covariance is when the pairing is broken."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray


def centred_within(x: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return an embedding minus the mean of each group.

    Parameters
    ----------
    x
        Embedding (sample, feature).
    groups
        Codes (sample,) from 0.

    Returns
    -------
    Embedding (sample, feature) with mean 0 in every group.
    """
    sums = np.stack([np.bincount(groups, weights=column) for column in x.T], axis=1)
    centred = (sums / np.maximum(np.bincount(groups), 1)[:, None])[groups]
    return np.subtract(x, centred, out=centred)


def permutations(groups: NDArray[np.int64], n: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yield `n` random permutations of the rows within their groups.

    Parameters
    ----------
    groups
        Codes (sample,) from 0.
    n
        Number of permutations.
    rng
        Draws them.

    Yields
    ------
    Row numbers (sample,), each from the group of the row it stands in.
    """
    if groups.max() == 0:
        for _ in range(n):
            yield rng.permutation(len(groups))
        return
    rows = np.argsort(groups, kind="stable")
    for _ in range(n):
        permutation = np.empty_like(rows)
        permutation[rows] = np.argsort(groups + rng.random(len(groups)))
        yield permutation


def null_spectra(
    z1: NDArray[np.float64],
    z2: NDArray[np.float64],
    *,
    between: NDArray[np.float64],
    draws: Iterable[NDArray[np.int64]],
    factor: float,
    n_components: int,
) -> NDArray[np.float64]:
    """Return the singular values of the whitened cross-covariance under re-pairings.

    Parameters
    ----------
    z1, z2
        Whitened embeddings (sample, direction), centred within groups.
    between
        Cross-covariance (direction, direction) of the means of groups, which re-pairing within groups leaves as it is.
    draws
        Permutations (sample,) of the rows.
    factor
        What to multiply the part within groups with.
    n_components
        Number of singular values to return.

    Returns
    -------
    Singular values (draw, component), falling, at most 1.
    """
    if z1.shape[1] > z2.shape[1]:
        z1, z2, between = z2, z1, between.T
    spectra = []
    for permutation in draws:
        cross = between + (factor / len(z1)) * (z1[permutation].T @ z2)
        # The eigenvalues of the small square are many times cheaper than the singular values of a wide matrix.
        squares = np.linalg.eigvalsh(cross @ cross.T)[::-1][:n_components]
        spectra.append(np.sqrt(np.clip(squares, 0, 1)))
    return np.array(spectra)
