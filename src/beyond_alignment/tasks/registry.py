"""The tasks that fusion is scored on: one record each, with the modality that its labels were made from."""

from dataclasses import dataclass
from typing import Literal

from beyond_alignment.errors import InputError

MadeFrom = Literal["expression", "morphology", "neighbours", "independent", "simulated"]
Kind = Literal["classification", "regression"]
SplitKind = Literal["donor", "section", "block"]


@dataclass(frozen=True)
class Task:
    """A label for every spot, where it came from, and how it may be split.

    Attributes
    ----------
    name
        Labels are in ``obs["task_<name>"]`` (classification) or ``obsm["task_<name>"]`` (regression).
    data_set
        The release that carries it.
    kind
        ``classification`` or ``regression``.
    made_from
        What the labels were made from: a label made from a modality is not independent of it.
    description
        One clause for tables.
    splits
        The splits it is scored under, the main one first.
    reach_um
        How far around a spot its label looks, microns; 0 where it looks at the spot alone.
    imputes
        Whether its targets are genes: an expert of expression must then not have seen them.
    """

    name: str
    data_set: str
    kind: Kind
    made_from: MadeFrom
    description: str
    splits: tuple[SplitKind, ...]
    reach_um: float = 0.0
    imputes: bool = False


RING_EDGES_UM: dict[str, tuple[int, ...]] = {
    "her2st": (300, 500, 700, 900),
    "mob": (220, 400, 600, 800),
    "crc_visium": (150, 250, 350, 450),
    "simulated": (150, 300, 450),
}
"""Outer edges of the rings around a spot, microns: the first holds the 6 to 11 spots that touch it."""

NEIGHBOUR_RADIUS_UM = {"her2st": 300.0, "mob": 220.0, "crc_visium": 150.0, "simulated": 150.0}

_PREFIX = {"her2st": "", "mob": "mob_", "crc_visium": "crc_", "simulated": "simulated_"}


def ring_name(data_set: str, edge_um: int) -> str:
    """Return the name of the task that asks for the composition of a ring with this outer edge."""
    return f"{_PREFIX[data_set]}ring_{edge_um}um"


def _rings(data_set: str, splits: tuple[SplitKind, ...], made_from: MadeFrom = "neighbours") -> tuple[Task, ...]:
    """Return the ring tasks of a data set, from near to far."""
    edges = RING_EDGES_UM[data_set]
    return tuple(
        Task(
            ring_name(data_set, outer),
            data_set,
            "regression",
            made_from,
            f"composition of the spots {inner} to {outer} um away",
            splits,
            reach_um=float(outer),
        )
        for inner, outer in zip((0, *edges), edges, strict=False)
    )


def _around(
    name: str,
    data_set: str,
    description: str,
    splits: tuple[SplitKind, ...],
    made_from: MadeFrom = "neighbours",
) -> Task:
    """Return a classification of what surrounds a spot."""
    reach = NEIGHBOUR_RADIUS_UM[data_set]
    return Task(name, data_set, "classification", made_from, description, splits, reach_um=reach)


def _genes(name: str, data_set: str, splits: tuple[SplitKind, ...]) -> Task:
    """Return the imputation of genes from the other genes and morphology."""
    what = "log expression of genes that the expression expert does not see"
    return Task(name, data_set, "regression", "expression", what, splits, imputes=True)


def _simulated(name: str, description: str) -> Task:
    """Return a classification on simulated tissue, whose decomposition is known."""
    return Task(name, "simulated", "classification", "simulated", description, _PAIRED)


_PAIRED: tuple[SplitKind, ...] = ("donor", "section")

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task("cell_type", "her2st", "classification", "expression", "dominant cell type of the spot", _PAIRED),
        Task(
            "composition", "her2st", "regression", "expression", "proportions of eight cell types in the spot", _PAIRED
        ),
        Task(
            "region", "her2st", "classification", "morphology", "tissue region drawn by a pathologist (A1)", ("block",)
        ),
        _around("niche", "her2st", "cluster of the neighbours' composition", _PAIRED),
        _around("niche_epithelial", "her2st", "epithelial share around, tertile", _PAIRED),
        _around("niche_immune", "her2st", "immune share around, tertile", _PAIRED),
        _around("niche_mixing", "her2st", "mixing (entropy) around, tertile", _PAIRED),
        _around("interface", "her2st", "contact of tumour and immune cells around, tertile", _PAIRED),
        *_rings("her2st", _PAIRED),
        _genes("genes", "her2st", _PAIRED),
        _around("domain", "mob", "domain: cluster of the neighbours' expression", _PAIRED),
        _around("mob_mixing", "mob", "mixing (entropy) of the expression clusters around, tertile", _PAIRED),
        *_rings("mob", _PAIRED),
        _genes("mob_genes", "mob", _PAIRED),
        Task("bacteria", "crc_visium", "classification", "independent", "spot bears bacterial reads", ("block",)),
        _around("bacteria_around", "crc_visium", "neighbours that bear bacterial reads", ("block",), "independent"),
        _around("crc_domain", "crc_visium", "domain: cluster of the neighbours' expression", ("block",)),
        *_rings("crc_visium", ("block",)),
        _genes("crc_genes", "crc_visium", ("block",)),
        _simulated("simulated_redundant", "a bit that both experts hold"),
        _simulated("simulated_unique1", "a bit that the expression expert alone holds"),
        _simulated("simulated_unique2", "a bit that the morphology expert alone holds"),
        _simulated("simulated_and", "AND of a bit of each expert: all synergy is additive"),
        _simulated("simulated_xor", "XOR of a bit of each expert: all synergy is interaction"),
        _simulated("simulated_mixed", "shared bit, unique bit and XOR at once"),
        _simulated("simulated_niche", "niche: a bit of each expert, neither of the other"),
        *_rings("simulated", _PAIRED, "simulated"),
    )
}


CORE_TASKS = (
    "cell_type",
    "composition",
    "region",
    "niche",
    "niche_epithelial",
    "niche_immune",
    "niche_mixing",
    "domain",
    "bacteria",
)
"""What pages show: each data set's own labels, without the families of rings, genes and mixtures."""


def task_set(name: str) -> tuple[str, ...]:
    """Return the names of the tasks of a set: ``core``, or ``all`` of real tissue.

    Raises
    ------
    InputError
        If there is no set of that name.
    """
    sets = {"core": CORE_TASKS, "all": tuple(task.name for task in TASKS.values() if task.made_from != "simulated")}
    if name not in sets:
        msg = f"There is no set of tasks {name!r}; known are {', '.join(sets)}."
        raise InputError(msg)
    return sets[name]


def get_task(name: str) -> Task:
    """Return the record of a task.

    Raises
    ------
    InputError
        If there is no task of that name.
    """
    if name not in TASKS:
        msg = f"There is no task {name!r}; known are {', '.join(TASKS)}."
        raise InputError(msg)
    return TASKS[name]
