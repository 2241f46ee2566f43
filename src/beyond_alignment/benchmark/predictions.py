"""Out-of-fold predictions of one method on one task under one split."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.tasks.splits import Split

Arrays = dict[str, NDArray]


@dataclass(frozen=True)
class Predictions:
    """What a method predicted for every spot that was held out once.

    Attributes
    ----------
    positions
        Positions of the spots in the data set (spot,).
    truth
        Index of the true class (spot,), or the true targets (spot, target); NaN where the fold of the spot does not
        score the target.
    probability
        p(y | x) (spot, class), or the predicted targets (spot, target).
    guess
        Index of the predicted class (spot,); empty for regression.
    frequency
        p(y), class frequencies of the training folds (spot, class), or their mean targets (spot, target).
    classes
        Names of the classes; empty for regression.
    tiles
        Tile of each spot, the unit that intervals resample (spot,).
    strata
        Section of each spot (spot,).
    n_train
        Training spots of each fold (fold,).
    n_missing_classes
        Classes that are tested in a fold but absent from its training spots, summed over folds.
    folds
        Name of the fold that held the spot out (spot,).
    """

    positions: NDArray[np.intp]
    truth: NDArray[np.intp] | NDArray[np.float64]
    probability: NDArray[np.float64]
    guess: NDArray[np.intp]
    frequency: NDArray[np.float64]
    classes: tuple[str, ...]
    tiles: NDArray[np.str_]
    strata: NDArray[np.str_]
    n_train: tuple[int, ...]
    n_missing_classes: int
    folds: NDArray[np.str_] | None = None


def by_fold(found: Predictions, folds: Sequence[Split]) -> list[Predictions]:
    """Return the predictions of each fold."""
    ends = np.cumsum([len(fold.test) for fold in folds])
    arrays = _arrays(found)
    parts = []
    for end, fold in zip(ends, folds, strict=True):
        rows = slice(end - len(fold.test), end)
        parts.append(replace(found, **{name: values[rows] for name, values in arrays.items()}))
    return parts


def join_folds(parts: Sequence[Predictions]) -> Predictions:
    """Join predictions of single folds to those of all spots."""
    arrays = [_arrays(part) for part in parts]
    joined: dict[str, Any] = {name: np.concatenate([own[name] for own in arrays]) for name in arrays[0]}
    sizes = tuple(size for part in parts for size in part.n_train)
    missing = sum(part.n_missing_classes for part in parts)
    return replace(parts[0], **joined, n_train=sizes, n_missing_classes=missing)


def _arrays(found: Predictions) -> dict[str, Any]:
    """Return what has one row a spot, by name."""
    values = {field.name: getattr(found, field.name) for field in fields(found)}
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
