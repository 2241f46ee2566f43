"""What is run: contests of methods, and the problems that they compete on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from beyond_alignment import keys
from beyond_alignment.benchmark.embeddings import embedding, imputation_input
from beyond_alignment.errors import InputError
from beyond_alignment.fusion.probe import Kind
from beyond_alignment.tasks import get_task
from beyond_alignment.tasks.imputation import chosen_by_folds
from beyond_alignment.tasks.labels import absence, labelled
from beyond_alignment.tasks.registry import SplitKind
from beyond_alignment.tasks.splits import Split, microns, split_task, tiles

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
