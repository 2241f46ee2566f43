"""What following a decision rule costs: the score lost against an oracle, on tasks that the rule never saw."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.benchmark.decision_rules import RULES, Choice
from beyond_alignment.benchmark.decision_table import DecisionTable
from beyond_alignment.benchmark.significance import exchanges, smallest_p
from beyond_alignment.errors import InputError
from beyond_alignment.resampling import percentile_interval, unit_weights

REFERENCE = "always unimodal"
FEWEST = 3


@dataclass(frozen=True, eq=False)
class Regret:
    """Score lost by rules on held-out tasks.

    Attributes
    ----------
    summary
        One row a rule, the least regret first: rule, regret (mean over tasks), low, high (95 %, tasks resampled),
        worst (largest regret of a task), saved (regret of the reference less its own), saved_low, saved_high, p
        (two-sided, signs of whole tasks flipped) and n_tasks. The row of the reference has saved 0 and p 1.
    points
        One row a rule, task and size: rule, task, n, score, oracle, regret.
    reference
        Rule that the others are compared with.
    smallest_p
        The smallest p that so many tasks can give.
    """

    summary: pd.DataFrame
    points: pd.DataFrame
    reference: str
    smallest_p: float


def judge_rules(
    table: DecisionTable,
    *,
    rules: Mapping[str, Choice] = RULES,
    reference: str = REFERENCE,
    n_bootstrap: int = 2000,
    n_permutations: int = 10_000,
    seed: int = 0,
) -> Regret:
    """Judge decision rules by leaving each task out in turn.

    Whatever a rule learns, it learns from the other tasks. The regret of a task is the mean over its sizes, and tasks
    count the same. The oracle takes the best method at each point by the scores that it is judged by, so that all
    regrets are somewhat too large, by the same amount. The better unimodal path is likewise known to every rule that
    advises it. A rule that needs a share of interaction is left out where a task has none.

    Parameters
    ----------
    table
        From :func:`decision_table`.
    rules
        Name -> rule.
    reference
        Rule that the others are compared with.
    n_bootstrap
        Resamples of tasks.
    n_permutations
        Flips of signs, where tasks are too many for all of them.
    seed
        Of both.

    Raises
    ------
    InputError
        There are fewer than three tasks, or no such reference.
    """
    n_tasks = len(table.tasks)
    if n_tasks < FEWEST:
        raise InputError(f"There are {n_tasks} tasks; pass {FEWEST} or more, for each is left out in turn.")
    known = bool(np.isfinite(table.interaction).all())
    used = {name: rule for name, rule in rules.items() if known or name != "fitted on interaction"}
    if reference not in used:
        raise InputError(f"There is no rule {reference!r} to compare with; choose one of {', '.join(used)}.")
    lost = {name: table.oracle - _held_out(table, rule) for name, rule in used.items()}
    by_task = {name: table.of(values) for name, values in lost.items()}
    weights = unit_weights(n_tasks, n_bootstrap=n_bootstrap, seed=seed) / n_tasks
    signs = 1 - 2 * exchanges(n_tasks, n_permutations=n_permutations, seed=seed)
    rows = []
    for name, values in by_task.items():
        saved = by_task[reference] - values
        interval = dict(zip(("low", "high"), percentile_interval(weights @ values), strict=True))
        saved_low, saved_high = percentile_interval(weights @ saved)
        rows.append(
            {"rule": name, "regret": float(values.mean())} | interval | {"worst": float(values.max())}
            | {"saved": float(saved.mean()), "saved_low": saved_low, "saved_high": saved_high}
            | {"p": _flip_p(saved, signs), "n_tasks": n_tasks}
        )  # fmt: skip
    summary = pd.DataFrame(rows).sort_values("regret", kind="stable", ignore_index=True)
    return Regret(summary, _points(table, lost), reference, smallest_p(n_tasks))


def _held_out(table: DecisionTable, rule: Choice) -> NDArray[np.float64]:
    """Return the scores of a rule (point,), each task judged by what the others taught."""
    found = np.empty(len(table.n))
    for task in range(len(table.tasks)):
        found[table.task == task] = rule(table.without(task), table.only([task]))
    return found


def _flip_p(differences: NDArray[np.float64], signs: NDArray[np.float64]) -> float:
    """Return the two-sided p of the mean difference over tasks being zero, signs of whole tasks flipped."""
    size = np.abs(signs @ differences)
    return float(np.mean(size >= size[0] * (1 - 1e-9) - 1e-12))


def _points(table: DecisionTable, lost: Mapping[str, NDArray[np.float64]]) -> pd.DataFrame:
    """Return one row a rule, task and size."""
    oracle = table.oracle
    parts = [
        pd.DataFrame(
            {"rule": name, "task": np.array(table.tasks)[table.task], "n": table.n, "score": oracle - values}
            | {"oracle": oracle, "regret": values}
        )
        for name, values in lost.items()
    ]
    return pd.concat(parts, ignore_index=True)
