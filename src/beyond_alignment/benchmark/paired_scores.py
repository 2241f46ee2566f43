"""Scores of many experts on many tasks, and what one expert adds to another, with paired intervals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.benchmark.metrics import Score
from beyond_alignment.errors import InputError
from beyond_alignment.resampling import percentile_interval

IDENTITY = ["expert", "task", "split", "metric"]
ALL_TASKS = "all tasks"

Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class ExpertScores:
    """Scores of experts alone, with the bootstrap draws behind their intervals.

    Attributes
    ----------
    table
        One row an expert, task, split and metric: what the expert ``reads``, what the labels were ``made_from``,
        ``same_source`` where the two are one (the label is not independent of the expert), ``main`` for the main metric
        under the task's main split, value, low, high (95 %, tiles of tissue resampled), chance, and the numbers n of
        spots, tiles and sections.
    draws
        (expert, task, split, metric) -> the sample's score and its replicates (1 + replicate,); all experts and tasks
        of a tissue share the resampled tiles, so differences and means are paired.
    """

    table: pd.DataFrame
    draws: Mapping[Key, NDArray[np.float64]]

    def overall(self) -> pd.DataFrame:
        """Return each expert's mean over the tasks, main metric and main split: expert, reads, value, low, high."""
        tasks = sorted(set(self._main()["task"]))
        rows = [
            {"expert": expert, "reads": part["reads"].iloc[0], **_interval("value", self._mean(expert, tasks))}
            for expert, part in self._main().groupby("expert", sort=False)
            if set(part["task"]) == set(tasks)
        ]
        return pd.DataFrame(rows)

    def beats(self, reference: str | Mapping[str, str]) -> pd.DataFrame:
        """Compare every expert with a reference, task by task and over all tasks that both were scored on.

        Parameters
        ----------
        reference
            An expert that all others are compared with, or expert -> its reference (for instance from
            :func:`same_field`).

        Returns
        -------
        pandas.DataFrame
            Main metric and main split, one row an expert and task and one for the mean over all: expert, reference,
            task, made_from, split, metric, value, reference_value, difference, low, high (95 %, paired), verdict
            (``better``, ``worse`` or ``not told apart``).

        Raises
        ------
        InputError
            If an expert or a reference was not scored, or the two share no task.
        """
        main = self._main()
        scored = list(dict.fromkeys(main["expert"]))
        pairs = reference if not isinstance(reference, str) else {e: reference for e in scored if e != reference}
        rows: list[dict[str, object]] = []
        for expert, other in pairs.items():
            for name in (expert, other):
                if name not in scored:
                    msg = f"There is no score of {name!r}; scored are {', '.join(scored)}."
                    raise InputError(msg)
            shared = set(main.loc[main["expert"] == other, "task"])
            own = main[(main["expert"] == expert) & main["task"].isin(shared)]
            if own.empty:
                msg = f"{expert!r} and {other!r} share no task: score both on one."
                raise InputError(msg)
            for row in own.itertuples():
                task = {"task": row.task, "made_from": row.made_from, "split": row.split, "metric": row.metric}
                names = [(name, row.task, row.split, row.metric) for name in (expert, other)]
                rows.append(_difference(expert, other, task, *(self.draws[name] for name in names)))
            whole = {"task": ALL_TASKS, "made_from": "", "split": "main", "metric": "main"}
            rows.append(_difference(expert, other, whole, *(self._mean(e, own["task"]) for e in (expert, other))))
        return pd.DataFrame(rows)

    def _main(self) -> pd.DataFrame:
        """Return the rows of the main metric under the main split."""
        return self.table[self.table["main"]]

    def _mean(self, expert: str, tasks: Iterable[str]) -> NDArray[np.float64]:
        """Return the draws of an expert's mean over tasks (1 + replicate,)."""
        main = self._main()
        rows = main[(main["expert"] == expert) & main["task"].isin(list(tasks))]
        return np.mean([self.draws[key] for key in rows[IDENTITY].itertuples(index=False, name=None)], axis=0)


def _interval(name: str, draws: NDArray[np.float64]) -> dict[str, float]:
    """Return the value of the sample with its interval."""
    low, high = percentile_interval(draws[1:])
    return {name: float(draws[0]), "low": low, "high": high}


def _difference(
    expert: str, other: str, task: Mapping[str, object], first: NDArray[np.float64], second: NDArray[np.float64]
) -> dict[str, object]:
    """Return one row of a comparison."""
    change = _interval("difference", first - second)
    verdict = "better" if change["low"] > 0 else "worse" if change["high"] < 0 else "not told apart"
    values = {"value": float(first[0]), "reference_value": float(second[0])}
    return {"expert": expert, "reference": other, **task, **values, **change, "verdict": verdict}


def collect_scores(rows: Iterable[tuple[dict[str, object], Score]]) -> ExpertScores:
    """Put scored experts together.

    Parameters
    ----------
    rows
        The columns that identify and describe a score, and the score.
    """
    table, draws = [], {}
    for row, score in rows:
        low, high = score.interval()
        table.append({**row, "metric": score.metric, "value": score.value, "low": low, "high": high})
        key = (str(row["expert"]), str(row["task"]), str(row["split"]), score.metric)
        draws[key] = np.concatenate([[score.value], score.replicates])
    first = [*IDENTITY, "reads", "made_from", "same_source", "main", "value", "low", "high"]
    frame = pd.DataFrame(table)
    return ExpertScores(frame[[*first, *(name for name in frame if name not in first)]], draws)


def join_scores(*parts: ExpertScores) -> ExpertScores:
    """Put scores of one tissue, drawn with the same seed and number of replicates, into one.

    Raises
    ------
    InputError
        If the numbers of replicates differ.
    """
    sizes = {len(draws) for part in parts for draws in part.draws.values()}
    if len(sizes) > 1:
        msg = f"The scores have {', '.join(str(size - 1) for size in sorted(sizes))} replicates: use one number."
        raise InputError(msg)
    draws = {key: values for part in parts for key, values in part.draws.items()}
    return ExpertScores(pd.concat([part.table for part in parts], ignore_index=True), draws)


def same_field(experts: Sequence[str], reference: str) -> dict[str, str]:
    """Pair every image expert with a reference at the same field of view: ``x_600um`` with ``<reference>_600um``.

    Parameters
    ----------
    experts
        Names with field of view; those without, and those whose reference is not among them, are left out.
    reference
        Name of the reference without field of view.
    """
    pairs = {}
    for name in experts:
        _, _, field = name.rpartition("_")
        other = f"{reference}_{field}"
        if field.endswith("um") and other in experts and other != name:
            pairs[name] = other
    return pairs


def shipping(scores: ExpertScores, references: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Say which experts may be a default: those that beat each of their references over all tasks.

    Parameters
    ----------
    scores
        Of experts and references.
    references
        Expert -> what it has to beat, for instance colour and its own architecture with random weights.

    Returns
    -------
    pandas.DataFrame
        One row an expert and reference: difference, low, high, beaten; ``default`` says whether all were beaten.
    """
    rows = []
    for expert, others in references.items():
        found = pd.concat([scores.beats({expert: other}) for other in others])
        found = found[found["task"] == ALL_TASKS]
        beaten = found["low"] > 0
        columns = found[["expert", "reference", "value", "reference_value", "difference", "low", "high"]]
        rows.append(columns.assign(beaten=beaten, default=bool(beaten.all())))
    return pd.concat(rows, ignore_index=True)
