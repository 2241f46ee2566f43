"""Random circular shifts along a space-filling curve: re-pairings that keep tissue smooth."""

from collections.abc import Iterator, Sequence
from math import ceil, prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beyond_alignment.errors import InputError

BITS = 16
ENUMERABLE = 1_000_000


def checked_positions(positions: ArrayLike, *, n: int) -> NDArray[np.float64]:
    """Return positions as a finite float matrix.

    Parameters
    ----------
    positions
        Positions (sample, 2).
    n
        Number of samples that they must have.

    Returns
    -------
    The positions as float64 (sample, 2).

    Raises
    ------
    InputError
        They are not a finite matrix of `n` rows and two columns.
    """
    matrix = np.asarray(positions, dtype=np.float64)
    if matrix.shape != (n, 2):
        raise InputError(f"positions has shape {matrix.shape} for {n} samples; pass one (x, y) a sample.")
    if not np.isfinite(matrix).all():
        raise InputError("positions holds NaN or infinity; drop those samples first.")
    return matrix


def hilbert_index(positions: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how far along a Hilbert curve over their bounding square positions lie.

    Parameters
    ----------
    positions
        Positions (sample, 2) in any unit; moving or scaling them all changes nothing.

    Returns
    -------
    Index (sample,) on the curve of 2^16 by 2^16 cells; positions in one cell share theirs.

    Notes
    -----
    The curve of Hilbert (1891), followed from the largest quadrants to the smallest.
    """
    corner = positions - positions.min(axis=0)
    extent = corner.max()
    unit = corner / extent if extent > 0 else corner
    # The offset keeps the edges of cells off every regular grid, where rounding would decide.
    x, y = np.floor(unit * (2**BITS - 1) + 0.381966).astype(np.int64).T
    index = np.zeros(len(positions), dtype=np.int64)
    for bit in reversed(range(BITS)):
        side = 1 << bit
        right, upper = (x >> bit) & 1, (y >> bit) & 1
        index += side * side * ((3 * right) ^ upper)
        x, y = x & (side - 1), y & (side - 1)
        turned = (right == 1) & (upper == 0)
        x, y = np.where(turned, side - 1 - x, x), np.where(turned, side - 1 - y, y)
        x, y = np.where(upper == 0, y, x), np.where(upper == 0, x, y)
    return index


def curves(positions: NDArray[np.float64], groups: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the rows of each group in their order along the Hilbert curve of that group.

    Parameters
    ----------
    positions
        Positions (sample, 2); each group has a frame of its own.
    groups
        Codes (sample,) from 0.

    Returns
    -------
    One array of rows a group.

    Raises
    ------
    InputError
        A group of several samples has them all at one position.
    """
    by_group = np.split(np.argsort(groups, kind="stable"), np.cumsum(np.bincount(groups))[:-1])
    ordered = []
    for rows in by_group:
        if len(rows) > 1 and np.ptp(positions[rows], axis=0).max() == 0:
            raise InputError(f"A group has its {len(rows)} samples at one position; pass the place of each sample.")
        ordered.append(rows[np.argsort(hilbert_index(positions[rows]), kind="stable")])
    return ordered


def offsets(length: int, *, min_shift: float) -> range:
    """Return the shifts of a curve of `length` samples that stay `min_shift` of it away from none, at both ends."""
    least = max(1, ceil(min_shift * length))
    return range(least, length - least + 1)


def shifted(curve: NDArray[np.int64], offset: int) -> NDArray[np.int64]:
    """Return the rows of a curve that stand `offset` places further along it, the end joined to the start."""
    return np.roll(curve, -offset)


def shift_permutations(
    ordered: Sequence[NDArray[np.int64]], n: int, *, min_shift: float, fewest: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Yield permutations of the rows that shift every group along its curve by an offset of its own.

    Parameters
    ----------
    ordered
        Rows of each group along its curve; together all rows.
    n
        Number of permutations. Where fewer differ, each of those comes once.
    min_shift
        Share of a group by which it is shifted at least, either way round; below 0.5.
    fewest
        Number of different permutations below which there is no null distribution.
    rng
        Draws the offsets.

    Yields
    ------
    Row numbers (sample,). A group without an offset, such as a single sample, stays.

    Raises
    ------
    InputError
        The share is not from 0 to below 0.5, or the groups allow fewer different shifts than `fewest`.

    Notes
    -----
    Random shifts as a test of independence of two autocorrelated fields after Lotwick and Silverman (1982).
    """
    if not 0 <= min_shift < 0.5:
        raise InputError(f"min_shift is {min_shift}; pass a share from 0 to below 0.5.")
    allowed = [offsets(len(curve), min_shift=min_shift) for curve in ordered]
    counts = [max(len(a), 1) for a in allowed]
    different = prod(counts)
    if different < fewest:
        raise InputError(
            f"The groups allow {different} different shifts and {fewest} are needed; pass larger or more groups, or"
            " positions=None to permute single samples."
        )
    if different <= ENUMERABLE:
        drawn = rng.choice(different, size=min(n, different), replace=False)
        choices = np.stack(np.unravel_index(drawn, counts), axis=1)
    else:
        choices = rng.integers(0, counts, size=(n, len(counts)))
    for choice in choices:
        permutation = np.empty(sum(len(curve) for curve in ordered), dtype=np.int64)
        for curve, options, position in zip(ordered, allowed, choice, strict=True):
            permutation[curve] = shifted(curve, options[position]) if options else curve
        yield permutation
