"""Labels, the modality that each was made from, and splits that do not leak."""

from beyond_alignment.tasks.domains import label_domains
from beyond_alignment.tasks.labels import (
    label_bacteria,
    label_cell_type,
    label_composition,
    label_region,
    labelled,
    set_labels,
    set_targets,
)
from beyond_alignment.tasks.niche import (
    NicheDefinition,
    fit_niches,
    label_niches,
    neighbour_composition,
    neighbour_mean,
    shares,
)
from beyond_alignment.tasks.registry import TASKS, Task, get_task
from beyond_alignment.tasks.splits import Split, leave_one_group_out, make_splits, microns, spatial_blocks, tiles

__all__ = [
    "TASKS",
    "NicheDefinition",
    "Split",
    "Task",
    "fit_niches",
    "get_task",
    "label_bacteria",
    "label_cell_type",
    "label_composition",
    "label_domains",
    "label_niches",
    "label_region",
    "labelled",
    "leave_one_group_out",
    "make_splits",
    "microns",
    "neighbour_composition",
    "neighbour_mean",
    "set_labels",
    "set_targets",
    "shares",
    "spatial_blocks",
    "tiles",
]
