"""Exact distributions of the gates whose decomposition is known by hand."""

from collections.abc import Callable
from itertools import product
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.errors import InputError

VIEW_ERROR = 0.1
_FAIR = np.full((2, 2), 0.25)
_SAME = np.diag([0.5, 0.5])
_CHANNEL = np.array([[1 - VIEW_ERROR, VIEW_ERROR], [VIEW_ERROR, 1 - VIEW_ERROR]])


def deterministic_gate(
    sources: NDArray[np.float64], rule: Callable[[int, int], int], n_outcomes: int
) -> NDArray[np.float64]:
    """Joint distribution of two sources and a target that is a function of them.

    Parameters
    ----------
    sources
        `q[i, j]`, the joint distribution of the sources.
    rule
        Maps the states i and j to the target's state.
    n_outcomes
        Number of target states.

    Returns
    -------
    `p[i, j, y]`.
    """
    p = np.zeros((*sources.shape, n_outcomes))
    for i, j in product(*map(range, sources.shape)):
        p[i, j, rule(i, j)] += sources[i, j]
    return p


def _noisy_views() -> NDArray[np.float64]:
    """Two independent copies of one fair bit, each flipped with probability `VIEW_ERROR`."""
    return np.einsum("yi,yj->ijy", _CHANNEL, _CHANNEL) / 2


_GATES: dict[str, NDArray[np.float64]] = {
    "redundant": deterministic_gate(_SAME, lambda i, j: i, 2),
    "unique1": deterministic_gate(_FAIR, lambda i, j: i, 2),
    "unique2": deterministic_gate(_FAIR, lambda i, j: j, 2),
    "copy": deterministic_gate(_FAIR, lambda i, j: 2 * i + j, 4),
    "xor": deterministic_gate(_FAIR, lambda i, j: i ^ j, 2),
    "and": deterministic_gate(_FAIR, lambda i, j: i & j, 2),
    "sum": deterministic_gate(_FAIR, lambda i, j: i + j, 3),
    "noisy_views": _noisy_views(),
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
    "or": deterministic_gate(_FAIR, lambda i, j: i | j, 2),
    "add_mod3": deterministic_gate(np.full((3, 3), 1 / 9), lambda i, j: (i + j) % 3, 3),
    "noisy_xor": np.einsum("ijz,zy->ijy", _GATES["xor"], _CHANNEL),
    "xorand": deterministic_gate(_FAIR, lambda i, j: 2 * (i & j) + (i ^ j), 3),
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
    """Exact joint distribution of a textbook gate on fair bits.

    Parameters
    ----------
    name
        `redundant` (x1 = x2 = y), `unique1` (y = x1), `unique2` (y = x2), `copy` (y = (x1, x2)), `xor`, `and`,
        `sum` (y = x1 + x2) or `noisy_views` (x1 and x2 are y, each flipped with probability 0.1); or, of
        `FURTHER_GATES`, `or`, `add_mod3` (addition modulo 3), `noisy_xor` (flipped with probability 0.1), `xorand`
        (y = both), `rdnxor` and `rdnunqxor` (`redundant`, `copy` and `xor` side by side) or `w` (one of x1, x2, y
        is 1, each as likely).

    Returns
    -------
    `p[i, j, y]`, the probability of x1 = i, x2 = j and Y = y; a fresh array.

    Raises
    ------
    InputError
        There is no gate of that name.
    """
    gates = {**GATES, **FURTHER_GATES}
    if name not in gates:
        raise InputError(f"There is no gate {name!r}; choose one of {', '.join(gates)}.")
    return gates[name].copy()
