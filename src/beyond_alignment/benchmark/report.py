"""What the benchmark page reads off its scoreboard."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from beyond_alignment.benchmark.plan import field_um
from beyond_alignment.benchmark.predictions import Predictions
from beyond_alignment.benchmark.problem import Contest
from beyond_alignment.benchmark.scoreboard import Scoreboard, chance_macro_f1, gains
from beyond_alignment.experts.embed import field_name
from beyond_alignment.resampling import percentile_interval
from beyond_alignment.tasks import get_task

MAIN_EXPRESSION, MAIN_MORPHOLOGY = "pca", "mobilenetv2"


def main_contests(board: Scoreboard) -> Scoreboard:
    """Keep the main pair of experts: principal components, and the network at the widest field of its data set.

    Parameters
    ----------
    board
        Scores of all contests.
    """
    table = board.table
    names = table.loc[table["morphology"].str.startswith(MAIN_MORPHOLOGY), ["task", "morphology"]].drop_duplicates()
    widest = names.assign(field=names["morphology"].map(field_um)).sort_values("field").groupby("task").last()
    chosen = widest["morphology"]

    def keep(frame: pd.DataFrame) -> pd.DataFrame:
        main = (frame["morphology"] == frame["task"].map(chosen)) & (frame["expression"] == MAIN_EXPRESSION)
        return frame[main & (frame["seed"] == 0)].reset_index(drop=True)

    return replace(board, table=keep(table), replicates=keep(board.replicates))


def main_gains(board: Scoreboard) -> pd.DataFrame:
    """Return the gain of concatenation over the better expert, task by task, for every metric.

    Parameters
    ----------
    board
        Scores of the contests of one pair of experts a task.
    """
    parts = []
    for metric in board.table["metric"].unique():
        table = gains(board.replicates, fused="concat", metric=metric)
        size = board.table[board.table["metric"] == metric].drop_duplicates(["task", "split"])
        table = table.merge(size[["task", "split", "made_from", "n"]], on=["task", "split"])
        parts.append(table.assign(metric=metric))
    return pd.concat(parts, ignore_index=True)


def field_gains(board: Scoreboard) -> pd.DataFrame:
    """Return the gain of concatenation over the better expert at every field of view, under each task's main split.

    Parameters
    ----------
    board
        Scores of all contests.

    Returns
    -------
    pandas.DataFrame
        One row a task and field of the main pair of experts: task, made_from, field_um, gain, gain_low, gain_high.
    """
    drawn = board.replicates
    main = drawn["morphology"].str.startswith(f"{MAIN_MORPHOLOGY}_") & (drawn["expression"] == MAIN_EXPRESSION)
    found = gains(drawn[main & (drawn["seed"] == 0)].dropna(subset=["concat"]), fused="concat", metric="macro_f1")
    found = found[found["split"] == found["task"].map(lambda name: get_task(name).splits[0])]
    return pd.DataFrame(
        {
            "task": found["task"],
            "made_from": found["task"].map(lambda name: get_task(name).made_from),
            "field_um": found["morphology"].map(field_um),
            "gain": found["gain"],
            "gain_low": found["low"],
            "gain_high": found["high"],
        }
    ).reset_index(drop=True)


def chance_levels(
    contests: Sequence[Contest], predictions: Sequence[Predictions], *, seed: int = 0
) -> dict[str, float]:
    """Return the macro-F1 of guessing by the class frequencies of training, under each task's main split.

    Parameters
    ----------
    contests
        What was run.
    predictions
        Their predictions, in order.
    seed
        Of the guesses.
    """
    levels: dict[str, float] = {}
    for contest, found in zip(contests, predictions, strict=True):
        main = get_task(contest.task).splits[0]
        if contest.split == main and found.classes and contest.task not in levels:
            levels[contest.task] = chance_macro_f1(found, seed=seed)[0]
    return levels


def by_field(board: Scoreboard, *, tasks: Sequence[str], split: str, metric: str) -> pd.DataFrame:
    """Return the scores of the main experts by field of view.

    Parameters
    ----------
    board
        Scores of all contests.
    tasks
        Tasks, of one data set.
    split
        The split.
    metric
        The score.
    """
    table = board.table
    wanted = table["task"].isin(list(tasks)) & (table["split"] == split) & (table["metric"] == metric)
    pair = table["morphology"].str.startswith(MAIN_MORPHOLOGY) & (table["expression"] == MAIN_EXPRESSION)
    chosen = table[wanted & pair & (table["seed"] == 0)]
    return chosen.assign(field_um=chosen["morphology"].map(field_um)).reset_index(drop=True)


def difference(
    replicates: pd.DataFrame, first: Mapping[str, object], second: Mapping[str, object], *, metric: str
) -> tuple[float, float, float]:
    """Return the paired difference, second less first, of two contests of a task with its 95 % interval.

    Parameters
    ----------
    replicates
        Of a scoreboard.
    first
        Columns that pick a contest, the column ``method`` among them.
    second
        The other contest.
    metric
        The score.
    """
    drawn = [_draws(replicates, contest, metric=metric) for contest in (first, second)]
    change = drawn[1] - drawn[0]
    return float(change[0]), *percentile_interval(change[1:])


def _draws(replicates: pd.DataFrame, contest: Mapping[str, object], *, metric: str) -> np.ndarray:
    """Return the sample's score and its replicates for one contest."""
    rows = replicates[(replicates["metric"] == metric) & (replicates["seed"] == 0)]
    for column, value in contest.items():
        if column != "method":
            rows = rows[rows[column] == value]
    return rows.sort_values("draw")[str(contest["method"])].to_numpy()


def field_change(
    board: Scoreboard, *, tasks: Sequence[str], split: str, fields_um: Sequence[int], metric: str
) -> pd.DataFrame:
    """Return how much morphology alone changes from the narrowest to the widest field of view.

    Parameters
    ----------
    board
        Scores of all contests.
    tasks
        Tasks, of one data set.
    split
        The split.
    fields_um
        Fields of view, microns.
    metric
        The score.
    """
    rows = []
    for task in tasks:
        base = {"task": task, "split": split, "expression": MAIN_EXPRESSION, "method": "morphology_only"}
        ends = [base | {"morphology": field_name(MAIN_MORPHOLOGY, um)} for um in (min(fields_um), max(fields_um))]
        change, low, high = difference(board.replicates, *ends, metric=metric)
        n = int(board.table.loc[board.table["task"] == task, "n"].iloc[0])
        rows.append({"task": task, "split": split, "change": change, "low": low, "high": high, "n": n})
    return pd.DataFrame(rows)


def colour_duel(board: Scoreboard, *, metric: str) -> pd.DataFrame:
    """Compare the network with the six colour numbers, each alone, at the widest field of each data set.

    Parameters
    ----------
    board
        Scores of all contests.
    metric
        The score.

    Returns
    -------
    pandas.DataFrame
        One row a task and split: network, colour, difference (network less colour), low, high (95 %).
    """
    rows = []
    main = main_contests(board).table
    for task, split, morphology in main[["task", "split", "morphology"]].drop_duplicates().itertuples(index=False):
        base = {"task": task, "split": split, "expression": MAIN_EXPRESSION, "method": "morphology_only"}
        network = base | {"morphology": morphology}
        colour = base | {"morphology": morphology.replace(MAIN_MORPHOLOGY, "colour")}
        if metric not in set(board.table.loc[board.table["task"] == task, "metric"]):
            continue
        change, low, high = difference(board.replicates, colour, network, metric=metric)
        scores = [_draws(board.replicates, contest, metric=metric)[0] for contest in (network, colour)]
        names = {"task": task, "split": split, "network": scores[0], "colour": scores[1]}
        rows.append(names | {"difference": change, "low": low, "high": high})
    return pd.DataFrame(rows)
