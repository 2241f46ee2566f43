"""Bootstrap interval of what the spectral ceiling exceeds that of broken pairs by."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.alignment.nulls import centred_within
from beyond_alignment.alignment.shrinkage import Shrinkage, shrunk_whitening
from beyond_alignment.fusion.whitening import cross_factor

N_STRETCHES = 20


def stretches(curve: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which of up to 20 equal stretches of a curve each sample lies on.

    Parameters
    ----------
    curve
        Rows along the curve.

    Returns
    -------
    Codes (sample,) from 0: blocks for the bootstrap, five samples long or more.
    """
    units = np.empty(len(curve), dtype=np.int64)
    n_stretches = min(N_STRETCHES, len(curve) // 5)
    units[curve] = np.arange(len(curve)) * n_stretches // len(curve)
    return units


def resamples(
    units: NDArray[np.int64] | None, n_rows: int, n: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Yield `n` bootstrap samples of the rows, or of whole units.

    Parameters
    ----------
    units
        Codes (sample,) from 0, or None to draw single rows.
    n_rows
        Number of rows.
    n
        Number of bootstrap samples.
    rng
        Draws them.

    Yields
    ------
    Row numbers, as many as there are rows or as the drawn units have.
    """
    if units is None:
        for _ in range(n):
            yield rng.integers(0, n_rows, n_rows)
        return
    members = [np.flatnonzero(units == unit) for unit in range(units.max() + 1)]
    for _ in range(n):
        yield np.concatenate([members[unit] for unit in rng.integers(0, len(members), len(members))])


def _ceiling(
    x1: NDArray[np.float64],
    x2: NDArray[np.float64],
    regularisation: Shrinkage,
    groups: NDArray[np.int64] | None = None,
    factor: float = 1.0,
) -> float:
    """Sum of squared canonical correlations, whitening included; the part within groups scaled by a factor."""
    left, right = (
        shrunk_whitening(x, regularisation=regularisation, name=f"{name} in a bootstrap sample")
        for x, name in ((x1, "x1"), (x2, "x2"))
    )
    z1, z2 = left.apply(x1), right.apply(x2)
    cross = z1.T @ z2
    if factor != 1:
        codes = np.zeros(len(x1), dtype=np.int64) if groups is None else groups
        cross += (factor - 1) * (centred_within(z1, codes).T @ centred_within(z2, codes))
    return float(((cross_factor(left, right) * cross / len(x1)) ** 2).sum())


def excess_interval(
    x1: NDArray[np.float64],
    x2: NDArray[np.float64],
    *,
    excess: float,
    most: float,
    units: NDArray[np.int64] | None,
    groups: NDArray[np.int64] | None,
    draws: Iterable[NDArray[np.int64]],
    factor: float,
    regularisation: Shrinkage,
    n_bootstrap: int,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Return the 95 % interval of the excess of the ceiling over that of broken pairs.

    Every bootstrap sample is compared with its own broken pairs: the rows drawn of x1 with those rows of x2 that a
    permutation puts in their place, so that both hold the same repetitions. Repetitions alone add as much to a ceiling
    as sampling did, or fill it where features are as many as samples.

    Parameters
    ----------
    x1, x2
        Embeddings (sample, feature).
    excess
        The excess on all samples.
    most
        Number of components, the largest sum there can be.
    units
        Codes (sample,) from 0 of what to resample whole, or None to resample samples.
    groups
        Codes (sample,) from 0 of groups, or None.
    draws
        One permutation (sample,) a bootstrap sample, or more.
    factor
        What to multiply permuted cross-covariances within groups with.
    regularisation
        Shrinkage, each bootstrap sample having a whitening of its own.
    n_bootstrap
        Number of bootstrap samples.
    rng
        Draws them.

    Returns
    -------
    Low and high end, from 0 to `most`.

    Raises
    ------
    InputError
        An embedding is constant in a bootstrap sample.
    """
    replicates = []
    for rows, permutation in zip(resamples(units, len(x1), n_bootstrap, rng), draws, strict=False):
        first, labels = x1[rows], None if groups is None else groups[rows]
        broken = _ceiling(first, x2[permutation[rows]], regularisation, labels, factor)
        replicates.append(_ceiling(first, x2[rows], regularisation) - broken)
    # Reflected quantiles: resampling lowers the excess as sampling did.
    low, high = np.clip(2 * excess - np.quantile(replicates, [0.975, 0.025]), 0, most)
    return float(low), float(high)
