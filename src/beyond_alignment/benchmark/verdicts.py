"""Verdicts on the claims, computed from gains and their intervals by one stated rule."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from beyond_alignment.resampling import percentile_interval

REPLICATED, NOT_REPLICATED, UNTESTABLE = "replicated", "not replicated", "cannot be tested here"
OPPOSITE = {REPLICATED: NOT_REPLICATED, NOT_REPLICATED: REPLICATED, UNTESTABLE: UNTESTABLE}
NEGLIGIBLE = 0.02
LOCAL, LONG_RANGE = ("cell_type",), ("niche", "niche_epithelial", "niche_immune", "niche_mixing", "domain")


def no_gain(low: float, high: float, *, margin: float = NEGLIGIBLE) -> str:
    """Return the verdict on "fusion adds nothing": an interval below the margin, above zero, or too wide to say.

    Parameters
    ----------
    low
        Lower end of the gain's 95 % interval.
    high
        Upper end.
    margin
        Largest gain that counts as nothing.
    """
    if low > 0:
        return NOT_REPLICATED
    return REPLICATED if high < margin else UNTESTABLE


def a_gain(low: float, high: float) -> str:
    """Return the verdict on "there is a gain": an interval above zero, below zero, or too wide to say."""
    if low > 0:
        return REPLICATED
    return NOT_REPLICATED if high < 0 else UNTESTABLE


def a_lead(low: float, high: float) -> str:
    """Return the verdict on "one is ahead of the other": above zero, below a negligible lead, or too wide to say.

    Parameters
    ----------
    low
        Lower end of the lead's 95 % interval.
    high
        Upper end.
    """
    return OPPOSITE[no_gain(low, high, margin=NEGLIGIBLE)]


def group_gain(replicates: pd.DataFrame, tasks: tuple[str, ...], *, fused: str, metric: str) -> np.ndarray:
    """Return the mean gain over tasks under their main split: the sample's, then its replicates (1 + replicate,).

    Parameters
    ----------
    replicates
        Of the main contests: one row a task, split, metric and draw, one column a method.
    tasks
        Names of tasks; those that are absent are left out.
    fused
        The fusion method.
    metric
        The score.
    """
    rows = replicates[(replicates["metric"] == metric) & (replicates["split"] != "section")]
    gains = []
    for task in tasks:
        drawn = rows[rows["task"] == task].sort_values("draw")
        if len(drawn):
            gains.append((drawn[fused] - drawn[["expression_only", "morphology_only"]].max(axis=1)).to_numpy())
    return np.mean(gains, axis=0)


def _interval(draws: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of the replicates behind the sample's value."""
    return percentile_interval(draws[1:])


def benchmark_claims(replicates: pd.DataFrame, sizes: Mapping[str, int]) -> list[dict[str, object]]:
    """Return the records of the claims that the benchmark page tests with concatenation: B2 and B15.

    Parameters
    ----------
    replicates
        Of the main contests.
    sizes
        Spots scored, by task.
    """
    local = group_gain(replicates, LOCAL, fused="concat", metric="macro_f1")
    far = group_gain(replicates, LONG_RANGE, fused="concat", metric="macro_f1")
    contrast = far - local
    n_local, n_far = (sum(sizes.get(task, 0) for task in tasks) for tasks in (LOCAL, LONG_RANGE))
    common = {"seeds": 1, "data": "HER2ST (8 sections, 3 donors) and MOB (4 sections, 2 mice), held out by donor"}
    return [
        {
            "claim": "B2",
            "measured": f"gain of concatenation on the dominant cell type {local[0]:+.3f} macro-F1; nothing: under "
            f"{NEGLIGIBLE}",
            "value": local[0],
            "interval": _interval(local),
            "n": n_local,
            "verdict": no_gain(*_interval(local)),
            **common,
        },
        {
            "claim": "B15",
            "measured": f"gain on niche and domain tasks less gain on the spot's own type {contrast[0]:+.3f} macro-F1",
            "value": contrast[0],
            "interval": _interval(contrast),
            "n": n_local + n_far,
            "verdict": a_gain(*_interval(contrast)),
            **common,
        },
    ]
