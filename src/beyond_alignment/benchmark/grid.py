"""The grid folds x seeds x methods over all tasks: each finished cell is kept at once, a failed one is reported."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from beyond_alignment.benchmark.cells import Batch, Bench, FitMany, chunks, fit_one_by_one
from beyond_alignment.benchmark.metrics import MAIN_METRIC, statistics
from beyond_alignment.benchmark.pools import run_here, run_on_dask
from beyond_alignment.benchmark.predictions import Predictions
from beyond_alignment.benchmark.problem import Contest, Workbench, stand_ins
from beyond_alignment.benchmark.runner import gather
from beyond_alignment.benchmark.store import Arrays, PointStore
from beyond_alignment.tasks import get_task
from beyond_alignment.tasks.splits import Split

GRID_CODE = (
    "fusion",
    *(f"benchmark/{module}.py" for module in ("grid", "cells", "problem", "runner", "neighbour_rows")),
)
"""What a cell depends on, for the store: ``open_store(profile, code=GRID_CODE, data=False)``; data are in the key."""


@dataclass(frozen=True)
class Grid:
    """What a grid found.

    Attributes
    ----------
    contests
        What was run.
    predictions
        Out-of-fold predictions of each contest; None where a fold failed.
    cells
        One row a contest and fold: made_from, fold, n_train, n_test, metric, value on the test spots of the fold,
        seconds, failure (a sentence, empty for none).
    """

    contests: tuple[Contest, ...]
    predictions: tuple[Predictions | None, ...]
    cells: pd.DataFrame

    @property
    def scored(self) -> list[tuple[Contest, Predictions | None]]:
        """Each contest with its predictions."""
        return list(zip(self.contests, self.predictions, strict=True))

    @property
    def failures(self) -> pd.DataFrame:
        """The cells that failed, each with its reason."""
        return self.cells[self.cells["failure"] != ""].reset_index(drop=True)


def run_grid(
    data_sets: Mapping[str, AnnData],
    contests: Sequence[Contest],
    *,
    store: PointStore | None = None,
    fit_many: FitMany = fit_one_by_one,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    settings: Mapping[str, object] | None = None,
    cells_at_once: int | None = None,
    n_jobs: int = 1,
    scheduler: str | None = None,
    progress: bool = False,
) -> Grid:
    """Run every fold of every contest; the numbers do not depend on how, or on what was finished before.

    Cells of one method on one problem, over folds and seeds, go to ``fit_many`` together. A cell that is in the store
    is not run again, so that a killed run goes on where it stopped; one that failed for a reason that will last, such
    as divergence, is not tried again either.

    Parameters
    ----------
    data_sets
        Releases by name.
    contests
        What to run; a unimodal method runs once for all partners of its expert.
    store
        Where finished cells are kept.
    fit_many
        Fits the estimators of one method side by side.
    options
        Method -> hyper-parameters handed to its estimator.
    settings
        Whatever else the numbers depend on, such as the tuning inside ``fit_many``: part of each cell's key.
    cells_at_once
        Most cells that are fitted together; all of a problem and method when None.
    n_jobs
        Processes, of one thread each; -1 for one a core.
    scheduler
        Address of a Dask scheduler, whose workers run the batches instead.
    progress
        Show what is done and the time to go.
    """
    kept = store or PointStore(None)
    chosen = {method: dict(values) for method, values in (options or {}).items()}
    standing = stand_ins(contests)
    distinct = list(dict.fromkeys(standing.values()))
    benches, named = _benches(data_sets, distinct)
    keys = {
        (contest, fold): _key(contest, split, named[contest], chosen.get(contest.method, {}), settings or {})
        for contest in distinct
        for fold, split in enumerate(benches[named[contest]].splits)
    }
    cells = {place: found for place, key in keys.items() if (found := kept.find(key)) is not None}
    todo = [place for place in keys if place not in cells]
    work, places = _work(todo, named, chosen, cells_at_once)
    batches = (
        run_here(benches, work, fit_many, n_jobs=n_jobs)
        if scheduler is None
        else run_on_dask({name: benches[name] for name, _ in work}, work, fit_many, address=scheduler)
    )
    with _bar(progress) as bar:
        job = bar.add_task("benchmark", total=len(keys), completed=len(cells))
        for number, answers in batches if work else iter(()):
            for place, arrays in zip(places[number], answers, strict=True):
                cells[place] = kept.keep(keys[place], arrays) if bool(arrays["lasting"]) else arrays
            bar.update(job, advance=len(answers), description=f"{work[number][1].method}, {places[number][0][0].task}")
    return _read(standing, benches, named, cells)


def _benches(
    data_sets: Mapping[str, AnnData], contests: Sequence[Contest]
) -> tuple[dict[str, Bench], dict[Contest, str]]:
    """Return each problem once, named by what it holds, and the name of each contest's."""
    prepared, benches, named = Workbench(data_sets), {}, {}
    posed: dict[Contest, str] = {}
    for contest in contests:
        alike = replace(contest, method="", seed=0)
        if alike not in posed:
            bench = Bench(*prepared.prepare(contest))
            digest, labels = hashlib.sha256(), bench.problem.labels
            named_labels = labels.astype(str) if labels.dtype == object else labels
            rows = [side for split in bench.splits for side in (split.train, split.test)]
            for values in (*bench.pair, named_labels, bench.problem.tiles, *rows):
                digest.update(np.ascontiguousarray(values).tobytes())
            posed[alike] = f"{contest.task}-{contest.split}-{digest.hexdigest()[:16]}"
            benches[posed[alike]] = bench
        named[contest] = posed[alike]
    return benches, named


def _key(
    contest: Contest, split: Split, bench: str, options: Mapping[str, Any], settings: Mapping[str, object]
) -> dict[str, object]:
    """Return what identifies a cell in the store."""
    return {"grid": bench, **vars(contest), "fold": split.name, "options": dict(options), "settings": dict(settings)}


Place = tuple[Contest, int]


def _work(
    todo: Sequence[Place], named: Mapping[Contest, str], options: Mapping[str, Mapping[str, Any]], size: int | None
) -> tuple[list[tuple[str, Batch]], list[list[Place]]]:
    """Return the batches that are to be run, and which cells each holds."""
    alike: dict[Contest, list[Place]] = {}
    for contest, fold in todo:
        alike.setdefault(replace(contest, seed=0), []).append((contest, fold))
    work, places = [], []
    for kind, mine in alike.items():
        for run in chunks(range(len(mine)), size):
            part = [mine[number] for number in run]
            values = tuple(options.get(kind.method, {}).items())
            batch = Batch(kind.method, tuple(f for _, f in part), tuple(c.seed for c, _ in part), values)
            work.append((named[part[0][0]], batch))
            places.append(part)
    return work, places


def _bar(shown: bool) -> Progress:
    """Return the bar with the time to go."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("to go"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, transient=True, disable=not shown)


def _read(
    standing: Mapping[Contest, Contest],
    benches: Mapping[str, Bench],
    named: Mapping[Contest, str],
    cells: Mapping[Place, Arrays],
) -> Grid:
    """Return the predictions of each contest and the table of its folds."""
    predictions, rows = [], []
    for contest, source in standing.items():
        bench = benches[named[source]]
        parts = [cells[source, fold] for fold in range(len(bench.splits))]
        rows += list(_rows(contest, bench, parts))
        whole = not any(str(part["failure"]) for part in parts)
        predictions.append(_joined(bench, bench.splits, parts) if whole else None)
    return Grid(tuple(standing), tuple(predictions), pd.DataFrame(rows))


def _joined(bench: Bench, splits: Sequence[Split], parts: Sequence[Arrays]) -> Predictions:
    """Return what was predicted in some folds."""
    spread = [np.broadcast_to(part["frequency"], part["probability"].shape) for part in parts]
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in ("probability", "guess")}
    return gather(bench.problem, splits, {**arrays, "frequency": np.concatenate(spread)})


def _rows(contest: Contest, bench: Bench, parts: Sequence[Arrays]) -> Iterator[dict[str, object]]:
    """Yield the row of each fold."""
    task = get_task(contest.task)
    metric = MAIN_METRIC[task.kind]
    for split, part in zip(bench.splits, parts, strict=True):
        reason, value = str(part["failure"]), float("nan")
        if not reason:
            found = statistics(_joined(bench, [split], [part]))
            value = float(found.read(found.values.sum(axis=0, keepdims=True))[metric][0])
        sizes = {"fold": split.name, "n_train": len(split.train), "n_test": len(split.test)}
        scores = {"metric": metric, "value": value, "seconds": float(part["seconds"]), "failure": reason}
        yield {**vars(contest), "made_from": task.made_from, **sizes, **scores}
