"""Whether a method cannot read a label or was not trained enough: its curve under more settings and more updates."""

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd

from beyond_alignment.benchmark.curve_grid import run_curves
from beyond_alignment.benchmark.curve_problems import CurveProblems
from beyond_alignment.benchmark.leads import mean_interval
from beyond_alignment.benchmark.problem import Contest
from beyond_alignment.benchmark.scaling_report import curve_points
from beyond_alignment.errors import InputError
from beyond_alignment.fusion.tuning import TRIALS, fit_tuned

Budget = tuple[int, int]
"""Settings to choose among on inner folds, and updates."""
BUDGET = ["n_trials", "steps"]


def budget_name(budget: Budget) -> str:
    """Return a budget in words."""
    n_trials, steps = budget
    return f"{n_trials} setting{'s' * (n_trials > 1)}, {steps:,} updates"


def of_budget(rows: pd.DataFrame, budget: Budget) -> pd.DataFrame:
    """Return the rows of one budget, with the columns that name it."""
    return rows[(rows["n_trials"] == budget[0]) & (rows["steps"] == budget[1])]


def budget_points(
    problems: CurveProblems,
    budgets: Mapping[Budget, Sequence[Contest]],
    *,
    fractions: Sequence[float],
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Return points of learning curves of networks under budgets of their own.

    Parameters
    ----------
    problems
        Where they compete.
    budgets
        Budget -> what is run under it: methods with a network.
    fractions
        Shares of the training spots.
    n_jobs
        Processes.

    Returns
    -------
    pandas.DataFrame
        One row a budget, contest, fraction and metric, as :func:`~beyond_alignment.benchmark.curve_points` gives them,
        with n_trials and steps.

    Raises
    ------
    InputError
        A budget has more settings than there are, or none, or a cell failed.
    """
    parts = []
    for (n_trials, steps), contests in budgets.items():
        if not 1 <= n_trials <= len(TRIALS):
            raise InputError(f"A budget of {n_trials} settings: give 1 to {len(TRIALS)}.")
        run = run_curves(
            problems,
            contests,
            fractions=fractions,
            n_replicates=2,
            fit_many=partial(fit_tuned, trials=TRIALS[:n_trials]),
            options={contest.method: {"steps": steps} for contest in contests},
            n_jobs=n_jobs,
        )
        if len(run.failures):
            first = run.failures.iloc[0]
            raise InputError(f"{first['method']} of {first['task']} cannot be trained: {first['failure']}")
        parts.append(curve_points(run.points).assign(n_trials=n_trials, steps=steps))
    return pd.concat(parts, ignore_index=True)


def budget_gains(points: pd.DataFrame, base: pd.DataFrame) -> pd.DataFrame:
    """Return what each budget adds to the curves that all methods have.

    Parameters
    ----------
    points
        From :func:`budget_points`.
    base
        Points of the same tasks, methods, seeds and fractions under the budget that all methods have, from
        :func:`~beyond_alignment.benchmark.curve_points`.

    Returns
    -------
    pandas.DataFrame
        One row a task, method, budget and fraction: n_train, base and score (means over seeds), gain, low, high (95 %,
        Student's over seeds) and n_seeds.

    Raises
    ------
    InputError
        A point has no counterpart among those of the common budget.
    """
    place = ["task", "split", "method", "seed", "fraction"]
    mine = points[points["metric"] == "macro_f1"].round({"fraction": 6})
    others = base[base["metric"] == "macro_f1"].round({"fraction": 6})[[*place, "value"]]
    both = mine.merge(others, on=place, how="left", suffixes=("", "_base"), validate="many_to_one")
    if both["value_base"].isna().any():
        row = both[both["value_base"].isna()].iloc[0]
        raise InputError(f"{row['method']} of {row['task']}, seed {row['seed']}, has no point of the common budget.")
    found = []
    for (task, method, n_trials, steps, fraction), part in both.groupby(
        ["task", "method", *BUDGET, "fraction"], sort=False
    ):
        gain, low, high = mean_interval(part["value"] - part["value_base"])
        found.append(
            {"task": task, "method": method, "n_trials": n_trials, "steps": steps, "fraction": fraction}
            | {"n_train": float(part["n_train"].mean()), "base": float(part["value_base"].mean())}
            | {"score": float(part["value"].mean()), "gain": gain, "low": low, "high": high, "n_seeds": len(part)}
        )
    return pd.DataFrame(found)
