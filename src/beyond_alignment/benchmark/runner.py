"""Runs fusion methods over tasks and splits and collects what they predict for held-out spots."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from beyond_alignment.benchmark.predictions import Arrays, Predictions
from beyond_alignment.benchmark.problem import Pair, Problem, inner_groups
from beyond_alignment.fusion import Fusion, make_fusion
from beyond_alignment.fusion.probe import smoothed
from beyond_alignment.tasks.splits import Split


def predict_fold(
    problem: Problem, pair: Pair, split: Split, method: str, *, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]]:
    """Fit a method on the training spots of a fold and predict its test spots.

    Returns
    -------
    tuple
        Probabilities (spot, class) in the order of ``problem.classes``, or predicted targets (spot, target); the
        index of the predicted class (spot,), zeros for regression; and the class frequencies, or the mean target, of
        the training spots.
    """
    train, test = split.train, split.test
    labels = problem.labels[train]
    with threadpool_limits(1):  # the same sums in the same order whatever the number of cores
        model = make_fusion(method, kind=problem.kind, seed=seed)
        model.fit((pair[0][train], pair[1][train]), labels, groups=inner_groups(problem, train))
        return predict_held_out(model, problem, (pair[0][test], pair[1][test]), train)


def predict_held_out(
    model: Fusion, problem: Problem, held_out: Pair, train: NDArray[np.intp], **options: Any
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]]:
    """Predict the held-out spots of a fold with a fitted method.

    Parameters
    ----------
    model
        Fitted on the training spots.
    problem
        The labelled spots.
    held_out
        Embeddings of the test spots.
    train
        Positions of the training spots (spot,).
    **options
        Handed to the method, such as the neighbours of each spot.

    Returns
    -------
    tuple
        As :func:`predict_fold` returns it.
    """
    labels, n = problem.labels[train], len(held_out[0])
    if problem.kind == "regression":
        targets = model.predict(held_out, **options).reshape(n, -1)  # (spot, target)
        return targets, np.zeros(n, dtype=np.intp), labels.mean(axis=0)
    given, named = model.predict_proba(held_out, **options), model.predict(held_out, **options)
    columns = [problem.classes.index(label) for label in model.classes_]
    probability = np.zeros((n, len(problem.classes)))  # (spot, class)
    probability[:, columns] = given
    if len(columns) < len(problem.classes):  # a class that no training spot shows keeps half a count
        probability = smoothed(probability * len(train))
    frequency = np.array([np.mean(labels == name) for name in problem.classes])
    guess = np.array([problem.classes.index(name) for name in named], dtype=np.intp)
    return probability, guess, frequency


def out_of_fold(problem: Problem, pair: Pair, splits: Sequence[Split], method: str, *, seed: int = 0) -> Predictions:
    """Predict every spot from the fold that held it out.

    Parameters
    ----------
    problem
        The labelled spots.
    pair
        Embeddings of both modalities, each (spot, feature).
    splits
        Folds.
    method
        Name of the fusion method.
    seed
        Of the method.
    """
    folds = [predict_fold(problem, pair, split, method, seed=seed) for split in splits]
    spread = [np.broadcast_to(frequency, probability.shape) for probability, _, frequency in folds]
    probability, guess = (np.concatenate([fold[i] for fold in folds]) for i in (0, 1))
    return gather(problem, splits, {"probability": probability, "guess": guess, "frequency": np.concatenate(spread)})


def gather(problem: Problem, splits: Sequence[Split], arrays: Arrays) -> Predictions:
    """Return what was predicted for all spots, fold after fold.

    Parameters
    ----------
    problem
        The labelled spots.
    splits
        Folds.
    arrays
        ``probability``, ``guess`` and ``frequency`` of the test spots of all folds, in their order.
    """
    order = np.concatenate([split.test for split in splits])
    folds = np.repeat([split.name for split in splits], [len(split.test) for split in splits])
    truth = problem.labels[order]
    if problem.scored is not None:
        truth = np.where(np.stack([problem.scored[fold] for fold in folds]), truth, np.nan)
    missing = 0
    if problem.classes:
        truth = np.array([problem.classes.index(label) for label in truth], dtype=np.intp)
        missing = sum(len(set(problem.labels[s.test]) - set(problem.labels[s.train])) for s in splits)
    return Predictions(
        positions=problem.positions[order],
        truth=truth,
        probability=arrays["probability"],
        guess=arrays["guess"],
        frequency=arrays["frequency"],
        classes=problem.classes,
        tiles=problem.tiles[order],
        strata=problem.strata[order],
        n_train=tuple(len(split.train) for split in splits),
        n_missing_classes=missing,
        folds=folds,
    )
