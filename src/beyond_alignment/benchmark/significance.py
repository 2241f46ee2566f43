"""Whether one method scores higher than another on the same spots: tests and effect sizes, paired and by unit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from beyond_alignment.benchmark.metrics import Statistics
from beyond_alignment.errors import InputError
from beyond_alignment.resampling import percentile_interval

MOST_EXACT = 12
"""Units up to which all exchanges are tried."""

Runs = Sequence[Statistics]


@dataclass(frozen=True)
class Difference:
    """How much higher one method scores than another.

    Attributes
    ----------
    value, low, high
        Difference of the scores, averaged over seeds, with its 95 % interval (units resampled).
    p
        Two-sided p of exchanging the methods' predictions unit by unit.
    smallest_p
        The smallest p that this many units can give.
    effect, effect_low, effect_high
        Matched rank-biserial correlation over units: 1 where the first is better in every unit, -1 where the other is.
    n_units
        Number of units.
    """

    value: float
    low: float
    high: float
    p: float
    smallest_p: float
    effect: float
    effect_low: float
    effect_high: float
    n_units: int


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Return p values corrected for all being tested at once (Holm 1979); NaN, untested, stays NaN.

    Parameters
    ----------
    p
        (test,).
    """
    values = np.asarray(p, dtype=np.float64)
    corrected = np.full(values.shape, np.nan)
    tested = np.flatnonzero(np.isfinite(values))
    order = tested[np.argsort(values[tested], kind="stable")]
    steps = values[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected


def exchanges(n_units: int, *, n_permutations: int, seed: int = 0) -> NDArray[np.float64]:
    """Return which units exchange the two methods (permutation, unit), 0 or 1; the first row exchanges none.

    All of them up to twelve units, else as many as asked for, drawn at random beside the first row.
    """
    if n_units <= MOST_EXACT:
        return ((np.arange(2**n_units)[:, None] >> np.arange(n_units)) & 1).astype(np.float64)
    drawn = np.random.default_rng(seed).integers(0, 2, (n_permutations, n_units)).astype(np.float64)
    return np.vstack([np.zeros(n_units), drawn])


def exchange_p(first: Runs, second: Runs, metric: str, swaps: NDArray[np.float64]) -> float:
    """Return the two-sided p of the difference of two methods' scores under exchange of whole units.

    Under the null hypothesis the predictions of both methods could stand for one another in any unit. The fitted models
    and the sizes of the units are given; units are taken as independent. Runs with several seeds are repeats on the
    same tissue: a unit is exchanged in all of them at once, so more seeds sharpen the scores and add no units.

    Parameters
    ----------
    first, second
        Statistics of either method, one a seed, over the same units.
    metric
        The score.
    swaps
        From :func:`exchanges` (permutation, unit).
    """
    found = np.zeros(len(swaps))
    for one, other in zip(first, second, strict=True):
        moved = swaps @ (other.values - one.values)
        found += one.read(one.values.sum(axis=0) + moved)[metric] - other.read(other.values.sum(axis=0) - moved)[metric]
    size = np.abs(found)
    return float(np.mean(size >= size[0] * (1 - 1e-9) - 1e-12))


def unit_scores(runs: Runs, metric: str) -> NDArray[np.float64]:
    """Return the score within each unit (unit,), averaged over seeds."""
    return np.mean([run.read(run.values)[metric] for run in runs], axis=0)


def rank_biserial(differences: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matched rank-biserial correlation of each replicate (replicate,); units without a difference drop out.

    Parameters
    ----------
    differences
        First less second, unit by unit (unit,); their ranks are those of the sample in every replicate.
    weights
        (replicate, unit).
    """
    ranks = np.where(differences == 0, 0.0, rankdata(np.abs(differences)))
    total = weights @ ranks
    return np.divide(weights @ (ranks * np.sign(differences)), total, out=np.zeros(len(weights)), where=total > 0)


def compare_two(
    first: Runs,
    second: Runs,
    metric: str,
    *,
    weights: NDArray[np.float64],
    swaps: NDArray[np.float64],
) -> Difference:
    """Compare two methods on the same spots.

    Parameters
    ----------
    first, second
        Statistics of either method, one a seed, over the same units.
    metric
        The score.
    weights
        Bootstrap weights, the first row the sample itself (1 + replicate, unit).
    swaps
        From :func:`exchanges` (permutation, unit).

    Raises
    ------
    InputError
        If the numbers of seeds or the units differ.
    """
    if len(first) != len(second) or not first:
        msg = f"{len(first)} and {len(second)} seeds: compare methods that were run with the same seeds."
        raise InputError(msg)
    if any(not np.array_equal(run.names, first[0].names) for run in (*first, *second)):
        msg = "The two methods were not scored on the same units: compare them on the same spots."
        raise InputError(msg)
    draws = np.mean(
        [one.scores(weights)[metric] - other.scores(weights)[metric] for one, other in zip(first, second, strict=True)],
        axis=0,
    )
    low, high = percentile_interval(draws[1:])
    effects = rank_biserial(unit_scores(first, metric) - unit_scores(second, metric), weights)
    effect_low, effect_high = percentile_interval(effects[1:])
    n_units = len(first[0].names)
    return Difference(
        value=float(draws[0]),
        low=low,
        high=high,
        p=exchange_p(first, second, metric, swaps),
        smallest_p=smallest_p(n_units),
        effect=float(effects[0]),
        effect_low=effect_low,
        effect_high=effect_high,
        n_units=n_units,
    )


def smallest_p(n_units: int) -> float:
    """Return the smallest two-sided p that exchanging this many units can give: 2 / 2**n."""
    return float(2.0 ** (1 - n_units)) if n_units > 0 else 1.0


def scope(n_groups: int, *, groups: str = "donors") -> str:
    """Say what a test over tiles, beside so many held-out groups, licenses.

    Parameters
    ----------
    n_groups
        Groups that were held out in turn.
    groups
        What they are.
    """
    least = smallest_p(n_groups)
    within = "The intervals and tests over tiles speak of other places in these sections, the fitted models given."
    if least > 0.05:
        return (
            f"{within} With {n_groups} {groups} the smallest p that exchanging whole {groups} can give is {least:.2g}: "
            f"no difference can be significant for other {groups} here."
        )
    return f"{within} For other {groups}, see the test that exchanges whole {groups} ({n_groups} of them)."
