"""The cells of the grid: one method on one fold with one seed, fitted together with others of its kind."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from beyond_alignment.benchmark.neighbour_rows import neighbour_rows
from beyond_alignment.benchmark.problem import Pair, Problem, inner_groups
from beyond_alignment.benchmark.runner import predict_held_out
from beyond_alignment.benchmark.store import Arrays
from beyond_alignment.errors import InputError
from beyond_alignment.fusion import FUSION_METHODS, Fusion, make_fusion
from beyond_alignment.fusion.pairs import TrainingSet
from beyond_alignment.fusion.together import Failure, failure_of
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
class Batch:
    """Cells of one method on one problem, to be fitted together.

    Attributes
    ----------
    method
        Name of the fusion method.
    folds, seeds
        Number of the fold and seed of the method, cell by cell (cell,).
    options
        Hyper-parameters handed to every estimator.
    """

    method: str
    folds: tuple[int, ...]
    seeds: tuple[int, ...]
    options: tuple[tuple[str, Any], ...] = ()


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


def run_batch(bench: Bench, batch: Batch, fit_many: FitMany = fit_one_by_one) -> list[Arrays]:
    """Fit the cells of a batch and predict their test spots, on one thread, so that the same bytes come out anywhere.

    Parameters
    ----------
    bench
        Where they compete.
    batch
        The cells.
    fit_many
        Fits them. Where it fails as a whole, it is given one after the other, so that only the guilty ones fail.

    Returns
    -------
    list
        Cell by cell: probability (spot, class) or targets (spot, target), guess (spot,), frequency (class,), seconds
        (its share of the batch), failure (a sentence, empty for none) and lasting.
    """
    start = time.perf_counter()
    with threadpool_limits(1):
        made = {fold: _training(bench, bench.splits[fold], batch.method) for fold in set(batch.folds)}
        sets = [made[fold] for fold in batch.folds]  # one object a fold, so that seeds share what depends on it alone
        try:
            found = list(fit_many([_estimator(bench, batch, seed) for seed in batch.seeds], sets))
        except Exception:  # noqa: BLE001 the guilty cell is found below
            again = zip((_estimator(bench, batch, seed) for seed in batch.seeds), sets, strict=True)
            found = [_alone(fit_many, estimator, given) for estimator, given in again]
        cells = [
            _predicted(bench, bench.splits[fold], model, batch.method)
            for fold, model in zip(batch.folds, found, strict=True)
        ]
    share = (time.perf_counter() - start) / len(cells)
    return [{**cell, "seconds": np.array(share)} for cell in cells]


def _alone(fit_many: FitMany, estimator: Fusion, given: TrainingSet) -> Fusion | Failure:
    """Fit one estimator without company; whatever goes wrong is its own failure."""
    try:
        return fit_many([estimator], [given])[0]
    except Exception as error:  # noqa: BLE001 one fold of one method must not end the grid
        return failure_of(error)


def _estimator(bench: Bench, batch: Batch, seed: int) -> Fusion:
    """Return the unfitted estimator of one cell."""
    return make_fusion(batch.method, kind=bench.problem.kind, seed=seed, **dict(batch.options))


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
    return {**found, "failure": np.array(""), "lasting": np.array(True)}


def _failed(failure: Failure) -> Arrays:
    """Return the arrays of a cell without an answer."""
    return {"failure": np.array(failure.reason), "lasting": np.array(failure.lasting)}


def failed_cells(failure: Failure, n: int) -> list[Arrays]:
    """Return the arrays of a batch of which nothing came back."""
    return [{**_failed(failure), "seconds": np.array(np.nan)} for _ in range(n)]


def chunks(cells: Sequence[int], size: int | None) -> list[Sequence[int]]:
    """Return cells in runs of at most a size; in one run when None."""
    step = size or max(len(cells), 1)
    return [cells[start : start + step] for start in range(0, len(cells), step)]
