"""The cells of the grid: one method on one fold with one seed, fitted together with others of its kind."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from beyond_alignment.benchmark.neighbour_rows import neighbour_rows
from beyond_alignment.benchmark.predictions import Arrays, Predictions
from beyond_alignment.benchmark.problem import Pair, Problem, inner_groups
from beyond_alignment.benchmark.runner import gather, predict_held_out
from beyond_alignment.errors import InputError
from beyond_alignment.fusion import FUSION_METHODS, Fusion, make_fusion
from beyond_alignment.fusion.pairs import TrainingSet
from beyond_alignment.fusion.together import Failure, failure_of
from beyond_alignment.study import each
from beyond_alignment.tasks.splits import Split

FitMany = Callable[[Sequence[Fusion], Sequence[TrainingSet]], Sequence[Fusion | Failure]]
"""Fits estimators of one method, each on its own training set, to what its own ``fit`` would give."""


def fit_one_by_one(estimators: Sequence[Fusion], sets: Sequence[TrainingSet]) -> list[Fusion | Failure]:
    """Fit estimators one after the other: the reference that any faster way has to equal.

    Parameters
    ----------
    estimators
        Unfitted.
    sets
        One each.
    """
    return [_fit(estimator, given) for estimator, given in zip(estimators, sets, strict=True)]


def _fit(estimator: Fusion, given: TrainingSet) -> Fusion | Failure:
    """Fit one estimator; whatever goes wrong is its own failure."""
    options: dict[str, Any] = {} if given.neighbours is None else {"neighbours": given.neighbours}
    try:
        return estimator.fit(given.pair, given.labels, groups=given.groups, **options)
    except Exception as error:  # noqa: BLE001 one fold of one method must not end the grid
        return failure_of(error)


@dataclass(frozen=True)
class Bench:
    """A problem with both embeddings and its folds.

    Attributes
    ----------
    problem
        The labelled spots.
    pair
        Embeddings of both modalities, each (spot, feature).
    splits
        Folds.
    """

    problem: Problem
    pair: Pair
    splits: tuple[Split, ...]


class Cell(NamedTuple):
    """One method on one fold with one seed.

    Attributes
    ----------
    bench
        Name of the problem.
    method
        Name of the fusion method.
    fraction
        Share of the training spots that the fold holds.
    fold
        Number of the fold.
    seed
        Of the method.
    """

    bench: str
    method: str
    fraction: float
    fold: int
    seed: int


def run_cells(
    benches: Mapping[str, Bench],
    cells: Iterable[Cell],
    *,
    fit_many: FitMany,
    options: Mapping[str, Mapping[str, Any]],
    n_jobs: int,
    scheduler: str | None,
) -> dict[Cell, Arrays]:
    """Fit the cells of one method, problem and fraction together, over folds and seeds, and predict their test spots.

    Parameters
    ----------
    benches
        Problems by name.
    cells
        What to run.
    fit_many
        Fits the estimators of one method side by side. Where it fails as a whole, it is given one after the other, so
        that only the guilty ones fail.
    options
        Method -> hyper-parameters handed to its estimator.
    n_jobs, scheduler
        Where, as in :func:`beyond_alignment.study.each`.

    Returns
    -------
    dict
        Cell -> probability (spot, class) or targets (spot, target), guess (spot,), frequency (class,), seconds (its
        share of the batch) and failure (a sentence, empty for none).
    """
    batches: dict[tuple[str, str, float], list[Cell]] = {}
    for cell in dict.fromkeys(cells):
        batches.setdefault(cell[:3], []).append(cell)
    rows = [
        {"bench": benches[name], "cells": mine, "fit_many": fit_many, "options": dict(options.get(method, {}))}
        for (name, method, _), mine in batches.items()
    ]
    done = dict(each(_run_batch, rows, n_jobs=n_jobs, scheduler=scheduler, what="benchmark"))
    return {
        cell: found
        for number, mine in enumerate(batches.values())
        for cell, found in zip(mine, done[number], strict=True)
    }


def _run_batch(bench: Bench, cells: Sequence[Cell], fit_many: FitMany, options: Mapping[str, Any]) -> list[Arrays]:
    """Run cells of one method on one thread, so that the same bytes come out anywhere."""
    start = time.perf_counter()
    method = cells[0].method
    with threadpool_limits(1):
        made = {fold: _training(bench, bench.splits[fold], method) for fold in {cell.fold for cell in cells}}
        sets = [made[cell.fold] for cell in cells]  # one object a fold, so that seeds share what depends on it alone

        def estimators() -> list[Fusion]:
            return [make_fusion(method, kind=bench.problem.kind, seed=cell.seed, **options) for cell in cells]

        try:
            found = list(fit_many(estimators(), sets))
        except Exception:  # noqa: BLE001 the guilty cell is found below
            found = [_alone(fit_many, *one) for one in zip(estimators(), sets, strict=True)]
        answers = [
            _predicted(bench, bench.splits[cell.fold], model, method) for cell, model in zip(cells, found, strict=True)
        ]
    share = (time.perf_counter() - start) / len(cells)
    return [{**answer, "seconds": np.array(share)} for answer in answers]


def _alone(fit_many: FitMany, estimator: Fusion, given: TrainingSet) -> Fusion | Failure:
    """Fit one estimator without company; whatever goes wrong is its own failure."""
    try:
        return fit_many([estimator], [given])[0]
    except Exception as error:  # noqa: BLE001 one fold of one method must not end the grid
        return failure_of(error)


def _training(bench: Bench, split: Split, method: str) -> TrainingSet:
    """Return what a fold trains on."""
    rows = split.train
    pair = bench.pair[0][rows], bench.pair[1][rows]
    near = _neighbours(bench.problem, rows, method)
    return TrainingSet(pair, bench.problem.labels[rows], inner_groups(bench.problem, rows), near)


def _neighbours(problem: Problem, rows: NDArray[np.intp], method: str) -> NDArray[np.intp] | None:
    """Return the neighbours of some spots among themselves, for a method that reads them."""
    if not FUSION_METHODS[method].reads_neighbours:
        return None
    if problem.places is None:
        raise InputError(f"{method} reads the spots around a spot, and these have no coordinates: leave it out.")
    return neighbour_rows(problem.places[rows], problem.strata[rows])


def _predicted(bench: Bench, split: Split, model: Fusion | Failure, method: str) -> Arrays:
    """Return what a fitted model predicts for the test spots of its fold, or why it does not."""
    if isinstance(model, Failure):
        return _failed(model)
    rows = split.test
    near = _neighbours(bench.problem, rows, method)
    options: dict[str, Any] = {} if near is None else {"neighbours": near}
    held_out = bench.pair[0][rows], bench.pair[1][rows]
    try:
        given, guess, frequency = predict_held_out(model, bench.problem, held_out, split.train, **options)
    except Exception as error:  # noqa: BLE001 one fold of one method must not end the grid
        return _failed(failure_of(error))
    if not np.isfinite(given).all():
        return _failed(Failure(f"{method} predicts values that are not finite: it diverged in training."))
    found: Arrays = {"probability": given, "guess": guess, "frequency": np.asarray(frequency, dtype=np.float64)}
    return {**found, "failure": np.array("")}


def _failed(failure: Failure) -> Arrays:
    """Return the arrays of a cell without an answer."""
    return {"failure": np.array(failure.reason)}


def joined(bench: Bench, splits: Sequence[Split], parts: Sequence[Arrays]) -> Predictions:
    """Return what was predicted in some folds."""
    spread = [np.broadcast_to(part["frequency"], part["probability"].shape) for part in parts]
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in ("probability", "guess")}
    return gather(bench.problem, splits, {**arrays, "frequency": np.concatenate(spread)})
