"""Pairs of integration patterns that differ in one thing, compared on the tasks where the difference should show."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.benchmark.simulated_tissue import RULES, simulated_truth
from beyond_alignment.resampling import percentile_interval
from beyond_alignment.tasks import get_task

COLUMNS = ("claim", "ahead", "behind", "labels", "n_tasks", "difference", "low", "high", "n_ahead")


@dataclass(frozen=True)
class Contrast:
    """What a claim of the survey says of two methods.

    Attributes
    ----------
    claim
        Id of the claim.
    ahead, behind
        The methods that it puts ahead and behind.
    labels
        Key of :data:`LABELS`: the tasks on which it does.
    """

    claim: str
    ahead: str
    behind: str
    labels: str


def _classes_of_tissue(name: str) -> bool:
    """Return whether a task names classes of real tissue, so that macro-F1 scores it."""
    task = get_task(name)
    return task.kind == "classification" and task.made_from != "simulated"


LABELS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "tissue": _classes_of_tissue,
        "around": lambda name: _classes_of_tissue(name) and get_task(name).made_from == "neighbours",
        "synergy": lambda name: name in RULES and simulated_truth(name).synergy > 0,
    }
)
"""Kind of label -> whether a task is one: classes of real tissue; those of them that were made from the spots around a
spot; classes of simulated tissue that hold synergy."""

CONTRASTS = (
    Contrast("S1", "concat", "sum", "tissue"),
    Contrast("S1", "global_pooling", "sum", "tissue"),
    Contrast("S2", "attention_pooling", "global_pooling", "tissue"),
    Contrast("S3", "hierarchical", "bottom_up", "around"),
    Contrast("S4", "bottleneck", "uniform", "tissue"),
    Contrast("S5", "relational", "hierarchical", "synergy"),
    Contrast("S5", "hierarchical", "relational", "around"),
)
"""Claims of the survey as differences, positive where a claim holds; one with two of them holds where both are. The sum
is put beside concatenation, which trains nothing, and beside a mean that is trained as it is and reaches the same."""


def pattern_contrasts(scores: pd.DataFrame, draws: NDArray[np.float64], tasks: Sequence[str]) -> pd.DataFrame:
    """Return the mean difference in macro-F1 of each pair of :data:`CONTRASTS` over its tasks.

    Parameters
    ----------
    scores
        (task, method), from :func:`beyond_alignment.benchmark.score_draws`; NaN where a method failed.
    draws
        The same of bootstrap replicates (replicate, task, method), which resample tiles within sections.
    tasks
        Name of each row's task.

    Returns
    -------
    pandas.DataFrame
        One row a contrast that the grid holds: claim, ahead, behind, labels, n_tasks (on which both have a score),
        difference (of the method that the claim puts ahead, less the other), its 95 % interval low and high, and
        n_ahead, on how many tasks it is above zero.
    """
    every = np.concatenate([scores.to_numpy()[None], draws])  # (1 + replicate, task, method)
    place = {str(name): i for i, name in enumerate(scores.columns)}
    rows = []
    for one in CONTRASTS:
        if one.ahead not in place or one.behind not in place:
            continue
        difference = every[..., place[one.ahead]] - every[..., place[one.behind]]  # (1 + replicate, task)
        asked = np.array([LABELS[one.labels](name) for name in tasks], dtype=bool)
        asked &= np.isfinite(difference).all(axis=0)
        if not asked.any():
            continue
        means = difference[:, asked].mean(axis=1)
        low, high = percentile_interval(means[1:])
        ahead = int((difference[0, asked] > 0).sum())
        pair = (one.claim, one.ahead, one.behind, one.labels)
        rows.append((*pair, int(asked.sum()), float(means[0]), low, high, ahead))
    return pd.DataFrame(rows, columns=list(COLUMNS))
