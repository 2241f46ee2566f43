"""The hallmark gene sets."""

from pathlib import Path

from beyond_alignment.datasets.fetch import fetch
from beyond_alignment.errors import InputError

HALLMARK = "h.all.v7.0.symbols.gmt"


def hallmark_sets(
    *, cache: str | Path | None = None, mirror: str | Path | None = None, progress: bool = True
) -> dict[str, list[str]]:
    """Return the 50 MSigDB hallmark sets v7.0: pathway -> human gene symbols, in the file's order.

    Source: Liberzon et al., Cell Systems 2015.

    Raises
    ------
    InputError
        If the file cannot be had or is not the registered one.
    """
    return read_gmt(fetch("genesets", HALLMARK, cache=cache, mirror=mirror, progress=progress))


def read_gmt(path: Path) -> dict[str, list[str]]:
    """Read gene sets from a GMT file: name, description, genes, separated by tabs, one set a line.

    Raises
    ------
    InputError
        If a line has no genes or a name comes twice.
    """
    sets: dict[str, list[str]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        name, *rest = line.split("\t")
        genes = [gene for gene in rest[1:] if gene]
        if not genes or name in sets:
            found = "no genes" if not genes else f"{name} a second time"
            msg = f"{path.name}, line {number}: expected a new name, a description and genes, found {found}."
            raise InputError(msg)
        sets[name] = genes
    return sets
