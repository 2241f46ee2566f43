"""Exact distributions of the gates whose decomposition is known by hand, and tables of what is found for them."""

from collections.abc import Callable
from itertools import product
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.information.exact import broja, imin
from beyond_alignment.information.sis import sis_gain

EXACT, COMPARED = "BROJA", "I_min"
TOLERANCE = 1e-10
VIEW_ERROR = 0.1
_FAIR = np.full((2, 2), 0.25)
_SAME = np.diag([0.5, 0.5])
_CHANNEL = np.array([[1 - VIEW_ERROR, VIEW_ERROR], [VIEW_ERROR, 1 - VIEW_ERROR]])


def _deterministic(
    sources: NDArray[np.float64], rule: Callable[[int, int], int], n_outcomes: int
) -> NDArray[np.float64]:
    """Joint distribution p[i, j, y] of two sources, distributed as `sources`, and a target that is `rule(i, j)`."""
    p = np.zeros((*sources.shape, n_outcomes))
    for i, j in product(*map(range, sources.shape)):
        p[i, j, rule(i, j)] += sources[i, j]
    return p


_GATES: dict[str, NDArray[np.float64]] = {
    "redundant": _deterministic(_SAME, lambda i, j: i, 2),
    "unique1": _deterministic(_FAIR, lambda i, j: i, 2),
    "unique2": _deterministic(_FAIR, lambda i, j: j, 2),
    "copy": _deterministic(_FAIR, lambda i, j: 2 * i + j, 4),
    "xor": _deterministic(_FAIR, lambda i, j: i ^ j, 2),
    "and": _deterministic(_FAIR, lambda i, j: i & j, 2),
    "sum": _deterministic(_FAIR, lambda i, j: i + j, 3),
    "noisy_views": np.einsum("yi,yj->ijy", _CHANNEL, _CHANNEL) / 2,
}


def _side_by_side(*names: str) -> NDArray[np.float64]:
    """Independent gates as one, whose states are tuples with one entry a gate."""
    joint = np.ones((1, 1, 1))
    for name in names:
        joint = np.asarray(np.kron(joint, _GATES[name]), dtype=np.float64)
    return joint


_W = np.zeros((2, 2, 2))
_W[[1, 0, 0], [0, 1, 0], [0, 0, 1]] = 1 / 3
_FURTHER: dict[str, NDArray[np.float64]] = {
    "or": _deterministic(_FAIR, lambda i, j: i | j, 2),
    "add_mod3": _deterministic(np.full((3, 3), 1 / 9), lambda i, j: (i + j) % 3, 3),
    "noisy_xor": np.einsum("ijz,zy->ijy", _GATES["xor"], _CHANNEL),
    "xorand": _deterministic(_FAIR, lambda i, j: 2 * (i & j) + (i ^ j), 3),
    "rdnxor": _side_by_side("redundant", "xor"),
    "rdnunqxor": _side_by_side("redundant", "copy", "xor"),
    "w": _W,
}
for _table in (*_GATES.values(), *_FURTHER.values()):
    _table.setflags(write=False)

GATES = MappingProxyType(_GATES)
"""Name of the gate -> read-only `p[i, j, y]`: the eight that the book draws."""

FURTHER_GATES = MappingProxyType(_FURTHER)
"""The same for gates of the literature on which definitions of redundancy are tested."""


def gate(name: str) -> NDArray[np.float64]:
    """Exact joint distribution p[i, j, y] of x1, x2 and the target of a textbook gate on fair bits; a fresh array.

    The names: `redundant` (x1 = x2 = y), `unique1` (y = x1), `unique2` (y = x2), `copy` (y = (x1, x2)), `xor`, `and`,
    `sum` (y = x1 + x2) and `noisy_views` (x1 and x2 are y, each flipped with probability 0.1); of `FURTHER_GATES`,
    `or`, `add_mod3` (addition modulo 3), `noisy_xor` (flipped with probability 0.1), `xorand` (y = both), `rdnxor` and
    `rdnunqxor` (`redundant`, `copy` and `xor` side by side) and `w` (one of x1, x2, y is 1, each as likely).
    """
    gates = {**GATES, **FURTHER_GATES}
    if name not in gates:
        raise InputError(f"There is no gate {name!r}; choose one of {', '.join(gates)}.")
    return gates[name].copy()


def decompose_gates() -> pd.DataFrame:
    """Decompose every gate by the measures of Bertschinger et al. (2014) and of Williams & Beer (2010).

    Returns
    -------
    pandas.DataFrame
        Two rows a gate: gate, measure (``BROJA`` or ``I_min``), I1, I2, I12, redundancy, unique1, unique2, synergy in
        bits; for BROJA also synergy_additive, synergy_interaction, gap in bits and sis, without unit.
    """
    rows = []
    for name in GATES:
        exact = broja(gate(name), tolerance=TOLERANCE)
        parts = {term: round(getattr(exact, term), 9) for term in ("synergy_additive", "synergy_interaction", "sis")}
        for measure, pid in ((EXACT, exact), (COMPARED, imin(gate(name)))):
            terms = ("I1", "I2", "I12", "redundancy", "unique1", "unique2", "synergy")
            row = {term: round(getattr(pid, term), 9) + 0.0 for term in terms}  # rounded to what is certified
            further = parts | {"gap": exact.gap} if measure == EXACT else {}
            rows.append({"gate": name, "measure": measure} | row | further)
    return pd.DataFrame(rows)


def published_score_of_gates() -> pd.DataFrame:
    """Apply the published score to exact mutual informations of textbook gates.

    Returns
    -------
    pandas.DataFrame
        One row a gate: I1, I2, I12 in bits, the score on them (``undefined`` where no source tells anything alone),
        and of the gate's exact decomposition the synergy in bits and its share of I12, sis.
    """
    table = decompose_gates()
    rows = []
    for found in table[table["measure"] == EXACT].to_dict(orient="records"):
        try:
            score: float | str = round(float(sis_gain(found["I12"], found["I1"], found["I2"])), 9) + 0.0
        except InputError:
            score = "undefined"
        row = {name: found[name] for name in ("gate", "I1", "I2", "I12")}
        rows.append(row | {"score": score, "synergy": found["synergy"], "sis": found["sis"]})
    return pd.DataFrame(rows)
