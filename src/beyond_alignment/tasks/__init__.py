"""Labels, the modality that each was made from, and splits that do not leak."""

from beyond_alignment.tasks.domains import label_domains
from beyond_alignment.tasks.imputation import chosen_by_folds, hold_out_fixed_genes, other_genes
from beyond_alignment.tasks.labels import (
    absence,
    label_bacteria,
    label_cell_type,
    label_composition,
    label_region,
    labelled,
    set_labels,
    set_targets,
)
from beyond_alignment.tasks.microenvironment import label_bacteria_around, label_interface, label_mixing
from beyond_alignment.tasks.niche import (
    NicheDefinition,
    fit_niches,
    label_niches,
    neighbour_composition,
    neighbour_mean,
    shares,
)
from beyond_alignment.tasks.registry import CORE_TASKS, RING_EDGES_UM, TASKS, Task, get_task, ring_name, task_set
from beyond_alignment.tasks.rings import expression_clusters, label_rings, ring_mean
from beyond_alignment.tasks.splits import (
    Split,
    leave_one_group_out,
    make_splits,
    microns,
    spatial_blocks,
    split_task,
    tiles,
)

__all__ = [
    "CORE_TASKS",
    "RING_EDGES_UM",
    "TASKS",
    "NicheDefinition",
    "Split",
    "Task",
    "absence",
    "chosen_by_folds",
    "expression_clusters",
    "fit_niches",
    "get_task",
    "hold_out_fixed_genes",
    "label_bacteria",
    "label_bacteria_around",
    "label_cell_type",
    "label_composition",
    "label_domains",
    "label_interface",
    "label_mixing",
    "label_niches",
    "label_region",
    "label_rings",
    "labelled",
    "leave_one_group_out",
    "make_splits",
    "microns",
    "neighbour_composition",
    "neighbour_mean",
    "other_genes",
    "ring_mean",
    "ring_name",
    "set_labels",
    "set_targets",
    "shares",
    "spatial_blocks",
    "split_task",
    "task_set",
    "tiles",
]
