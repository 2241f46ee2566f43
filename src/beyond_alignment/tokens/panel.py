"""The panel of genes in two parts: what a network reads, and what it predicts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from beyond_alignment.errors import InputError


@dataclass(frozen=True)
class Panel:
    """Two lists of genes that share none.

    Attributes
    ----------
    core
        Read as input.
    addon
        Predicted.

    Raises
    ------
    InputError
        A list is empty, names a gene twice, or both lists name one.
    """

    core: tuple[str, ...]
    addon: tuple[str, ...]

    def __post_init__(self) -> None:
        for name, genes in (("core", self.core), ("add-on", self.addon)):
            if not genes:
                raise InputError(f"There is no {name} gene: name one or more.")
            if twice := [gene for gene, number in Counter(genes).items() if number > 1]:
                raise InputError(f"{_few(twice)} stands more than once among the {name} genes: name each gene once.")
        if both := sorted(set(self.core) & set(self.addon)):
            raise InputError(
                f"{_few(both)} is both a core and an add-on gene, so its count would be input and target: "
                "take it off one of the lists."
            )


def split_panel(genes: Sequence[str], addon: Sequence[str] | int, *, seed: int = 0) -> Panel:
    """Split a panel into add-on genes, given or drawn, and core genes, which are all others.

    Parameters
    ----------
    genes
        The panel.
    addon
        Names, or how many to draw.
    seed
        Of the draw.

    Returns
    -------
    Panel
        Drawn genes and core genes in the order of ``genes``, given ones in their own.

    Raises
    ------
    InputError
        An add-on gene is not of the panel, or there are not as many.
    """
    panel = list(genes)
    if isinstance(addon, int):
        if not 0 < addon < len(panel):
            raise InputError(f"{addon} add-on genes cannot be drawn from {len(panel)}: draw fewer, and one at least.")
        drawn = np.sort(np.random.default_rng(seed).choice(len(panel), size=addon, replace=False))
        addon = [panel[number] for number in drawn]
    if unknown := [gene for gene in addon if gene not in set(panel)]:
        raise InputError(f"{_few(unknown)} is not among the {len(panel)} genes of the panel: check the names.")
    held_out = set(addon)
    return Panel(tuple(gene for gene in panel if gene not in held_out), tuple(addon))


def _few(genes: Sequence[str]) -> str:
    """Name up to three genes."""
    rest = f" and {len(genes) - 3} more" if len(genes) > 3 else ""
    return ", ".join(genes[:3]) + rest
