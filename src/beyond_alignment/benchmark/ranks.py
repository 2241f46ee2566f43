"""Ranks of methods over tasks: Friedman's test and the Nemenyi critical difference."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, f, rankdata, studentized_range

from beyond_alignment.errors import InputError
from beyond_alignment.resampling import percentile_interval


@dataclass(frozen=True)
class Ranks:
    """Mean ranks of methods over tasks; rank 1 is best.

    Attributes
    ----------
    table
        One row a method, the best first: method, mean_rank, and low, high (95 %) where draws were given.
    statistic, p_friedman
        Friedman's chi-square, corrected for ties, and its p.
    p_iman_davenport
        p of the less conservative F statistic of Iman & Davenport (1980).
    critical_difference
        Difference of mean ranks from which on two methods differ at ``alpha`` (Nemenyi; Demsar 2006).
    groups
        Largest sets of methods, none of which differs from another in its set, the best first.
    n_tasks
        Number of tasks.
    alpha
        Level.
    """

    table: pd.DataFrame
    statistic: float
    p_friedman: float
    p_iman_davenport: float
    critical_difference: float
    groups: tuple[tuple[str, ...], ...]
    n_tasks: int
    alpha: float


def task_ranks(scores: ArrayLike) -> NDArray[np.float64]:
    """Return the rank of each method on each task (..., task, method), 1 for the highest score, ties at their mean.

    Parameters
    ----------
    scores
        (..., task, method); a method without a score, for instance one that failed, shares the last place.
    """
    values = np.asarray(scores, dtype=np.float64)
    return rankdata(-np.where(np.isnan(values), -np.inf, values), axis=-1)


def critical_difference(n_methods: int, n_tasks: int, *, alpha: float = 0.05) -> float:
    """Return the Nemenyi critical difference q sqrt(k (k + 1) / (6 N)) of mean ranks.

    Parameters
    ----------
    n_methods
        k.
    n_tasks
        N.
    alpha
        Level over all pairs of methods.
    """
    q = studentized_range.ppf(1 - alpha, n_methods, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(n_methods * (n_methods + 1) / (6 * n_tasks)))


def rank_methods(scores: pd.DataFrame, *, draws: ArrayLike | None = None, alpha: float = 0.05) -> Ranks:
    """Compare methods by their ranks over tasks (Demsar 2006).

    Tasks are taken as independent. Those of one tissue are not quite, so the critical difference is too small rather
    than too large; the intervals of the mean ranks, where draws are given, resample the tissue that the tasks share.

    Parameters
    ----------
    scores
        (task, method); higher is better, NaN where a method has no score.
    draws
        Scores of bootstrap replicates (replicate, task, method), paired over tasks and methods.
    alpha
        Level.

    Raises
    ------
    InputError
        If there are fewer than two tasks or three methods.
    """
    n, k = scores.shape
    if n < 2 or k < 3:
        msg = f"Ranks over {n} tasks of {k} methods: give two or more tasks and three or more methods."
        raise InputError(msg)
    ranks = task_ranks(scores.to_numpy())
    mean = ranks.mean(axis=0)
    ties = sum(float((count**3 - count).sum()) for count in (np.unique(row, return_counts=True)[1] for row in ranks))
    spread = 12 * n / (k * (k + 1)) * float(((mean - (k + 1) / 2) ** 2).sum())
    untied = 1 - ties / (n * k * (k**2 - 1))
    statistic = spread / untied if untied > 0 else 0.0
    table = pd.DataFrame({"method": scores.columns.astype(str), "mean_rank": mean})
    if draws is not None:
        drawn = task_ranks(draws).mean(axis=1)  # (replicate, method)
        table[["low", "high"]] = [percentile_interval(column) for column in drawn.T]
    table = table.sort_values("mean_rank", kind="stable", ignore_index=True)
    difference = critical_difference(k, n, alpha=alpha)
    return Ranks(
        table=table,
        statistic=statistic,
        p_friedman=float(chi2.sf(statistic, k - 1)),
        p_iman_davenport=_iman_davenport(statistic, n, k),
        critical_difference=difference,
        groups=not_told_apart(table["method"].to_list(), table["mean_rank"].to_numpy(), difference),
        n_tasks=n,
        alpha=alpha,
    )


def _iman_davenport(statistic: float, n: int, k: int) -> float:
    """Return the p of Iman & Davenport's F; 0 where every task has the same order."""
    rest = n * (k - 1) - statistic
    if rest <= 1e-9:
        return 0.0
    return float(f.sf((n - 1) * statistic / rest, k - 1, (k - 1) * (n - 1)))


def not_told_apart(
    methods: Sequence[str], mean_ranks: NDArray[np.float64], difference: float
) -> tuple[tuple[str, ...], ...]:
    """Return the largest runs of two or more methods, sorted by mean rank, that span less than a difference.

    Parameters
    ----------
    methods
        Names, the best first.
    mean_ranks
        Their mean ranks, ascending (method,).
    difference
        The critical difference.
    """
    ends = np.searchsorted(mean_ranks, mean_ranks + difference, side="left")  # first that differs from each
    return tuple(
        tuple(methods[start:end])
        for start, end in enumerate(ends)
        if end - start > 1 and (start == 0 or end > ends[start - 1])
    )
