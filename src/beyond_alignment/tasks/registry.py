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
    """

    name: str
    data_set: str
    kind: Kind
    made_from: MadeFrom
    description: str
    splits: tuple[SplitKind, ...]


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
        Task("niche", "her2st", "classification", "neighbours", "cluster of the neighbours' composition", _PAIRED),
        Task("niche_epithelial", "her2st", "classification", "neighbours", "epithelial share around, tertile", _PAIRED),
        Task("niche_immune", "her2st", "classification", "neighbours", "immune share around, tertile", _PAIRED),
        Task("niche_mixing", "her2st", "classification", "neighbours", "mixing (entropy) around, tertile", _PAIRED),
        Task("domain", "mob", "classification", "neighbours", "domain: cluster of the neighbours' expression", _PAIRED),
        Task("bacteria", "crc_visium", "classification", "independent", "spot bears bacterial reads", ("block",)),
    )
}


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
