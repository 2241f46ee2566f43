"""What a task on real tissue is decomposed from: both embeddings, classes, and what stays whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from beyond_alignment.benchmark.embeddings import embedding
from beyond_alignment.benchmark.plan import field_um as field_um_of
from beyond_alignment.benchmark.plan import plan_contests
from beyond_alignment.benchmark.problem import Contest, Problem, pose
from beyond_alignment.information.target import as_classes
from beyond_alignment.tasks import get_task
from beyond_alignment.tasks.splits import make_splits

FEWEST_UNITS, MOST_FOLDS = 3, 5


@dataclass(frozen=True)
class TissuePair:
    """The labelled spots of one task.

    Attributes
    ----------
    contest
        Task, main split and experts.
    views
        Embeddings of expression and morphology, each (spot, feature).
    labels
        Labels (spot,) or targets (spot, target).
    classes
        Class of each spot (spot,), from 0; compositions are clustered.
    groups
        What folds keep whole (spot,).
    tiles
        What the bootstrap draws whole (spot,): tiles of 1 mm.
    unit
        Name of what folds keep whole: ``donor``, ``section``, ``tile`` or ``block``.
    """

    contest: Contest
    views: tuple[NDArray[np.float32], NDArray[np.float32]]
    labels: NDArray
    classes: NDArray[np.int64]
    groups: NDArray[np.str_]
    tiles: NDArray
    unit: str

    def record(self) -> dict[str, object]:
        """Return what identifies the task in a table."""
        task = get_task(self.contest.task)
        return {
            "task": task.name,
            "made_from": task.made_from,
            "data_set": task.data_set,
            "expression": self.contest.expression,
            "morphology": self.contest.morphology,
            "unit": self.unit,
            "n": len(self.classes),
            "n_groups": len(np.unique(self.groups)),
        }


def task_contests(
    data_sets: Mapping[str, AnnData], tasks: Sequence[str], *, expression: str, morphology: str, field_um: int
) -> list[Contest]:
    """Return the main split of each task that the data sets hold, with the pair of experts.

    Parameters
    ----------
    data_sets
        Releases by name.
    tasks
        Names of tasks.
    expression, morphology
        Experts; the latter without field of view.
    field_um
        Field of view, microns; a data set that was embedded at others is read at its widest.
    """
    contests = []
    for task in tasks:
        planned = plan_contests(
            data_sets,
            expression=(expression,),
            morphology=(morphology,),
            fields_um=(field_um,),
            splits=get_task(task).splits[:1],
            methods=("concat",),
            tasks=(task,),
        )
        own = [c for c in planned if c.morphology.removeprefix(f"{morphology}_").removesuffix("um").isdigit()]
        contests += [max(own or planned, key=lambda c: field_um_of(c.morphology))] if planned else []
    return contests


def tissue_pair(adata: AnnData, contest: Contest, *, seed: int = 0) -> TissuePair:
    """Return what a task is decomposed from.

    Folds keep whole what the main split holds out where there are three of it or more, else the next finer unit.
    Blocks of a single section touch, so that spots on both sides of their border share pixels.

    Parameters
    ----------
    adata
        The release.
    contest
        Task, split and experts.
    seed
        Of the blocks, and of the clusters that a composition is made into.
    """
    spots, problem = pose(adata, contest.task, split=contest.split)
    groups, unit = whole_units(spots, problem, contest, seed=seed)
    views = embedding(spots, contest.expression), embedding(spots, contest.morphology)
    classes = as_classes(problem.labels, seed=seed, name=contest.task).codes
    return TissuePair(contest, views, problem.labels, classes, groups, problem.tiles, unit)


def whole_units(spots: AnnData, problem: Problem, contest: Contest, *, seed: int = 0) -> tuple[NDArray[np.str_], str]:
    """Return what folds keep whole (spot,) and its name: the unit of the split, or the next finer one with three.

    Parameters
    ----------
    spots
        The labelled spots.
    problem
        Posed under the split of the contest; carries the units from that of the split on.
    contest
        Names the split.
    seed
        Of the spatial blocks.
    """
    if contest.split == "block":
        blocks = np.empty(spots.n_obs, dtype="U16")
        for split in make_splits(spots, "block", buffer_um=0, seed=seed):
            blocks[split.test] = split.name
        return blocks, "block"
    names = ("donor", "section", "tile")[-len(problem.levels) :]
    held = zip(problem.levels, names, strict=True)
    return next((level.astype(str), name) for level, name in held if len(np.unique(level)) >= FEWEST_UNITS)
