"""Named subsets of the grid folds x seeds x methods over all tasks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from anndata import AnnData

from beyond_alignment.benchmark.plan import plan_contests
from beyond_alignment.benchmark.problem import Contest
from beyond_alignment.errors import InputError
from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.fusion.registry import Size
from beyond_alignment.tasks import get_task
from beyond_alignment.tasks.registry import TASKS

QUICK_TASKS = ("cell_type", "region", "domain")
PUBLISHED = (
    *("clip", "simclr", "deep_infomax", "deep_cca", "barlow_twins", "vicreg", "projection", "byol", "simsiam"),
    *("comm", "tensor_fusion", "low_rank", "bilinear", "gated", "cross_attention"),
)
"""Methods whose papers give a size of at most 2.5 million trained parameters, which two cores can train."""


@dataclass(frozen=True)
class GridSet:
    """What a named grid runs, each task under its main split.

    Attributes
    ----------
    methods
        Names of fusion methods.
    tasks
        Names of tasks.
    n_seeds
        Seeds 0, 1, ... of every method.
    field_um
        Field of view of the patches, microns.
    size
        Of the networks, as in :func:`~beyond_alignment.fusion.make_fusion`.
    """

    methods: tuple[str, ...]
    tasks: tuple[str, ...]
    n_seeds: int
    field_um: int = 600
    size: Size = "common"

    @property
    def options(self) -> dict[str, dict[str, str]]:
        """What :func:`run_grid` hands to each method with a network."""
        trained = [name for name in self.methods if FUSION_METHODS[name].network is not None]
        return {} if self.size == "common" else {name: {"size": self.size} for name in trained}


GRID_SETS: Mapping[str, GridSet] = {
    "quick": GridSet(
        methods=(
            *("expression_only", "morphology_only", "concat", "late_average", "cca", "clip"),
            *("cross_attention", "attention_pooling", "synergy_max"),
        ),
        tasks=QUICK_TASKS,
        n_seeds=2,
    ),
    "published": GridSet(methods=PUBLISHED, tasks=("region", "domain"), n_seeds=1, size="published"),
    "published_quick": GridSet(methods=("clip",), tasks=("domain",), n_seeds=1, size="published"),
    "reference": GridSet(methods=tuple(FUSION_METHODS), tasks=tuple(TASKS), n_seeds=5),
}
"""Named grids: ``quick``, one or two methods of each family on three tasks, in minutes;
``published``, methods at the size of their paper, and ``published_quick`` one of them on one task; ``reference``, every
method on every task, simulated tissue included.
"""


def plan_grid(data_sets: Mapping[str, AnnData], name: str) -> list[Contest]:
    """List the contests of a named grid.

    Parameters
    ----------
    data_sets
        Releases by name, simulated tissue among them where it is to be run.
    name
        One of :data:`GRID_SETS`.

    Raises
    ------
    InputError
        If there is no such grid.
    """
    if name not in GRID_SETS:
        raise InputError(f"There is no grid {name!r}: choose {' or '.join(GRID_SETS)}.")
    chosen = GRID_SETS[name]
    planned = plan_contests(
        data_sets,
        fields_um=(chosen.field_um,),
        methods=chosen.methods,
        tasks=chosen.tasks,
        n_seeds=chosen.n_seeds,
    )
    return under_main_split(planned)


def under_main_split(contests: Iterable[Contest]) -> list[Contest]:
    """Return the contests under the main split of their task: by donor, or by block inside a single section."""
    return [contest for contest in contests if contest.split == get_task(contest.task).splits[0]]
