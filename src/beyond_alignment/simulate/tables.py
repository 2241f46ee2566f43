"""Joint tables of what two sources hold and a label, from rules, noisy views and laws of continuous quantities."""

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from beyond_alignment.errors import InputError
from beyond_alignment.information.exact import check_distribution

N_CELLS = 64
N_NODES = 4

Law = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
"""From two quantities, each uniform on 0 to 1, to the probability of class 1."""


def symbol_table(
    sizes: Mapping[str, int], first: tuple[str, ...], second: tuple[str, ...], rule: Callable[..., Any]
) -> NDArray[np.float64]:
    """Joint table of two sources that hold named symbols, all uniform and independent.

    Parameters
    ----------
    sizes
        Name of the symbol -> number of values.
    first, second
        Names that each source holds; a name in both is shared.
    rule
        From the symbols' values, by name, to the class.

    Returns
    -------
    `p[i, j, y]`; the last symbol of a source changes fastest in its state.
    """
    names = tuple(sizes)
    rows = []
    for values in product(*(range(sizes[name]) for name in names)):
        held = dict(zip(names, values, strict=True))
        state = [
            int(np.ravel_multi_index([held[name] for name in of], [sizes[name] for name in of]))
            for of in (first, second)
        ]
        rows.append((*state, int(rule(**held))))
    shape = [int(np.prod([sizes[name] for name in of])) for of in (first, second)]
    p = np.zeros((*shape, max(y for *_, y in rows) + 1))
    np.add.at(p, tuple(np.transpose(rows)), 1 / len(rows))
    return p


def noisy_views(n_classes: int, errors: tuple[float, float]) -> NDArray[np.float64]:
    """Joint table of two sources that each hold a uniform label, or by an error of its own another class."""
    channels = [np.eye(n_classes) * (1 - e) + (1 - np.eye(n_classes)) * e / (n_classes - 1) for e in errors]
    return np.einsum("yi,yj->ijy", *channels) / n_classes


def with_label_noise(p: ArrayLike, error: float) -> NDArray[np.float64]:
    """Replace the label, with the probability of an error, by another class, any as likely."""
    table = check_distribution(p, ndim=3)
    if table.shape[2] < 2 or not 0 <= error <= 1:
        raise InputError(f"A label of {table.shape[2]} classes cannot be replaced with probability {error}.")
    others = (table.sum(axis=2, keepdims=True) - table) / (table.shape[2] - 1)
    return np.asarray((1 - error) * table + error * others)


def with_prior(p: ArrayLike, prior: ArrayLike) -> NDArray[np.float64]:
    """Change the class shares to a prior (class,) and leave the sources given the class as they are."""
    table, shares = check_distribution(p, ndim=3), check_distribution(prior, ndim=1)
    if len(shares) != table.shape[2]:
        raise InputError(f"There are {len(shares)} shares for {table.shape[2]} classes; pass one a class.")
    return np.asarray(table * (shares / table.sum(axis=(0, 1))))


def side_by_side(p: ArrayLike, q: ArrayLike) -> NDArray[np.float64]:
    """Joint table of two independent problems at once, the states and classes of `q` changing fastest."""
    return np.asarray(np.kron(check_distribution(p, ndim=3), check_distribution(q, ndim=3)), dtype=np.float64)


def additive_law(gain1: float, gain2: float) -> Law:
    """Probability of class 1 that is logistic in a weighted sum of two quantities, each centred on 0."""
    return lambda z1, z2: expit(gain1 * (z1 - 0.5) + gain2 * (z2 - 0.5))


def interaction_law(error: float, *, centre1: float = 0.5, centre2: float = 0.5) -> Law:
    """Probability of class 1: whether both quantities lie on the same side of their centres, with errors."""
    return lambda z1, z2: np.where((z1 > centre1) == (z2 > centre2), 1 - error, error)


def wave_law(gain: float) -> Law:
    """Probability of class 1 that is logistic in the cosine of a difference: smooth, and nothing from one alone."""
    return lambda z1, z2: expit(gain * np.cos(2 * np.pi * (z1 - z2)))


def continuous_table(law: Law, n_cells: int = N_CELLS) -> NDArray[np.float64]:
    """Joint table of two independent uniform quantities, cut into cells, and a label of two classes.

    The law's mean over each pair of cells, by Gauss-Legendre quadrature, is the scenario's law: samples are drawn from
    this table, uniformly within a cell, so the table's decomposition is their exact truth and not an approximation.
    Half as many cells change each information of the scenarios by at most 0.006 bits and the score by 0.0002; laws with
    edges put them on edges of cells.
    """
    nodes, weights = np.polynomial.legendre.leggauss(N_NODES)
    z = ((np.arange(n_cells)[:, None] + (nodes + 1) / 2) / n_cells).ravel()
    values = law(z[:, None], z[None, :]).reshape(n_cells, N_NODES, n_cells, N_NODES)
    one = np.einsum("iajb,a,b->ij", values, weights / 2, weights / 2) / n_cells**2
    return np.stack([1 / n_cells**2 - one, one], axis=2)
