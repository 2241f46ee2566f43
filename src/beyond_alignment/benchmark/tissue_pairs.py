"""What a task on real tissue is decomposed from: both embeddings, classes, and what stays whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from beyond_alignment.benchmark.embeddings import embedding
from beyond_alignment.benchmark.plan import field_um as field_um_of
from beyond_alignment.benchmark.plan import plan_contests
from beyond_alignment.benchmark.problem import Contest, pose
from beyond_alignment.benchmark.tissue_information import whole_units
from beyond_alignment.information.target import as_classes
from beyond_alignment.tasks import get_task


@dataclass(frozen=True)
class TissuePair:
    """The labelled spots of one task.

    Attributes
    ----------
    contest
        Task, main split and experts.
    views
        Embeddings of expression and morphology, each (spot, feature).
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
    return TissuePair(contest, views, classes, groups, problem.tiles, unit)
