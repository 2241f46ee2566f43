"""Runs fusion methods over tasks and splits and collects what they predict for held-out spots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import joblib
import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from beyond_alignment import keys
from beyond_alignment.benchmark.embeddings import embedding
from beyond_alignment.benchmark.predictions import Predictions
from beyond_alignment.benchmark.store import Arrays, PointStore
from beyond_alignment.fusion import make_fusion
from beyond_alignment.fusion.probe import Kind, smoothed
from beyond_alignment.tasks import Split, get_task, labelled, make_splits, tiles
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
    """

    kind: Kind
    labels: NDArray
    classes: tuple[str, ...]
    levels: tuple[NDArray, ...]
    tiles: NDArray
    strata: NDArray
    positions: NDArray[np.intp]


def pose(adata: AnnData, task: str, *, split: SplitKind = "section") -> tuple[AnnData, Problem]:
    """Return the labelled spots of a registered task and its problem under a split."""
    positions, labels = labelled(adata, task)
    spots = adata[positions]
    return spots, make_problem(spots, labels, kind=get_task(task).kind, split=split, positions=positions)


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
    return Problem(kind, labels, classes, levels, names, sections, where)


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
        held_out = (pair[0][test], pair[1][test])
        if problem.kind == "regression":
            targets = model.predict(held_out).reshape(len(test), -1)  # (spot, target)
            return targets, np.zeros(len(test), dtype=np.intp), labels.mean(axis=0)
        given, named = model.predict_proba(held_out), model.predict(held_out)
    columns = [problem.classes.index(label) for label in model.classes_]
    probability = np.zeros((len(test), len(problem.classes)))  # (spot, class)
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
        self._embeddings: dict[tuple[str, str], NDArray] = {}
        self._problems: dict[tuple[str, str], tuple[Problem, tuple[Split, ...]]] = {}

    def prepare(self, contest: Contest) -> tuple[Problem, Pair, tuple[Split, ...]]:
        """Return what a contest needs: its problem, the two embeddings and the splits."""
        adata = self.data_sets[get_task(contest.task).data_set]
        posed = contest.task, contest.split
        if posed not in self._problems:
            spots, problem = pose(adata, contest.task, split=contest.split)
            self._problems[posed] = problem, make_splits(spots, contest.split)
        problem, splits = self._problems[posed]
        for expert in (contest.expression, contest.morphology):
            if (contest.task, expert) not in self._embeddings:
                self._embeddings[contest.task, expert] = embedding(adata[problem.positions], expert)
        pair = tuple(self._embeddings[contest.task, expert] for expert in (contest.expression, contest.morphology))
        return problem, (pair[0], pair[1]), splits


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

    arrays = (store or PointStore(None)).get(key or {}, compute)
    order = np.concatenate([split.test for split in splits])
    truth = problem.labels[order]
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
    distinct = list(dict.fromkeys(_computed(contest, contests) for contest in contests))
    bench = Workbench(data_sets)
    jobs = (run(*bench.prepare(c), c.method, seed=c.seed, key=vars(c), store=store) for c in distinct)
    found = dict(zip(distinct, joblib.Parallel(n_jobs=n_jobs)(jobs), strict=True))
    return [found[_computed(contest, contests)] for contest in contests]


def _computed(contest: Contest, contests: Sequence[Contest]) -> Contest:
    """Return the contest that stands for this one: a unimodal method does not see its partner."""
    if contest.method == "expression_only":
        others = [c.morphology for c in contests if c.task == contest.task]
        return replace(contest, morphology=min(others))
    if contest.method == "morphology_only":
        others = [c.expression for c in contests if c.task == contest.task]
        return replace(contest, expression=min(others))
    return contest
