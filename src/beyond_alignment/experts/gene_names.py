"""Finds the genes that a model knows in a data set, whatever way either of them is written."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from beyond_alignment.errors import InputError

ENSEMBL = re.compile(r"(ENS(?:[A-Z]{3,4})?G\d{6,})(?:\.\d+)?(?:_PAR_Y)?", re.IGNORECASE)


@dataclass(frozen=True)
class GeneMatch:
    """Which columns of a data set hold the wanted genes: pairs of ``columns`` and ``positions`` among the wanted.

    A gene of several columns occurs several times; genes found ``by_case`` alone hint at another species.
    """

    columns: NDArray[np.intp]
    positions: NDArray[np.intp]
    n_columns: int
    n_wanted: int
    missing: tuple[str, ...]
    by_case: tuple[str, ...]

    @property
    def n_shared(self) -> int:
        """Number of wanted genes that were measured."""
        return self.n_wanted - len(self.missing)

    def select(self, counts: NDArray[np.number] | sparse.spmatrix) -> sparse.csr_matrix:
        """Return counts (spot, wanted gene): 0 where a gene was not measured, columns of the same gene summed."""
        ones = np.ones(len(self.columns), dtype=np.float32)
        shape = (self.n_columns, self.n_wanted)
        return sparse.csr_matrix(counts) @ sparse.csr_matrix((ones, (self.columns, self.positions)), shape=shape)


def is_ensembl(names: Sequence[str]) -> bool:
    """Return whether at least half of the names are Ensembl gene identifiers."""
    return len(names) > 0 and 2 * sum(bool(ENSEMBL.fullmatch(name)) for name in names) >= len(names)


def plain_name(name: str) -> str:
    """Return a gene name without the version of an Ensembl identifier and without spaces around it."""
    found = ENSEMBL.fullmatch(name.strip())
    return found[1].upper() if found else name.strip()


def match_genes(var_names: Sequence[str], wanted: Sequence[str], *, min_shared: int | float) -> GeneMatch:
    """Match genes by name: exactly at first, then without Ensembl versions, then without case.

    ``min_shared`` of the wanted genes must be measured: a number, or as a float up to 1.0 a share of them.
    """
    have, want = [str(name) for name in var_names], [str(name) for name in wanted]
    doubled = [name for name, n in Counter(want).items() if n > 1]
    if doubled:
        msg = f"{len(doubled)} wanted genes are listed more than once, such as {doubled[0]!r}: list each once."
        raise InputError(msg)
    exact = {name: place for place, name in enumerate(want)}
    plain = {plain_name(name): place for place, name in reversed(list(enumerate(want)))}
    folded = {plain_name(name).upper(): place for place, name in reversed(list(enumerate(want)))}
    columns, positions, precise = [], [], set()
    for column, name in enumerate(have):
        place = exact.get(name, plain.get(plain_name(name)))
        if place is not None:
            precise.add(place)
        else:
            place = folded.get(plain_name(name).upper())
        if place is not None:
            columns.append(column)
            positions.append(place)
    times = set(positions)
    _check_shared(have, want, len(times), min_shared)
    return GeneMatch(
        np.array(columns, dtype=np.intp),
        np.array(positions, dtype=np.intp),
        len(have),
        len(want),
        missing=tuple(name for place, name in enumerate(want) if place not in times),
        by_case=tuple(name for place, name in enumerate(want) if place in times and place not in precise),
    )


def _check_shared(have: list[str], want: list[str], n_shared: int, min_shared: int | float) -> None:
    """Refuse too few genes in common."""
    is_share = isinstance(min_shared, float)
    if min_shared < 0 or (is_share and min_shared > 1):
        msg = f"min_shared is {min_shared}: give a number of genes, or a share between 0.0 and 1.0."
        raise InputError(msg)
    needed = int(np.ceil(min_shared * len(want))) if is_share else int(min_shared)
    if n_shared >= needed:
        return
    kinds = ["Ensembl identifiers" if is_ensembl(names) else "symbols" for names in (have, want)]
    reason = (
        f"the data has {kinds[0]} and the model {kinds[1]}: use the column of var that holds {kinds[1]}"
        if kinds[0] != kinds[1]
        else "check the species and that no genes were left out"
    )
    msg = (
        f"{n_shared} of the {len(want)} genes that the model knows are in the data and at least {needed} are needed. "
        f"The data has {', '.join(have[:3]) or 'no genes'}; the model {', '.join(want[:3]) or 'none'}; {reason}."
    )
    raise InputError(msg)
