"""What decision rules lose where networks have another budget of training than the common one."""

from collections.abc import Sequence

import pandas as pd

from beyond_alignment.benchmark.regret import judge_rules
from beyond_alignment.benchmark.scaling_report import points_to_judge
from beyond_alignment.benchmark.training_budget import BUDGET, Budget, budget_name, of_budget
from beyond_alignment.errors import InputError


def with_budget(base: pd.DataFrame, points: pd.DataFrame, budget: Budget) -> pd.DataFrame:
    """Return the points of the tasks and seeds of a budget, its networks in the place of those of the common budget.

    Parameters
    ----------
    base
        Points under the common budget. Leave out networks that the budget does not have, lest two budgets be compared.
    points
        From :func:`budget_points`.
    budget
        Which one.
    """
    mine = of_budget(points, budget).drop(columns=BUDGET)
    here = base["task"].isin(set(mine["task"])) & base["seed"].isin(set(mine["seed"]))
    return pd.concat([base[here & ~base["method"].isin(set(mine["method"]))], mine], ignore_index=True)


def regret_by_budget(
    base: pd.DataFrame,
    points: pd.DataFrame,
    information: pd.DataFrame,
    *,
    common: Budget,
    budget: Budget,
    unimodal: Sequence[str],
    seed: int = 0,
) -> pd.DataFrame:
    """Judge decision rules on the same tasks, methods and seeds under the common budget and under another one.

    Parameters
    ----------
    base, points
        As for :func:`with_budget`.
    information
        One row a task: task, sis, interaction.
    common, budget
        Both budgets; networks that `budget` does not have in `points` are left out of `base` by the caller.
    unimodal
        Single paths.
    seed
        Of the resamples of tasks.

    Returns
    -------
    pandas.DataFrame
        The summary of :func:`~beyond_alignment.benchmark.judge_rules`, a row a budget and rule, with ``budget`` in
        words.

    Raises
    ------
    InputError
        No task has the budget.
    """
    other = with_budget(base, points, budget)
    same = base[base["task"].isin(set(other["task"])) & base["seed"].isin(set(other["seed"]))]
    if same.empty:
        raise InputError(f"No task has networks of {budget_name(budget)}; run some first.")
    parts = [
        judge_rules(points_to_judge(rows, information, unimodal=unimodal), seed=seed).summary.assign(
            budget=budget_name(name)
        )
        for name, rows in ((common, same), (budget, other))
    ]
    return pd.concat(parts, ignore_index=True)
