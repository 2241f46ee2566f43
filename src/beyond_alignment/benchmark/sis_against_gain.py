"""Whether the tasks with more synergy are those on which fusion gains more: Spearman's correlation over tasks."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from beyond_alignment.errors import InputError
from beyond_alignment.resampling import percentile_interval

ONE_MODALITY = ("expression", "morphology")
"""What labels of a task that is never headlined are made from."""
FEWEST = 4
N_BOOTSTRAP = 2000
LEFT_OUT = 0.025
"""Share of the resamples that the interval leaves out on a side."""


@dataclass(frozen=True)
class TaskRelation:
    """Spearman's correlation of two scores over tasks.

    Attributes
    ----------
    value
        The correlation.
    low, high
        95 % interval over resampled tasks: what another handful of such tasks could have shown. -1 and 1 where more
        resamples than the interval leaves out on a side hold one value of a score alone, and order nothing.
    p
        Two-sided, over permutations of the tasks.
    n
        Number of tasks.
    """

    value: float
    low: float
    high: float
    p: float
    n: int


def relate_gain(
    table: pd.DataFrame,
    *,
    leave_out: Collection[str] = ONE_MODALITY,
    n_permutations: int = 10_000,
    seed: int = 0,
) -> TaskRelation:
    """Correlate the synergistic information score with the gain of fusion over tasks.

    Parameters
    ----------
    table
        One row a task: task, sis, gain, made_from; rows without a score or gain do not count.
    leave_out
        What a task must not be made from to count; nothing is left out when empty.
    n_permutations
        Permutations behind p.
    seed
        Of both.

    Raises
    ------
    InputError
        If fewer than four tasks are left, a task occurs twice, or a score is the same for all of them.
    """
    used = table[~table["made_from"].isin(list(leave_out))].dropna(subset=["sis", "gain"])
    values = used[["sis", "gain"]].to_numpy(dtype=np.float64)
    if used["task"].duplicated().any():
        raise InputError("A task occurs twice; pass one row a task, for instance of one split.")
    if len(values) < FEWEST or (np.ptp(values, axis=0) == 0).any():
        why = "one of which is the same for all" if len(values) >= FEWEST else f"and at least {FEWEST} are needed"
        raise InputError(f"{len(values)} tasks with a score and a gain, {why}: there is no order to compare.")
    rng = np.random.default_rng(seed)
    drawn: list[NDArray[np.float64]] = []
    while sum(map(len, drawn)) < N_BOOTSTRAP:
        resampled = values[rng.integers(0, len(values), (N_BOOTSTRAP, len(values)))]  # (draw, task, score)
        drawn.append(resampled[(np.ptp(resampled, axis=1) > 0).all(axis=1)])
    low, high = percentile_interval(spearman(np.concatenate(drawn)[:N_BOOTSTRAP]))
    if len(drawn[0]) < (1 - LEFT_OUT) * N_BOOTSTRAP:
        low, high = -1.0, 1.0
    found = float(spearman(values[None])[0])
    shuffled = np.repeat(values[None], n_permutations, axis=0)
    shuffled[..., 1] = rng.permuted(shuffled[..., 1], axis=1)
    extreme = (np.abs(spearman(shuffled)) >= abs(found) - 1e-12).sum()
    return TaskRelation(found, low, high, float((1 + extreme) / (1 + n_permutations)), len(values))


def beside_sis(gains: pd.DataFrame, tables: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Put the share of synergy beside the gain of fusion, task by task and field of view by field of view.

    Parameters
    ----------
    gains
        From :func:`beyond_alignment.benchmark.field_gains`.
    tables
        Field of view that was asked for, microns -> table of
        :func:`beyond_alignment.benchmark.tissue_decompositions`. A data set that was embedded at other fields is in the
        widest one's, decomposed at its own widest.

    Returns
    -------
    pandas.DataFrame
        The gains with sis, sis_low and sis_high; rows without a decomposition are left out.
    """
    widest = gains.groupby("task")["field_um"].max()
    rows = []
    for row in gains.to_dict(orient="records"):
        task, field = row["task"], row["field_um"]
        asked = [field, max(tables)] if field == widest[task] else [field]
        for table in (tables[one].set_index("task") for one in asked if one in tables):
            if task in table.index:
                rows.append(row | table.loc[task, ["sis", "sis_low", "sis_high"]].to_dict())
                break
    return pd.DataFrame(rows)


def spearman(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Spearman's correlation of each draw.

    Parameters
    ----------
    values
        (draw, task, 2); ties share their mean rank.
    """
    ranks = rankdata(values, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    return ranks.prod(axis=2).sum(axis=1) / np.sqrt((ranks**2).sum(axis=1).prod(axis=1))
