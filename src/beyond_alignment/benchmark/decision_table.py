"""Scores of what a decision rule can advise, task by task and size by size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.benchmark.scoreboard import UNIMODAL
from beyond_alignment.errors import InputError

Action = Literal["unimodal", "concat", "simple", "attention"]
ACTIONS: tuple[Action, ...] = ("unimodal", "concat", "simple", "attention")
METHODS: Mapping[Action, tuple[str, ...]] = {
    "unimodal": UNIMODAL,
    "concat": ("concat",),
    "simple": ("low_rank",),
    "attention": ("cross_attention", "bottleneck"),
}
"""Methods that each advice names."""
COLUMNS = ("task", "n", "seed", "method", "score")


@dataclass(frozen=True, eq=False)
class DecisionTable:
    """Mean scores over seeds of what can be chosen at each point, a task at a size.

    Attributes
    ----------
    tasks
        Names of the tasks, in order.
    task, n
        Place in `tasks` and paired training spots of each point (point,).
    sis, interaction
        Score and share of interaction of each task (task,); NaN where it was not measured.
    methods
        Names of the methods.
    scores
        (point, method).
    actions
        Score of each of `ACTIONS` (point, action): the better unimodal path, and the mean of the methods where an
        advice names several.
    """

    tasks: tuple[str, ...]
    task: NDArray[np.intp]
    n: NDArray[np.float64]
    sis: NDArray[np.float64]
    interaction: NDArray[np.float64]
    methods: tuple[str, ...]
    scores: NDArray[np.float64]
    actions: NDArray[np.float64]

    @property
    def oracle(self) -> NDArray[np.float64]:
        """Score of the best method at each point (point,), which knows the scores that it is judged by."""
        return self.scores.max(axis=1)

    def feature(self, name: str) -> NDArray[np.float64]:
        """Return ``sis`` or ``interaction`` of each point (point,)."""
        return (self.sis if name == "sis" else self.interaction)[self.task]

    def of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean of each task's points (task,)."""
        return np.bincount(self.task, values, len(self.tasks)) / np.bincount(self.task, minlength=len(self.tasks))

    def only(self, tasks: Sequence[int]) -> "DecisionTable":
        """Return the table of some tasks, by their places in ascending order."""
        keep = np.isin(self.task, tasks)
        return DecisionTable(
            tuple(self.tasks[place] for place in tasks),
            np.searchsorted(tasks, self.task[keep]),
            self.n[keep],
            self.sis[list(tasks)],
            self.interaction[list(tasks)],
            self.methods,
            self.scores[keep],
            self.actions[keep],
        )

    def without(self, task: int) -> "DecisionTable":
        """Return the table of the other tasks."""
        return self.only([place for place in range(len(self.tasks)) if place != task])


def decision_table(
    scores: pd.DataFrame, information: pd.DataFrame, *, methods: Mapping[Action, Sequence[str]] = METHODS
) -> DecisionTable:
    """Lay out the scores of what a rule can advise.

    Parameters
    ----------
    scores
        One row a task, size, seed and method: task, n (paired training spots), seed, method, score; all of one metric.
        Every method has a score for every seed of a point.
    information
        One row a task: task, sis, and interaction (share of synergy by interaction) where it is known.
    methods
        Methods that each of `ACTIONS` names; put fine-tuned experts among the unimodal ones.

    Raises
    ------
    InputError
        A column, a task's score or a method is missing, a row occurs twice, or a number is not finite.
    """
    _check(scores, information, methods)
    wide = scores.pivot_table(index=["task", "n"], columns="method", values="score", sort=True)
    known = information.set_index("task")
    tasks = tuple(dict.fromkeys(wide.index.get_level_values("task")))
    names = list(wide.columns)
    values = wide.to_numpy(dtype=np.float64)
    parts = []
    for action in ACTIONS:
        chosen = values[:, [names.index(name) for name in methods[action]]]
        parts.append(chosen.max(axis=1) if action == "unimodal" else chosen.mean(axis=1))
    unknown = pd.Series(np.nan, index=known.index)
    return DecisionTable(
        tasks,
        np.searchsorted(np.array(tasks), wide.index.get_level_values("task").to_numpy(dtype=str)),
        wide.index.get_level_values("n").to_numpy(dtype=np.float64),
        known.loc[list(tasks), "sis"].to_numpy(dtype=np.float64),
        known.get("interaction", unknown).loc[list(tasks)].to_numpy(dtype=np.float64),
        tuple(map(str, names)),
        values,
        np.column_stack(parts),
    )


def _check(scores: pd.DataFrame, information: pd.DataFrame, methods: Mapping[Action, Sequence[str]]) -> None:
    """Refuse tables from which a rule would be judged on part of the methods or tasks."""
    missing = [name for name in COLUMNS if name not in scores] + [
        f"{n} of tasks" for n in ("task", "sis") if n not in information
    ]
    if missing or scores.empty:
        raise InputError(f"The tables lack {', '.join(missing) or 'rows'}; pass {', '.join(COLUMNS)}, and task, sis.")
    if scores.duplicated(list(COLUMNS[:4])).any() or information["task"].duplicated().any():
        raise InputError("A task, size, seed and method, or a task's SIS, occurs twice; pass one row of each.")
    if not np.isfinite(scores[["n", "score"]].to_numpy(dtype=np.float64)).all() or (scores["n"] <= 0).any():
        raise InputError(
            "A score is not finite, or a size is not a positive number; leave such points out for all methods."
        )
    present = set(scores["method"])
    if absent := [name for action in ACTIONS for name in methods.get(action, ("",)) if name not in present]:
        raise InputError(
            f"No scores of {', '.join(absent)}; pass them, or other methods for the advice that names them."
        )
    runs = scores.groupby(["task", "n"])
    whole = runs["seed"].nunique() * len(present)
    if (runs.size() != whole).any():
        task, n = (runs.size() != whole).idxmax()
        raise InputError(f"Not every method has every seed of {task} at {n:g} spots; leave that point or method out.")
    known = information.set_index("task")["sis"]
    if gone := sorted(set(scores["task"]) - set(known.dropna().index)):
        raise InputError(f"No SIS of {', '.join(map(str, gone))}; give one, or leave the task out.")
