"""Nested subsets of the training spots, on which learning curves are drawn."""

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.tasks.splits import Split

FRACTIONS = (0.01, 0.0316, 0.1, 0.316, 1.0)


def nested_order(labels: NDArray, *, seed: int) -> NDArray[np.intp]:
    """Order training spots so that every prefix holds the classes in proportion.

    Parameters
    ----------
    labels
        Labels (spot,); targets (spot, target) are ordered at random.
    seed
        Of the order.

    Returns
    -------
    NDArray[np.intp]
        A permutation (spot,): the prefixes are the nested training subsets.
    """
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(labels))
    if labels.ndim > 1:
        return shuffled
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = shuffled[labels[shuffled] == label]
        place[members] = (np.arange(len(members)) + rng.random()) / len(members)
    return np.argsort(place, kind="stable")


def subset(split: Split, labels: NDArray, *, fraction: float, seed: int) -> Split:
    """Return a split whose training part is the nested subset of a fraction, with two classes at least.

    Parameters
    ----------
    split
        The whole split.
    labels
        Labels or targets of all spots.
    fraction
        Share of the training spots kept, in (0, 1].
    seed
        Of the nesting: subsets of one seed are nested.

    Raises
    ------
    InputError
        If the fraction is out of range.
    """
    if not 0 < fraction <= 1:
        msg = f"A fraction of {fraction} of the training spots: give a number above 0 and at most 1."
        raise InputError(msg)
    order = split.train[nested_order(labels[split.train], seed=seed)]
    kept = max(round(fraction * len(order)), 2)
    if labels.ndim == 1:
        names = labels[order]
        while len(np.unique(names[:kept])) < 2 and kept < len(order):
            kept += 1
    return Split(split.name, np.sort(order[:kept]), split.test)
