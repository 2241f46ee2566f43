"""Learning curves on the grid's engine: every fraction, seed, fold and method, many fitted together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from beyond_alignment.benchmark.cells import Bench, Cell, FitMany, fit_one_by_one, joined, run_cells
from beyond_alignment.benchmark.curve_problems import CurveProblems
from beyond_alignment.benchmark.predictions import Arrays
from beyond_alignment.benchmark.problem import Contest, stand_ins
from beyond_alignment.benchmark.scaling import FRACTIONS, subset
from beyond_alignment.benchmark.scoreboard import score_contest
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.splits import Split

CONTESTANTS = (
    *("expression_only", "morphology_only", "concat", "late_average", "low_rank", "cross_attention", "bottleneck"),
    *("clip", "comm", "synergy_max"),
)
"""Methods whose learning curves are drawn; fine-tuned experts stand beside them."""
FAILURE = (*(field.name for field in fields(Contest)), "fraction", "fold", "n_train", "failure")


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


def run_curves(
    problems: CurveProblems,
    contests: Sequence[Contest],
    *,
    fractions: Sequence[float] = FRACTIONS,
    n_replicates: int = 500,
    fit_many: FitMany = fit_one_by_one,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    n_jobs: int = 1,
    scheduler: str | None = None,
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
    fit_many, options, n_jobs, scheduler
        As in :func:`~beyond_alignment.benchmark.run_grid`.

    Raises
    ------
    InputError
        There is no fraction, or one is out of range.
    """
    if not fractions:
        raise InputError("There is no fraction of the training spots; give one or more, such as 0.1 and 1.")
    wanted = tuple(sorted(set(fractions)))
    standing = stand_ins(contests)
    distinct = list(dict.fromkeys(standing.values()))
    seeds: dict[str, set[int]] = {}
    for contest in distinct:
        seeds.setdefault(problems.named[contest], set()).add(contest.seed)
    benches, places = {}, {}
    for name, own in seeds.items():
        benches[name], places[name] = _pose(problems.benches[name], wanted, own)

    def cells_of(contest: Contest, fraction: float) -> list[Cell]:
        name = problems.named[contest]
        folds = range(len(problems.benches[name].splits))
        where = (places[name][fraction, contest.seed, fold] for fold in folds)
        return [Cell(name, contest.method, fraction, place, contest.seed) for place in where]

    cells = run_cells(
        benches, (cell for c in distinct for fraction in wanted for cell in cells_of(c, fraction)), fit_many=fit_many,
        options=options or {}, n_jobs=n_jobs, scheduler=scheduler,
    )  # fmt: skip
    rows: list[dict[str, object]] = []
    failures: list[dict[str, object]] = []
    for contest, source in standing.items():
        bench = benches[problems.named[source]]
        for fraction in wanted:
            mine = cells_of(source, fraction)
            parts, splits = [cells[cell] for cell in mine], [bench.splits[cell.fold] for cell in mine]
            key = {**vars(contest), "fraction": fraction}
            lost = list(_lost(key, splits, parts))
            failures += lost
            if not lost:
                rows += _scored(key, bench, splits, parts, n_replicates)
    return CurveGrid(pd.DataFrame(rows), pd.DataFrame(failures, columns=list(FAILURE)))


def _pose(bench: Bench, fractions: Sequence[float], seeds: set[int]) -> tuple[Bench, dict[tuple[float, int, int], int]]:
    """Return a problem whose splits are all subsets of all folds, and where each stands; seeds share the whole one."""
    labels, splits = bench.problem.labels, []
    places: dict[tuple[float, int, int], int] = {}
    for fraction in fractions:
        for seed in sorted(seeds):
            for fold, split in enumerate(bench.splits):
                same = places.get((1.0, min(seeds), fold)) if fraction == 1 else None
                if same is None:
                    splits.append(split if fraction == 1 else subset(split, labels, fraction=fraction, seed=seed))
                places[fraction, seed, fold] = len(splits) - 1 if same is None else same
    return replace(bench, splits=tuple(splits)), places


def _lost(key: Mapping[str, object], splits: Sequence[Split], parts: Sequence[Arrays]) -> Iterator[dict[str, object]]:
    """Yield a row for each fold without an answer."""
    for split, part in zip(splits, parts, strict=True):
        if reason := str(part["failure"]):
            yield {**key, "fold": split.name, "n_train": len(split.train), "failure": reason}


def _scored(
    key: Mapping[str, object], bench: Bench, splits: Sequence[Split], parts: Sequence[Arrays], n_replicates: int
) -> list[dict[str, object]]:
    """Return one row a metric."""
    found = score_contest(joined(bench, splits, parts), n_replicates=n_replicates)
    size = float(np.mean([len(split.train) for split in splits]))
    seconds = float(sum(part["seconds"] for part in parts))
    return [
        {**key, "n_train": size, "metric": name, "value": result.value, "draws": result.replicates, "seconds": seconds}
        for name, result in found.items()
    ]
