"""Every method against the better expert on every task: one table with intervals, tests and effect sizes."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.benchmark.metrics import MAIN_METRIC, Statistics, statistics, tile_weights
from beyond_alignment.benchmark.predictions import Predictions
from beyond_alignment.benchmark.problem import Contest
from beyond_alignment.benchmark.scoreboard import UNIMODAL
from beyond_alignment.benchmark.significance import compare_two, exchange_p, exchanges, holm, smallest_p
from beyond_alignment.study import each
from beyond_alignment.tasks import get_task

FIELD = ["task", "split", "expression", "morphology"]
ALPHA = 0.05
FEWEST_EXCHANGES = 2000

Scored = Sequence[tuple[Contest, Predictions | None]]
Runs = dict[str, list[Predictions]]


def by_task(found: Scored) -> dict[tuple[str, str, str, str], Runs]:
    """Return the runs of each task, split and pair of experts: method -> its predictions by seed.

    A method without predictions for some seed, because it failed there, is left out of that task.
    """
    grouped: dict[tuple[str, str, str, str], dict[str, dict[int, Predictions | None]]] = {}
    for contest, predictions in found:
        field = contest.task, str(contest.split), contest.expression, contest.morphology
        grouped.setdefault(field, {}).setdefault(contest.method, {})[contest.seed] = predictions
    whole: dict[tuple[str, str, str, str], Runs] = {}
    for field, methods in grouped.items():
        seeds = sorted(set().union(*methods.values()))
        whole[field] = {
            method: [run for seed in seeds if (run := runs.get(seed)) is not None]
            for method, runs in methods.items()
            if all(runs.get(seed) is not None for seed in seeds)
        }
    return whole


def compare_with_experts(
    found: Scored,
    *,
    n_replicates: int = 1000,
    n_permutations: int | None = None,
    seed: int = 0,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Compare every fusion with the better of its two experts, task by task.

    The better expert is the one with the higher mean over seeds. Intervals resample tiles within sections, p exchanges
    tiles, p_group whole held-out groups (donors, sections or blocks); p_holm corrects p over all rows.

    Parameters
    ----------
    found
        Contests with their predictions, None where a method failed.
    n_replicates
        Bootstrap replicates.
    n_permutations
        Exchanges where there are too many units to try all; when None as many as :func:`enough` says.
    seed
        Of replicates and exchanges.
    n_jobs
        Processes, which share out the tasks; -1 for one a core.

    Returns
    -------
    pandas.DataFrame
        One row a task, split, pair of experts and method: made_from, metric, value (mean over seeds), seed_sd, n_seeds,
        expert (the better one), difference, low, high, p, p_holm, p_group, smallest_p_group, n_tiles, n_groups, effect,
        effect_low, effect_high, verdict (``better``, ``worse`` or ``not told apart``, by p_holm).
    """
    fields = {field: runs for field, runs in by_task(found).items() if set(UNIMODAL) <= set(runs)}
    exchanged = n_permutations or enough(sum(len(runs) - len(UNIMODAL) for runs in fields.values()))
    compute = partial(_compare, n_replicates=n_replicates, n_permutations=exchanged, seed=seed)
    tasks = [{"field": field, "runs": runs} for field, runs in fields.items()]
    found_of = dict(each(compute, tasks, n_jobs=n_jobs, what="comparisons"))
    return with_verdicts(pd.DataFrame(row for i in range(len(tasks)) for row in found_of[i]))


def enough(n_tests: int) -> int:
    """Return how many exchanges let the smallest p pass Holm's correction: ten times the tests over the level.

    Parameters
    ----------
    n_tests
        Rows that are corrected together.
    """
    return max(FEWEST_EXCHANGES, round(10 * n_tests / ALPHA))


def with_verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Correct p over all rows by Holm's method, and say for each whether its difference is told apart from zero.

    Parameters
    ----------
    table
        difference and p; may be empty.

    Returns
    -------
    pandas.DataFrame
        The rows with p_holm beside p, and verdict: ``better``, ``worse`` or ``not told apart``.
    """
    if table.empty:
        return table
    table.insert(table.columns.get_loc("p") + 1, "p_holm", holm(table["p"]))
    sure, ahead, behind = table["p_holm"] <= ALPHA, table["difference"] > 0, table["difference"] < 0
    return table.assign(verdict=np.select([sure & ahead, sure & behind], ["better", "worse"], "not told apart"))


def _compare(
    field: tuple[str, str, str, str],
    runs: Mapping[str, list[Predictions]],
    *,
    n_replicates: int,
    n_permutations: int,
    seed: int,
) -> list[dict[str, object]]:
    """Return the rows of one task."""
    task, any_run = get_task(field[0]), next(iter(runs.values()))[0]
    metric = MAIN_METRIC[task.kind]
    weights = tile_weights(any_run.tiles, any_run.strata, n_replicates=n_replicates, seed=seed)
    tiles = {method: [statistics(run) for run in of] for method, of in runs.items()}
    groups = {method: [statistics(run, run.folds) for run in of] for method, of in runs.items()}
    scores = {method: _scores(of, metric) for method, of in tiles.items()}
    best = max(UNIMODAL, key=lambda method: float(scores[method].mean()))
    swaps = exchanges(len(tiles[best][0].names), n_permutations=n_permutations, seed=seed)
    n_groups = len(groups[best][0].names)
    whole = exchanges(n_groups, n_permutations=n_permutations, seed=seed)
    rows: list[dict[str, object]] = []
    for method in (name for name in runs if name not in UNIMODAL):
        change = compare_two(tiles[method], tiles[best], metric, weights=weights, swaps=swaps)
        rows.append(
            dict[str, object](zip(FIELD, field, strict=True))
            | {"made_from": task.made_from, "method": method, "metric": metric}
            | {"value": float(scores[method].mean()), "seed_sd": _spread(scores[method])}
            | {"n_seeds": len(scores[method]), "expert": best, "expert_value": float(scores[best].mean())}
            | {"difference": change.value, "low": change.low, "high": change.high, "p": change.p}
            | {"p_group": exchange_p(groups[method], groups[best], metric, whole)}
            | {"smallest_p_group": smallest_p(n_groups), "n_tiles": change.n_units, "n_groups": n_groups}
            | {"effect": change.effect, "effect_low": change.effect_low, "effect_high": change.effect_high}
        )
    return rows


def _scores(runs: Sequence[Statistics], metric: str) -> NDArray[np.float64]:
    """Return the score of each seed (seed,)."""
    return np.array([float(run.read(run.values.sum(axis=0, keepdims=True))[metric][0]) for run in runs])


def _spread(values: NDArray[np.float64]) -> float:
    """Return the standard deviation over seeds; NaN for one."""
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")


def score_draws(
    found: Scored, *, n_replicates: int = 500, seed: int = 0
) -> tuple[pd.DataFrame, NDArray[np.float64], list[tuple[str, str, str, str]]]:
    """Return the scores of the methods on each task and bootstrap draws of them, to rank them with.

    Parameters
    ----------
    found
        Contests with their predictions, None where a method failed.
    n_replicates
        Bootstrap replicates; tiles within sections.
    seed
        Of the replicates.

    Returns
    -------
    tuple
        Scores (task, method), NaN where a method failed; draws (replicate, task, method); and the tasks with split and
        experts, in order.
    """
    fields = by_task(found)
    methods = list(dict.fromkeys(contest.method for contest, _ in found))
    drawn = np.full((n_replicates + 1, len(fields), len(methods)), np.nan)
    for row, (field, runs) in enumerate(fields.items()):
        metric = MAIN_METRIC[get_task(field[0]).kind]
        for method, of in runs.items():
            weights = tile_weights(of[0].tiles, of[0].strata, n_replicates=n_replicates, seed=seed)
            draws = np.mean([statistics(run).scores(weights)[metric] for run in of], axis=0)
            drawn[:, row, methods.index(method)] = draws
    names = [" | ".join(field) for field in fields]
    return pd.DataFrame(drawn[0], index=names, columns=methods), drawn[1:], list(fields)


def verdict_sentence(table: pd.DataFrame) -> str:
    """Say in one sentence whether any fusion beats the better expert.

    Parameters
    ----------
    table
        From :func:`compare_with_experts`, or some of its rows.
    """
    if table.empty:
        return "No fusion was compared with an expert here."
    tasks, ahead = table["task"].nunique(), table[table["verdict"] == "better"]
    tested = f"{table['method'].nunique()} methods on {tasks} task{'s' if tasks > 1 else ''}, Holm-corrected"
    if ahead.empty:
        return f"No method beats the better expert here ({tested})."
    top = ahead.sort_values("difference").iloc[-1]
    lead = f"{top['difference']:+.3f} ({top['low']:.3f} to {top['high']:.3f})"
    return (
        f"Of {tested}, {ahead['method'].nunique()} beat the better expert on {ahead['task'].nunique()}; "
        f"the largest lead is that of {top['method']} on {top['task']}: {lead}."
    )
