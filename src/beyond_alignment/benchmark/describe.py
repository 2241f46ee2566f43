"""Tables that say what is scored and how it is split."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from anndata import AnnData

from beyond_alignment.benchmark.problem import pose
from beyond_alignment.tasks import get_task
from beyond_alignment.tasks.labels import absence
from beyond_alignment.tasks.registry import TASKS, Task
from beyond_alignment.tasks.splits import split_task


def _held(releases: Mapping[str, AnnData], tasks: Sequence[str]) -> Iterator[tuple[Task, AnnData]]:
    """Yield each task that a data set at hand carries."""
    for task in map(get_task, tasks):
        if task.data_set in releases and not absence(releases[task.data_set], task.name):
            yield task, releases[task.data_set]


def describe_tasks(releases: Mapping[str, AnnData], *, tasks: Sequence[str] = tuple(TASKS)) -> pd.DataFrame:
    """Say of each task what its labels were made from, how many spots carry one, and how the classes are spread.

    Parameters
    ----------
    releases
        Data sets by name.
    tasks
        Names of tasks; those that no data set carries are left out.
    """
    rows = []
    for task, adata in _held(releases, tasks):
        spots, problem = pose(adata, task.name)
        if problem.classes:
            counts = pd.Series(problem.labels.astype(str)).value_counts()
            classes = ", ".join(f"{name}: {number}" for name, number in counts.items())
        else:
            classes = f"{problem.labels.shape[1]} {'genes' if task.imputes else 'proportions'}"
        rows.append(
            {
                "task": task.name,
                "data set": task.data_set,
                "what": task.description,
                "made from": task.made_from,
                "spots": spots.n_obs,
                "without label": adata.n_obs - spots.n_obs,
                "classes": classes,
                "splits": ", ".join(task.splits),
            }
        )
    return pd.DataFrame(rows)


def describe_splits(
    releases: Mapping[str, AnnData], *, tasks: Sequence[str] = tuple(TASKS), seed: int = 0
) -> pd.DataFrame:
    """Say of each task and split how many spots train and test, and which classes a fold cannot know.

    Parameters
    ----------
    releases
        Data sets by name.
    tasks
        Names of tasks; those that no data set carries are left out.
    seed
        Of the blocks.
    """
    rows = []
    for task, adata in _held(releases, tasks):
        spots, problem = pose(adata, task.name)
        for kind in task.splits:
            splits = split_task(spots, task.name, kind, seed=seed)
            unknown = 0
            if problem.classes:
                unknown = sum(len(set(problem.labels[s.test]) - set(problem.labels[s.train])) for s in splits)
            rows.append(
                {
                    "task": task.name,
                    "split": kind,
                    "folds": len(splits),
                    "training spots": _span([len(split.train) for split in splits]),
                    "test spots": _span([len(split.test) for split in splits]),
                    "in the buffer": _span([spots.n_obs - len(s.train) - len(s.test) for s in splits]),
                    "classes never trained": unknown,
                }
            )
    return pd.DataFrame(rows)


def _span(sizes: list[int]) -> str:
    """Return the smallest and the largest of some sizes."""
    low, high = int(np.min(sizes)), int(np.max(sizes))
    return str(low) if low == high else f"{low} to {high}"
