"""Runs fusion methods over tasks and splits and collects what they predict for held-out spots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import joblib
import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from beyond_alignment import keys
from beyond_alignment.benchmark.embeddings import embedding, imputation_input
from beyond_alignment.benchmark.predictions import Predictions
from beyond_alignment.benchmark.store import Arrays, PointStore
from beyond_alignment.errors import InputError
from beyond_alignment.fusion import Fusion, make_fusion
from beyond_alignment.fusion.probe import Kind, smoothed
from beyond_alignment.tasks import Split, absence, chosen_by_folds, get_task, labelled, microns, split_task, tiles
from beyond_alignment.tasks.registry import SplitKind

Pair = tuple[NDArray, NDArray]


@dataclass(frozen=True)
class Contest:
    """One method on one task under one split: a line of the benchmark.

    Attributes
    ----------
    task
        Name of the task.
    split
        ``donor``, ``section`` or ``block``.
    method
        Name of the fusion method.
    expression
        Expression expert.
    morphology
        Morphology expert.
    seed
        Of the method.
    """

    task: str
    split: SplitKind
    method: str
    expression: str
    morphology: str
    seed: int = 0


@dataclass(frozen=True)
class Problem:
    """The labelled spots of one task with everything that a fold needs.

    Attributes
    ----------
    kind
        ``classification`` or ``regression``.
    labels
        Labels (spot,) or targets (spot, target).
    classes
        Names of the classes; empty for regression.
    levels
        Units that inner cross-validation may keep whole, the widest first (spot,): donor, section, tile, from the one
        that the outer folds hold out. The widest with two groups or more in training is used.
    tiles
        Tile of each spot (spot,).
    strata
        Section of each spot (spot,).
    positions
        Positions of the spots in the data set (spot,).
    places
        Coordinates of the spots in microns (spot, 2); None where nothing is known of them.
    genes
        Genes that are the targets, which the expression expert must not have seen.
    scored
        Fold -> which targets it is scored on (target,); None where every fold is scored on all.
    """

    kind: Kind
    labels: NDArray
    classes: tuple[str, ...]
    levels: tuple[NDArray, ...]
    tiles: NDArray
    strata: NDArray
    positions: NDArray[np.intp]
    places: NDArray[np.float64] | None = None
    genes: tuple[str, ...] = ()
    scored: Mapping[str, NDArray[np.bool_]] | None = None


def pose(adata: AnnData, task: str, *, split: SplitKind = "section") -> tuple[AnnData, Problem]:
    """Return the labelled spots of a registered task and its problem under a split.

    Raises
    ------
    InputError
        If the data set does not carry the task.
    """
    record = get_task(task)
    if reason := absence(adata, task):
        raise InputError(reason)
    if record.imputes and keys.task(task) not in adata.obsm:
        targets, scored = chosen_by_folds(adata, task, split_task(adata, task, split))
        values, everything = targets.to_numpy(np.float64), np.arange(adata.n_obs)
        problem = make_problem(adata, values, kind="regression", split=split, positions=everything)
        return adata, replace(problem, genes=tuple(targets.columns), scored=scored)
    positions, labels = labelled(adata, task)
    spots = adata[positions]
    problem = make_problem(spots, labels, kind=record.kind, split=split, positions=positions)
    genes = tuple(map(str, adata.obsm[keys.task(task)].columns)) if record.imputes else ()
    return spots, replace(problem, genes=genes)


def make_problem(
    spots: AnnData,
    labels: NDArray,
    *,
    kind: Kind = "classification",
    split: SplitKind = "section",
    positions: NDArray[np.intp] | None = None,
) -> Problem:
    """Pose a problem on spots that all carry a label.

    Parameters
    ----------
    spots
        Reads sections and coordinates.
    labels
        Labels (spot,) or targets (spot, target).
    kind
        ``classification`` or ``regression``.
    split
        What the outer folds hold out; inner folds hold out the same, or the next finer unit where only one is left.
    positions
        Positions of the spots in the whole data set; 0, 1, ... when None.
    """
    sections = spots.obs[keys.SECTION].astype(str).to_numpy()
    names = tiles(spots)
    classes = tuple(sorted(set(labels.astype(str)))) if kind == "classification" else ()
    units = (spots.obs[keys.DONOR].astype(str).to_numpy(), sections, names)
    levels = units[("donor", "section", "block").index(split) :]
    where = np.arange(spots.n_obs) if positions is None else positions
    return Problem(kind, labels, classes, levels, names, sections, where, places=microns(spots))


def inner_groups(problem: Problem, train: NDArray[np.intp]) -> NDArray | None:
    """Return the widest groups of the training spots that can be split in two, or None where there are none."""
    levels = (level[train] for level in problem.levels)
    return next((groups for groups in levels if len(np.unique(groups)) > 1), None)


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


class Workbench:
    """Prepares each problem once, so that all contests of a task share the same arrays in memory.

    Workers are handed large arrays through shared memory, one copy for each array that is made; preparing a problem
    anew for every contest would fill it.

    Parameters
    ----------
    data_sets
        Releases by name.
    """

    def __init__(self, data_sets: Mapping[str, AnnData]) -> None:
        self.data_sets = data_sets
        self._embeddings: dict[tuple[str, str, str], NDArray] = {}
        self._problems: dict[tuple[str, str], tuple[Problem, tuple[Split, ...]]] = {}

    def prepare(self, contest: Contest) -> tuple[Problem, Pair, tuple[Split, ...]]:
        """Return what a contest needs: its problem, the two embeddings and the splits."""
        adata = self.data_sets[get_task(contest.task).data_set]
        posed = contest.task, contest.split
        if posed not in self._problems:
            spots, problem = pose(adata, contest.task, split=contest.split)
            self._problems[posed] = problem, split_task(spots, contest.task, contest.split)
        problem, splits = self._problems[posed]
        by_split = contest.split if problem.genes else ""  # genes that are hidden depend on the folds
        first, second = (contest.task, by_split, contest.expression), (contest.task, "", contest.morphology)
        if first not in self._embeddings:
            spots = adata[problem.positions]
            self._embeddings[first] = (
                imputation_input(spots, contest.expression, problem.genes)
                if problem.genes
                else embedding(spots, contest.expression)
            )
        if second not in self._embeddings:
            self._embeddings[second] = embedding(adata[problem.positions], contest.morphology)
        return problem, (self._embeddings[first], self._embeddings[second]), splits


def out_of_fold(
    problem: Problem,
    pair: Pair,
    splits: Sequence[Split],
    method: str,
    *,
    seed: int = 0,
    key: Mapping[str, object] | None = None,
    store: PointStore | None = None,
) -> Predictions:
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
    key
        What identifies this run in the store.
    store
        Where finished runs are kept.
    """

    def compute() -> Arrays:
        folds = [predict_fold(problem, pair, split, method, seed=seed) for split in splits]
        spread = [np.broadcast_to(frequency, probability.shape) for probability, _, frequency in folds]
        probability, guess = (np.concatenate([fold[i] for fold in folds]) for i in (0, 1))
        return {"probability": probability, "guess": guess, "frequency": np.concatenate(spread)}

    return gather(problem, splits, (store or PointStore(None)).get(key or {}, compute))


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


def run_benchmark(
    data_sets: Mapping[str, AnnData], contests: Sequence[Contest], *, store: PointStore | None = None, n_jobs: int = -1
) -> list[Predictions]:
    """Run contests side by side; the answer does not depend on how many at once.

    Parameters
    ----------
    data_sets
        Releases by name.
    contests
        What to run.
    store
        Where finished contests are kept.
    n_jobs
        Processes; -1 for one a core.
    """
    run = joblib.delayed(out_of_fold)
    standing = stand_ins(contests)
    distinct = list(dict.fromkeys(standing.values()))
    bench = Workbench(data_sets)
    jobs = (run(*bench.prepare(c), c.method, seed=c.seed, key=vars(c), store=store) for c in distinct)
    found = dict(zip(distinct, joblib.Parallel(n_jobs=n_jobs)(jobs), strict=True))
    return [found[standing[contest]] for contest in contests]


def stand_ins(contests: Sequence[Contest]) -> dict[Contest, Contest]:
    """Return which contest is run for each: a unimodal method does not see its partner, and runs beside one alone.

    Parameters
    ----------
    contests
        All of them.
    """
    partners: dict[str, tuple[set[str], set[str]]] = {}
    for contest in contests:
        expression, morphology = partners.setdefault(contest.task, (set(), set()))
        expression.add(contest.expression)
        morphology.add(contest.morphology)
    least = {task: (min(expression), min(morphology)) for task, (expression, morphology) in partners.items()}
    return {contest: _beside_one(contest, *least[contest.task]) for contest in contests}


def _beside_one(contest: Contest, expression: str, morphology: str) -> Contest:
    """Return a contest with the partner of a unimodal method replaced."""
    if contest.method == "expression_only":
        return replace(contest, morphology=morphology)
    if contest.method == "morphology_only":
        return replace(contest, expression=expression)
    return contest
