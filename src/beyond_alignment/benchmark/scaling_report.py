"""From points of learning curves to what a reader asks: which rule to follow, what compute buys, when fusion pays."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from beyond_alignment.benchmark.crossover import Crossover, Outcome
from beyond_alignment.benchmark.decision_table import METHODS, Action, DecisionTable, decision_table
from beyond_alignment.benchmark.leads import mean_interval
from beyond_alignment.benchmark.scaling_tables import Curve
from beyond_alignment.benchmark.scoreboard import UNIMODAL
from beyond_alignment.errors import InputError
from beyond_alignment.information.advice import HIGH_SIS, MATERIAL

POINT_COLUMNS = ("task", "split", "method", "seed", "fraction", "n_train", "metric", "value", "seconds")


def curve_points(*parts: pd.DataFrame) -> pd.DataFrame:
    """Return the points of several runs as one table, without their replicates.

    Parameters
    ----------
    parts
        From :func:`~beyond_alignment.benchmark.run_curves` and the fine-tuned experts; empty ones are passed over.

    Returns
    -------
    pandas.DataFrame
        One row a task, split, method, seed, fraction and metric: n_train, value, seconds.
    """
    held = [part[list(POINT_COLUMNS)] for part in parts if len(part)]
    if not held:
        raise InputError("There are no points of learning curves; run some first.")
    return pd.concat(held, ignore_index=True)


def points_to_judge(
    points: pd.DataFrame,
    information: pd.DataFrame,
    *,
    unimodal: Sequence[str] = UNIMODAL,
) -> DecisionTable:
    """Lay out the points that decision rules are judged on.

    Of an advice that names several methods, those that the points hold are used; a method that some task lacks is left
    out everywhere, so that tasks compare.

    Parameters
    ----------
    points
        From :func:`curve_points`.
    information
        One row a task: task, sis, interaction. Tasks without a row are left out.
    unimodal
        Unimodal paths, fine-tuned experts or their surrogates among them.

    Raises
    ------
    InputError
        The points lack a method of an advice.
    """
    known = set(information["task"])
    rows = points[(points["metric"] == "macro_f1") & points["task"].isin(known)]
    by_task = rows.groupby("task")["method"].agg(set)
    if by_task.empty:
        raise InputError("No task has both points of macro_f1 and an SIS; pass the decomposition of these tasks.")
    everywhere = set.intersection(*by_task)
    named: dict[Action, tuple[str, ...]] = {**METHODS, "unimodal": tuple(unimodal)}
    methods = {action: tuple(name for name in named[action] if name in everywhere) for action in named}
    if lacking := [action for action, names in methods.items() if not names]:
        raise InputError(f"No method of the advice {', '.join(lacking)} has points on every task; run one of them.")
    used = rows[rows["method"].isin(everywhere)]
    scores = used.rename(columns={"n_train": "n", "value": "score"})[["task", "n", "seed", "method", "score"]]
    return decision_table(scores, information, methods=methods)


def pareto_table(points: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Return score with the most training spots beside cost, a row a method that has points of every task by one seed.

    Parameters
    ----------
    points
        From :func:`curve_points`.
    costs
        One row a method: method, parameters, operations, seconds.

    Returns
    -------
    pandas.DataFrame
        method, score (mean over tasks and the seeds that all of them have), low, high (95 %, Student's over seeds of
        the mean over tasks; the spread between tasks is not in it), the costs, n_tasks and n_seeds.
    """
    whole = at_most_spots(points, metric="macro_f1")
    rows = []
    for method, part in whole.groupby("method", sort=False):
        if method not in set(costs["method"]) or part["task"].nunique() < whole["task"].nunique():
            continue
        scores = part.pivot_table(index="seed", columns="task", values="value").dropna()
        if scores.empty:
            continue
        mean, low, high = mean_interval(scores.mean(axis=1))
        cost = costs[costs["method"] == method].iloc[0][["seconds", "parameters", "operations"]].astype(float).to_dict()
        sizes = {"n_tasks": scores.shape[1], "n_seeds": len(scores)}
        rows.append({"method": method, "score": mean, "low": low, "high": high} | cost | sizes)
    return pd.DataFrame(rows)


def at_most_spots(points: pd.DataFrame, *, metric: str = "macro_f1") -> pd.DataFrame:
    """Return the points of one metric at the largest size of each task.

    Parameters
    ----------
    points
        From :func:`curve_points`.
    metric
        The score.
    """
    rows = points[points["metric"] == metric]
    return rows[rows["fraction"] == rows.groupby("task")["fraction"].transform("max")]


def crossings_by_sis(found: Mapping[Curve, Mapping[str, Crossover]], information: pd.DataFrame) -> pd.DataFrame:
    """Return each crossing of points beside the SIS of its task.

    Parameters
    ----------
    found
        From :func:`~beyond_alignment.benchmark.find_crossovers`.
    information
        One row a task: task, sis, interaction; tasks without a row are left out.

    Returns
    -------
    pandas.DataFrame
        One row a task and method: sis, interaction, outcome (``crosses``, or an outcome in words), n (spots, NaN
        without a crossing), leads (whether the curve is above the unimodal one at the end of the range in all but
        2.5 % of the replicates, shared out over the fusions of the task), words, smallest and largest.
    """
    known = information.set_index("task")
    fusions = Counter(task for task, _, _ in found)
    rows = []
    for (task, _, method), ways in found.items():
        if task not in known.index:
            continue
        one = ways["points"]
        crosses = not isinstance(one.value, Outcome)
        rows.append(
            {"task": task, "method": method, "sis": float(known.loc[task, "sis"])}
            | {"interaction": float(known.loc[task, "interaction"])}
            | {"outcome": "crosses" if crosses else str(one.value), "n": one.value if crosses else np.nan}
            | {"leads": one.share_never < 0.025 / fusions[task], "words": one.words}
            | {"smallest": one.smallest, "largest": one.largest}
        )
    return pd.DataFrame(rows)


def leading_by_score(crossings: pd.DataFrame) -> pd.DataFrame:
    """Say of each task on which side of the bounds its SIS lies, and whether a fusion leads there.

    The score is rounded to three digits, so that an estimate of a true 0.1 does not fall on either side by chance.

    Parameters
    ----------
    crossings
        From :func:`crossings_by_sis`.

    Returns
    -------
    pandas.DataFrame
        One row a task, indexed by its name: sis, side (``low`` up to what is material, ``high`` from where the
        published rule calls a score high, else ``between``), leads (whether some fusion leads the best single path at
        the end of the range) and first (the fewest spots from which one of these leads, 0 where from the smallest size
        on, NaN without a lead).
    """
    tasks = crossings.groupby("task", sort=False)
    score = tasks["sis"].first().round(3)
    leading = crossings[crossings["leads"]].fillna({"n": 0.0}).groupby("task")["n"].min()
    side = np.select([score <= MATERIAL, score >= HIGH_SIS], ["low", "high"], "between")
    return pd.DataFrame(
        {"sis": score, "side": side, "leads": tasks["leads"].any(), "first": leading.reindex(score.index)}
    )


def area_under_curve(points: pd.DataFrame, *, metric: str = "macro_f1") -> pd.DataFrame:
    """Return the mean score over log n of each curve, a measure of how well a method does with little.

    Parameters
    ----------
    points
        From :func:`curve_points`.
    metric
        The score.

    Returns
    -------
    pandas.DataFrame
        One row a task, method and seed: area, score units.
    """
    rows = []
    for (task, method, seed), part in points[points["metric"] == metric].groupby(
        ["task", "method", "seed"], sort=False
    ):
        ordered = part.sort_values("n_train")
        x, y = np.log(ordered["n_train"].to_numpy()), ordered["value"].to_numpy()
        area = float(np.trapezoid(y, x) / (x[-1] - x[0])) if len(x) > 1 else float(y[0])
        rows.append({"task": task, "method": method, "seed": seed, "area": area})
    return pd.DataFrame(rows)
