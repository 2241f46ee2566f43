"""What a fusion method is given, checked: two embeddings of the same spots, their labels, groups and neighbours."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beyond_alignment.checks import finite_matrix
from beyond_alignment.errors import InputError
from beyond_alignment.fusion.rehearsal import inner_folds

Pair = tuple[ArrayLike, ArrayLike]
PartialPair = tuple[ArrayLike | None, ArrayLike | None]
Means = tuple[NDArray[np.float64], NDArray[np.float64]]
NAMES = ("expression", "morphology")


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """What one estimator is fitted on.

    Attributes
    ----------
    pair
        Embeddings of the training spots, each (spot, feature).
    labels
        Labels (spot,) or targets (spot, target).
    groups
        Groups that inner folds keep whole (spot,); None where there are none.
    neighbours
        Rows of the neighbours within the training spots (spot, neighbour), -1 for none; None for a method that does not
        read them.
    """

    pair: Pair
    labels: ArrayLike
    groups: ArrayLike | None = None
    neighbours: ArrayLike | None = None

    def subset(self, rows: NDArray[np.intp]) -> Self:
        """Return some of the spots; a neighbour that is not among them is none."""
        near = self.neighbours
        if near is not None:
            place = np.full(len(np.asarray(near)) + 1, -1)  # the last place is that of "none"
            place[rows] = np.arange(len(rows))
            near = place[np.asarray(near)[rows]]
        groups = None if self.groups is None else np.asarray(self.groups)[rows]
        pair = np.asarray(self.pair[0])[rows], np.asarray(self.pair[1])[rows]
        return type(self)(pair, np.asarray(self.labels)[rows], groups, near)

    def rehearsals(self, seed: int) -> list[tuple[Self, Self]]:
        """Return, for each inner fold, the spots that are left and those that are held out; none of a single spot.

        Parameters
        ----------
        seed
            Of the folds where there are no groups.
        """
        folds = inner_folds(len(np.asarray(self.labels)), self.groups, seed=seed)
        return [(self.subset(train), self.subset(test)) for train, test in folds]


def check_pair(pair: PartialPair, *, means: Means | None = None) -> Means:
    """Return both modalities as float arrays.

    Parameters
    ----------
    pair
        Two arrays (spot, feature). With ``means`` one of them may be None: a modality that is missing.
    means
        Mean of each modality over the training spots (feature,): stands in for a missing one.

    Raises
    ------
    InputError
        If they are not two finite (spot, feature) arrays with the same spots, and the features of the training spots.
    """
    if len(pair) != 2:
        msg = f"{len(pair)} arrays were given: X is the pair (x_expression, x_morphology)."
        raise InputError(msg)
    missing = [name for name, x in zip(NAMES, pair, strict=True) if x is None]
    if missing and (means is None or len(missing) == 2):
        msg = f"The {missing[0]} embedding is missing: training needs both, and prediction one of the two."
        raise InputError(msg)
    arrays = [
        None if x is None else finite_matrix(x, name=f"The {name} embedding")
        for name, x in zip(NAMES, pair, strict=True)
    ]
    there = [x for x in arrays if x is not None]
    if len(there[0]) != len(there[-1]):
        msg = f"The embeddings have {len(there[0])} and {len(there[-1])} rows: pass the same spots in both."
        raise InputError(msg)
    for i, (name, x) in enumerate(zip(NAMES, arrays, strict=True)):
        if x is not None and means is not None and x.shape[1] != len(means[i]):
            msg = f"The {name} embedding has {x.shape[1]} features, and {len(means[i])} in training: use one expert."
            raise InputError(msg)
    filled = [
        np.broadcast_to(means[i], (len(there[0]), len(means[i]))) if x is None and means is not None else x
        for i, x in enumerate(arrays)
    ]
    assert filled[0] is not None
    assert filled[1] is not None
    return filled[0], filled[1]


def check_neighbours(neighbours: ArrayLike | None, n: int) -> NDArray[np.int64]:
    """Return rows of neighbours (spot, neighbour), of no neighbour at all for None.

    Raises
    ------
    InputError
        If they are not integers from -1 to ``n`` - 1, one row a spot.
    """
    if neighbours is None:
        return np.zeros((n, 0), dtype=np.int64)
    rows = np.asarray(neighbours)
    if rows.ndim != 2 or len(rows) != n or not np.issubdtype(rows.dtype, np.integer):
        msg = f"Neighbours of shape {rows.shape} and type {rows.dtype} for {n} spots: pass integers (spot, neighbour)."
        raise InputError(msg)
    if rows.size and (rows.min() < -1 or rows.max() >= n):
        msg = f"Neighbours from {rows.min()} to {rows.max()} for {n} spots: count rows from 0, and use -1 for none."
        raise InputError(msg)
    return rows.astype(np.int64)


def check_training(given: TrainingSet, *, kind: str) -> tuple[Means, NDArray, NDArray[np.int64]]:
    """Return both modalities, the labels and the neighbours of a training set.

    Raises
    ------
    InputError
        If the shapes do not fit, a value is not finite, or there is one class alone.
    """
    pair = check_pair(given.pair)
    labels = np.asarray(given.labels)
    if len(labels) != len(pair[0]):
        msg = f"{len(labels)} labels for {len(pair[0])} spots: give one label a spot."
        raise InputError(msg)
    if kind == "classification" and len(np.unique(labels)) < 2:
        msg = f"Only one class among {len(labels)} training spots: a classifier needs two or more."
        raise InputError(msg)
    if kind == "regression" and not np.isfinite(labels.astype(np.float64)).all():
        msg = "The targets hold values that are not finite: remove these spots."
        raise InputError(msg)
    return pair, labels, check_neighbours(given.neighbours, len(labels))
