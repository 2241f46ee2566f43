"""Joint tables of symbols and labels, and what label noise and class imbalance make of them."""

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.information.discrete import check_distribution


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
    `p[i, j, y]`.
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
    """Joint table of two sources that each hold the label, replaced independently by another class.

    Parameters
    ----------
    n_classes
        Number of equally frequent classes.
    errors
        Probability that the symbol of either source is another class than the label.

    Returns
    -------
    `p[i, j, y]`.
    """
    channels = [np.eye(n_classes) * (1 - e) + (1 - np.eye(n_classes)) * e / (n_classes - 1) for e in errors]
    return np.einsum("yi,yj->ijy", *channels) / n_classes


def with_label_noise(p: ArrayLike, error: float) -> NDArray[np.float64]:
    """Replace the label by another class, any with equal probability.

    Parameters
    ----------
    p
        `p[i, j, y]`.
    error
        Probability of replacement.

    Returns
    -------
    `p[i, j, y]` of the noisy label.

    Raises
    ------
    InputError
        The error is no probability or there is one class.
    """
    table = check_distribution(p, ndim=3)
    if table.shape[2] < 2 or not 0 <= error <= 1:
        raise InputError(f"A label of {table.shape[2]} classes cannot be replaced with probability {error}.")
    others = (table.sum(axis=2, keepdims=True) - table) / (table.shape[2] - 1)
    return np.asarray((1 - error) * table + error * others)


def with_prior(p: ArrayLike, prior: ArrayLike) -> NDArray[np.float64]:
    """Change the class shares and leave the sources given the class as they are.

    Parameters
    ----------
    p
        `p[i, j, y]`.
    prior
        New share of each class (class,).

    Returns
    -------
    `p[i, j, y]` with the new shares.

    Raises
    ------
    InputError
        The shares are no distribution over the classes of `p`.
    """
    table, shares = check_distribution(p, ndim=3), check_distribution(prior, ndim=1)
    if len(shares) != table.shape[2]:
        raise InputError(f"There are {len(shares)} shares for {table.shape[2]} classes; pass one a class.")
    return np.asarray(table * (shares / table.sum(axis=(0, 1))))


def side_by_side(p: ArrayLike, q: ArrayLike) -> NDArray[np.float64]:
    """Joint table of two independent problems at once: sources and label hold a part of each.

    Parameters
    ----------
    p, q
        `p[i, j, y]` of either problem.

    Returns
    -------
    Table over the pairs of states and of classes, those of `q` changing fastest.
    """
    return np.asarray(np.kron(check_distribution(p, ndim=3), check_distribution(q, ndim=3)), dtype=np.float64)
