"""Whether two scores order the tasks alike, with what the noise of both leaves open."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import spearmanr

from beyond_alignment.benchmark.scoreboard import UNIMODAL
from beyond_alignment.benchmark.tissue_information import TissueInformation
from beyond_alignment.resampling import percentile_interval


@dataclass(frozen=True)
class RankAgreement:
    """Spearman's correlation of two scores over tasks.

    Attributes
    ----------
    value
        Of the scores themselves.
    low, high
        95 % interval over replicates of both: how sure the order of these tasks is. That another handful of tasks
        would order otherwise is not in it.
    n
        Number of tasks.
    """

    value: float
    low: float
    high: float
    n: int


def published_draws(replicates: pd.DataFrame, *, fused: str = "concat") -> pd.DataFrame:
    """Return the published score (joint - best) / best of each task under its main split.

    Parameters
    ----------
    replicates
        Of the benchmark's main contests: one row a task, split, metric and draw, one column a method.
    fused
        The fusion method.

    Returns
    -------
    pandas.DataFrame
        (draw, task), the sample itself being draw 0; NaN where the better expert is not above zero.
    """
    joint, best = _scores(replicates, fused, "macro_f1")
    return (joint - best) / best.where(best > 0)


def gain_draws(replicates: pd.DataFrame, *, fused: str = "concat") -> pd.DataFrame:
    """Return joint - best of each task under its main split (draw, task); parameters as `published_draws`."""
    joint, best = _scores(replicates, fused, "macro_f1")
    return joint - best


def term_draws(found: TissueInformation, term: str) -> pd.DataFrame:
    """Return a term of the decomposition of each task (draw, task), the estimate itself being draw 0."""
    drawn = found.replicates.pivot_table(index="draw", columns="task", values=term)
    drawn.loc[0] = found.table.set_index("task")[term]
    return drawn.sort_index()


def rank_over_tasks(first: pd.DataFrame, second: pd.DataFrame) -> RankAgreement:
    """Correlate two scores over the tasks that have both.

    Parameters
    ----------
    first, second
        (draw, task), the sample itself being draw 0; the replicates of one are drawn independently of the other's.
    """
    tasks = [t for t in first if t in second and np.isfinite([first.at[0, t], second.at[0, t]]).all()]
    draws = min(len(first), len(second))
    values = [
        _correlation(a, b)
        for a, b in zip(first[tasks].to_numpy()[:draws], second[tasks].to_numpy()[:draws], strict=True)
        if np.isfinite([*a, *b]).all()
    ]
    low, high = percentile_interval(values[1:])
    return RankAgreement(values[0], low, high, len(tasks))


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return Spearman's correlation; 0 where one score is the same for all tasks and orders nothing."""
    if min(np.ptp(first), np.ptp(second)) == 0:
        return 0.0
    return float(spearmanr(first, second).statistic)


def _scores(replicates: pd.DataFrame, fused: str, metric: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the joint score and the better expert's (draw, task) under each task's main split."""
    rows = replicates[(replicates["metric"] == metric) & (replicates["split"] != "section")]
    best = rows.assign(best=rows[list(UNIMODAL)].max(axis=1))
    wide = best.pivot_table(index="draw", columns="task", values=[fused, "best"]).sort_index()
    return wide[fused], wide["best"]
