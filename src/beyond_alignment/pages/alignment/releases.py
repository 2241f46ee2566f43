"""The releases that this page reads, and which of their arrays."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, cast

import numpy as np
from anndata import AnnData

from beyond_alignment import keys
from beyond_alignment.benchmark.embeddings import COUNTS_EXPERT
from beyond_alignment.benchmark.tissue_pairs import TissuePair, task_contests, tissue_pair
from beyond_alignment.datasets.release import read_release
from beyond_alignment.experts.embed import field_name
from beyond_alignment.tasks import get_task
from beyond_alignment.tasks.labels import labelled
from beyond_alignment.tasks.splits import microns

release = cache(read_release)
TITLES: Mapping[str, str] = {"her2st": "HER2ST", "mob": "MOB", "crc_visium": "CRC"}
EXPRESSION, MORPHOLOGY, FIELD_UM, SEED = "pca", "mobilenetv2", 600, 0
FIELDS_UM: Mapping[str, int] = {"her2st": 600, "mob": 200, "crc_visium": 200}
"""Widest field of view that each was embedded at."""


def embeddings_read(data_set: str, experts: Iterable[str]) -> dict[str, Any]:
    """Return embeddings by name with units and places of the spots; counts where `pca` has no embedding."""
    adata = release(data_set)
    read = {keys.embedding(expert): _values(adata, expert) for expert in experts}
    read |= {name: adata.obs[name].astype(str).to_numpy() for name in (keys.SECTION, keys.DONOR)}
    return {f"{data_set} {name}": values for name, values in (read | {"places": microns(adata)}).items()}


def tasks_read(tasks: Iterable[str]) -> dict[str, Any]:
    """Return the arrays that tasks are posed from, with the pair of experts of :func:`pair_of`."""
    found: dict[str, Any] = {}
    for task in tasks:
        name = get_task(task).data_set
        found |= embeddings_read(name, [EXPRESSION, field_name(MORPHOLOGY, FIELDS_UM[name])]) | labels_read(task)
    return found


def pair_of(task: str, unit: str = "main") -> TissuePair:
    """Return both embeddings and the label of a task, with what is held out as groups.

    The unit ``main`` is that of the main split, or the next finer one of three or more; a single section is cut into
    blocks.
    """
    data_set = get_task(task).data_set
    tissue = release(data_set)
    where = {"expression": EXPRESSION, "morphology": MORPHOLOGY, "field_um": FIELD_UM}
    (contest,) = task_contests({data_set: tissue}, [task], **where)  # type: ignore[arg-type]
    return tissue_pair(tissue, contest if unit == "main" else replace(contest, split=cast(Any, unit)), seed=SEED)


def labels_read(task: str) -> dict[str, Any]:
    """Return the labels of a task and the spots that carry one."""
    spots, labels = labelled(release(get_task(task).data_set), task)
    return {f"{task} spots": spots, f"{task} labels": labels}


def _values(adata: AnnData, expert: str) -> Any:
    """Return what stands for an expert in the file itself."""
    key = keys.embedding(expert)
    return adata.X.toarray() if key not in adata.obsm and expert == COUNTS_EXPERT else np.asarray(adata.obsm[key])
