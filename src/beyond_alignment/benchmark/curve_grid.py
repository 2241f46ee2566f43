"""Learning curves on the grid's engine: every fraction, seed, fold and method, many fitted together, each cell kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from beyond_alignment.benchmark.cells import Batch, Bench, FitMany, chunks, fit_one_by_one
from beyond_alignment.benchmark.curve_problems import CurveProblems
from beyond_alignment.benchmark.grid import GRID_CODE, _bar, _joined
from beyond_alignment.benchmark.pools import run_here, run_on_dask
from beyond_alignment.benchmark.problem import Contest, stand_ins
from beyond_alignment.benchmark.scaling import FRACTIONS, subset
from beyond_alignment.benchmark.scoreboard import score_contest
from beyond_alignment.benchmark.store import Arrays, PointStore, code_digest
from beyond_alignment.errors import InputError
from beyond_alignment.fusion.tuning import TRIALS
from beyond_alignment.tasks.splits import Split

CONTESTANTS = (
    *("expression_only", "morphology_only", "concat", "late_average", "low_rank", "cross_attention", "bottleneck"),
    *("clip", "comm", "synergy_max"),
)
"""Methods whose learning curves are drawn; fine-tuned experts stand beside them."""
CURVE_CODE = (*GRID_CODE, "benchmark/curve_grid.py", "benchmark/scaling.py")
ONE_TRIAL = TRIALS[:1]
FAILURE = (*(field.name for field in fields(Contest)), "fraction", "fold", "n_train", "failure")

Place = tuple[Contest, float, int]
"""A contest, a fraction and a fold."""


@dataclass(frozen=True, eq=False)
class CurveGrid:
    """Points of learning curves.

    Attributes
    ----------
    points
        One row a contest, fraction and metric: value, replicates over tiles (``draws``), n_train (mean over folds) and
        seconds (sum over folds).
    failures
        One row a cell without an answer: contest, fraction, fold, n_train, failure.
    """

    points: pd.DataFrame
    failures: pd.DataFrame


@dataclass(frozen=True, eq=False)
class _Posed:
    """A problem whose splits are all subsets of all folds, and where each stands among them."""

    bench: Bench
    folds: tuple[Split, ...]
    places: Mapping[tuple[float, int, int], int]


def run_curves(
    problems: CurveProblems,
    contests: Sequence[Contest],
    *,
    fractions: Sequence[float] = FRACTIONS,
    n_replicates: int = 500,
    store: PointStore | None = None,
    fit_many: FitMany = fit_one_by_one,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    settings: Mapping[str, object] | None = None,
    cells_at_once: int | None = None,
    n_jobs: int = 1,
    scheduler: str | None = None,
    progress: bool = False,
) -> CurveGrid:
    """Score contests on nested fractions of their training spots.

    Cells of one method on one problem at one fraction go to ``fit_many`` together, over folds and seeds. The seed of a
    contest draws its subsets too, which are nested and hold the classes in proportion; all methods get the same ones.

    Parameters
    ----------
    problems
        Where they compete.
    contests
        What to run, all of them posed; a unimodal method runs once for all partners of its expert.
    fractions
        Shares of the training spots.
    n_replicates
        Bootstrap replicates of each point; tiles are resampled, paired between points of a task.
    store
        Where finished cells are kept.
    fit_many, options, settings, cells_at_once, n_jobs, scheduler, progress
        As in :func:`~beyond_alignment.benchmark.run_grid`.

    Raises
    ------
    InputError
        There is no fraction, or one is out of range.
    """
    if not fractions:
        raise InputError("There is no fraction of the training spots; give one or more, such as 0.1 and 1.")
    kept, wanted = store or PointStore(None), tuple(sorted(set(fractions)))
    chosen = {method: dict(values) for method, values in (options or {}).items()}
    standing = stand_ins(contests)
    distinct = list(dict.fromkeys(standing.values()))
    named = problems.named
    seeds = {name: {c.seed for c in distinct if named[c] == name} for name in {named[c] for c in distinct}}
    posed = {name: _pose(problems.benches[name], wanted, own) for name, own in seeds.items()}
    digest = code_digest(CURVE_CODE[len(GRID_CODE) :])
    keys = {
        (contest, fraction, fold): {
            **{"curve": named[contest], "code": digest, **vars(contest), "fraction": fraction, "fold": split.name},
            **{"options": chosen.get(contest.method, {}), "settings": dict(settings or {})},
        }
        for contest in distinct
        for fraction in wanted
        for fold, split in enumerate(posed[named[contest]].folds)
    }
    cells = {place: found for place, key in keys.items() if (found := kept.find(key)) is not None}
    work, places = _work([p for p in keys if p not in cells], posed, named, chosen, cells_at_once)
    whole = {name: one.bench for name, one in posed.items()}
    batches = (
        run_here(whole, work, fit_many, n_jobs=n_jobs)
        if scheduler is None
        else run_on_dask({name: whole[name] for name, _ in work}, work, fit_many, address=scheduler)
    )
    with _bar(progress) as bar:
        job = bar.add_task("learning curves", total=len(keys), completed=len(cells))
        for number, answers in batches if work else iter(()):
            for place, arrays in zip(places[number], answers, strict=True):
                cells[place] = kept.keep(keys[place], arrays) if bool(arrays["lasting"]) else arrays
            bar.update(job, advance=len(answers), description=f"{work[number][1].method}, {places[number][0][0].task}")
    return _read(standing, wanted, posed, named, cells, n_replicates)


def _pose(bench: Bench, fractions: Sequence[float], seeds: set[int]) -> _Posed:
    """Return a problem with the subsets of every fold; seeds share the whole one."""
    labels, splits = bench.problem.labels, []
    places: dict[tuple[float, int, int], int] = {}
    for fraction in fractions:
        for seed in sorted(seeds):
            for fold, split in enumerate(bench.splits):
                same = places.get((1.0, min(seeds), fold)) if fraction == 1 else None
                if same is None:
                    splits.append(split if fraction == 1 else subset(split, labels, fraction=fraction, seed=seed))
                places[fraction, seed, fold] = len(splits) - 1 if same is None else same
    return _Posed(replace(bench, splits=tuple(splits)), bench.splits, places)


def _work(
    todo: Sequence[Place],
    posed: Mapping[str, _Posed],
    named: Mapping[Contest, str],
    options: Mapping[str, Mapping[str, Any]],
    size: int | None,
) -> tuple[list[tuple[str, Batch]], list[list[Place]]]:
    """Return the batches that are to be run, and which cells each holds."""
    alike: dict[tuple[Contest, float], list[Place]] = {}
    for contest, fraction, fold in todo:
        alike.setdefault((replace(contest, seed=0), fraction), []).append((contest, fraction, fold))
    work, places = [], []
    for (kind, _), mine in alike.items():
        for run in chunks(range(len(mine)), size):
            part = [mine[number] for number in run]
            name = named[part[0][0]]
            where = tuple(posed[name].places[fraction, c.seed, fold] for c, fraction, fold in part)
            values = tuple(options.get(kind.method, {}).items())
            work.append((name, Batch(kind.method, where, tuple(c.seed for c, _, _ in part), values)))
            places.append(part)
    return work, places


def _read(
    standing: Mapping[Contest, Contest],
    fractions: Sequence[float],
    posed: Mapping[str, _Posed],
    named: Mapping[Contest, str],
    cells: Mapping[Place, Arrays],
    n_replicates: int,
) -> CurveGrid:
    """Score every point whose folds all have an answer."""
    rows: list[dict[str, object]] = []
    failures: list[dict[str, object]] = []
    for contest, source in standing.items():
        one = posed[named[source]]
        for fraction in fractions:
            parts = [cells[source, fraction, fold] for fold in range(len(one.folds))]
            splits = [one.bench.splits[one.places[fraction, source.seed, fold]] for fold in range(len(one.folds))]
            key = {**vars(contest), "fraction": fraction}
            lost = list(_lost(key, splits, parts))
            failures += lost
            if not lost:
                rows += _scored(key, one.bench, splits, parts, n_replicates)
    return CurveGrid(pd.DataFrame(rows), pd.DataFrame(failures, columns=list(FAILURE)))


def _lost(key: Mapping[str, object], splits: Sequence[Split], parts: Sequence[Arrays]) -> Iterator[dict[str, object]]:
    """Yield a row for each fold without an answer."""
    for split, part in zip(splits, parts, strict=True):
        if reason := str(part["failure"]):
            yield {**key, "fold": split.name, "n_train": len(split.train), "failure": reason}


def _scored(
    key: Mapping[str, object], bench: Bench, splits: Sequence[Split], parts: Sequence[Arrays], n_replicates: int
) -> list[dict[str, object]]:
    """Return one row a metric."""
    found = score_contest(_joined(bench, splits, parts), n_replicates=n_replicates)
    size = float(np.mean([len(split.train) for split in splits]))
    seconds = float(sum(part["seconds"] for part in parts))
    return [
        {**key, "n_train": size, "metric": name, "value": result.value, "draws": result.replicates, "seconds": seconds}
        for name, result in found.items()
    ]
