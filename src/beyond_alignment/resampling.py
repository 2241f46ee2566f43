"""What a bootstrap draws, and the intervals read off its replicates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beyond_alignment.checks import codes
from beyond_alignment.errors import InputError

FEWEST_GROUPS = 10
NEGLIGIBLE = 1e-5
"""Bits by which a solver may be off."""


@dataclass(frozen=True)
class Units:
    """What a bootstrap draws whole: unit of each sample from 0; `kind` is ``block``, ``group`` or ``sample``."""

    codes: NDArray[np.int64]
    n_units: int
    kind: str
    warning: str


def default_units(groups: ArrayLike | None, blocks: ArrayLike | None, n: int) -> Units:
    """Choose what to resample: blocks where given, else groups if there are enough of them, else single samples.

    Fewer than ten cannot stand for the population that they come from, and the warning says so: few groups are passed
    over for single samples, few blocks are resampled all the same.
    """
    if blocks is not None:
        of_block, found = codes(blocks, n=n, name="blocks")
        n_units = len(found)
        if n_units < 2:
            raise InputError("All samples are in one block, so nothing can be resampled; pass smaller blocks or none.")
        few = f"There are {n_units} blocks, fewer than {FEWEST_GROUPS}, so the intervals may be too narrow."
        return Units(of_block, n_units, "block", few if n_units < FEWEST_GROUPS else "")
    if groups is None:
        return Units(np.arange(n), n, "sample", "")
    of_group, found = codes(groups, n=n, name="groups")
    n_units = len(found)
    if n_units >= FEWEST_GROUPS:
        return Units(of_group, n_units, "group", "")
    few = (
        f"Fewer than {FEWEST_GROUPS} groups ({n_units}) cannot be resampled, so single samples were: the intervals"
        " leave out how groups differ and may be too narrow."
    )
    return Units(np.arange(n), n, "sample", few)


def unit_weights(n_units: int, *, n_bootstrap: int, seed: int = 0) -> NDArray[np.int32]:
    """Draw with replacement how often each unit counts in each replicate: (replicate, unit), rows sum to `n_units`."""
    if n_units < 1 or n_bootstrap < 1:
        raise InputError(f"There are {n_units} units and {n_bootstrap} replicates to draw; pass at least one of each.")
    rng = np.random.default_rng(seed)
    weights = np.empty((n_bootstrap, n_units), dtype=np.int32)
    for row in weights:
        row[:] = np.bincount(rng.integers(n_units, size=n_units), minlength=n_units)
    return weights


def percentile_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Return the central interval, of coverage `level`, of bootstrap replicates."""
    replicates = np.asarray(values, dtype=np.float64)
    if replicates.size == 0:
        raise InputError("There are no replicates to take an interval of; draw at least one.")
    if not 0 < level < 1:
        raise InputError(f"The level is {level}; pass a coverage between 0 and 1.")
    # Rounded, or the tail of 0.95 would be 0.025000000000000022.
    tail = round((1 - level) / 2, 12)
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return float(low), float(high)


def reflected_p_value(values: ArrayLike, estimate: float) -> float:
    """One-sided p-value of a quantity being 0 where it cannot be negative, from its bootstrap replicates; NaN for NaN.

    The share of replicates that exceed the estimate by as much as the estimate exceeds 0, the estimate counted among
    them. What a solver may be off by counts as 0.
    """
    if np.isnan(estimate):
        return float("nan")
    replicates = np.asarray(values, dtype=np.float64)
    return float((1 + (replicates - estimate >= estimate - NEGLIGIBLE).sum()) / (1 + replicates.size))
