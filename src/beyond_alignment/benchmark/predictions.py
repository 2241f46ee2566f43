"""Out-of-fold predictions of one method on one task under one split."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
