"""What one expert adds to another, task by task and over all tasks, with paired intervals."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.resampling import percentile_interval

ALL_TASKS = "all tasks"


def genes_as_task(folds: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return the prediction of genes as a task: the mean over the folds of an expert, and of their draws.

    Parameters
    ----------
    folds
        Rows of ``predict_genes`` with columns data_set and expert.
    names
        Data set -> name of the task.
    """
    rows = []
    for (data_set, expert), part in folds.groupby(["data_set", "expert"], sort=False):
        draws = np.mean(np.stack(list(part["draws"])), axis=0)
        low, high = percentile_interval(draws)
        first = part[["split", "reads", "made_from", "same_source"]].iloc[0].to_dict()
        row = {"data_set": data_set, "expert": expert, "task": names[str(data_set)], "metric": "pearson_in_fold"}
        row |= {"main": True, "value": float(part["value"].mean()), "low": low, "high": high, "chance": 0.0}
        rows.append({**row, **first, "n": int(part["n"].sum()), "draws": draws})
    return pd.DataFrame(rows)


def beats(scores: pd.DataFrame, pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Compare experts with references, task by task and over all tasks that both were scored on.

    Parameters
    ----------
    scores
        A row an expert and task, main metric and main split: expert, task, made_from, split, metric, value, and
        ``draws``, in which all experts and tasks of a tissue share the resampled tiles.
    pairs
        Expert and reference.

    Returns
    -------
    pandas.DataFrame
        One row a pair and task and one for the mean over all: expert, reference, task, made_from, split, metric, value,
        reference_value, difference, low, high (95 %, paired), verdict (``better``, ``worse`` or ``not told apart``).

    Raises
    ------
    InputError
        If an expert or a reference was not scored, or the two share no task.
    """
    scored = list(dict.fromkeys(scores["expert"]))
    rows: list[dict[str, Any]] = []
    for expert, other in pairs:
        for name in (expert, other):
            if name not in scored:
                raise InputError(f"There is no score of {name!r}; scored are {', '.join(scored)}.")
        theirs = scores[scores["expert"] == other].set_index("task")
        own = scores[(scores["expert"] == expert) & scores["task"].isin(theirs.index)].set_index("task")
        if own.empty:
            raise InputError(f"{expert!r} and {other!r} share no task: score both on one.")
        theirs = theirs.loc[own.index]
        names = {"expert": expert, "reference": other}
        for task in own.index:
            row = own.loc[task]
            same = {"task": task, "made_from": row["made_from"], "split": row["split"], "metric": row["metric"]}
            rows.append(
                names
                | same
                | _difference(row["value"], theirs.at[task, "value"], row["draws"], theirs.at[task, "draws"])
            )
        mean, other_mean = (float(part["value"].mean()) for part in (own, theirs))
        drawn, other_drawn = (np.mean(np.stack(list(part["draws"])), axis=0) for part in (own, theirs))
        whole = {"task": ALL_TASKS, "made_from": "", "split": "main", "metric": "main"}
        rows.append(names | whole | _difference(mean, other_mean, drawn, other_drawn))
    return pd.DataFrame(rows)


def _difference(
    value: float, other: float, draws: NDArray[np.floating], other_draws: NDArray[np.floating]
) -> dict[str, Any]:
    """Return what one expert scores above another, with its interval and what that says."""
    low, high = percentile_interval(draws.astype(np.float64) - other_draws.astype(np.float64))
    verdict = "better" if low > 0 else "worse" if high < 0 else "not told apart"
    change = {"difference": value - other, "low": low, "high": high, "verdict": verdict}
    return {"value": value, "reference_value": other, **change}


def shipping(scores: pd.DataFrame, references: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Say which experts may be a default: those that beat each of their references over all tasks.

    Parameters
    ----------
    scores
        As in :func:`beats`.
    references
        Expert -> what it has to beat, for instance colour and its own architecture with random weights.

    Returns
    -------
    pandas.DataFrame
        One row an expert and reference: difference, low, high, beaten; ``default`` says whether all were beaten.
    """
    rows = []
    for expert, others in references.items():
        found = beats(scores, [(expert, other) for other in others])
        found = found[found["task"] == ALL_TASKS]
        beaten = found["low"] > 0
        columns = found[["expert", "reference", "value", "reference_value", "difference", "low", "high"]]
        rows.append(columns.assign(beaten=beaten, default=bool(beaten.all())))
    return pd.concat(rows, ignore_index=True)
