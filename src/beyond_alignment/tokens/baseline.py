"""The Min-MAE baseline: each add-on gene is copied from the one core gene that is nearest to it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.tiles import Tiles


@dataclass(frozen=True)
class MinMAE:
    """The core gene that stands for each add-on gene.

    Attributes
    ----------
    core_gene
        Position of the core gene (add-on gene,).
    training_mae
        Mean absolute error of the copy over the training tiles, in log1p of counts (add-on gene,).
    """

    core_gene: NDArray[np.intp]
    training_mae: NDArray[np.float64]

    def predict(self, core: NDArray[np.floating]) -> NDArray[np.float64]:
        """Copy log1p of the counts of the chosen core genes: (tile, core gene) to (tile, add-on gene).

        Parameters
        ----------
        core
            Counts of the core genes in each tile.
        """
        return np.log1p(np.asarray(core, dtype=np.float64)[:, self.core_gene])


def fit_min_mae(tiles: Tiles, train: ArrayLike) -> MinMAE:
    """Choose, for each add-on gene, the core gene with the smallest mean absolute error over training tiles.

    Source: Martinelli et al., the baseline that needs no network.

    Parameters
    ----------
    tiles
        All tiles.
    train
        Positions of the training tiles (tile,); no other is looked at.

    Raises
    ------
    InputError
        There is no training tile.
    """
    rows = tiles.positions(train)
    if not len(rows):
        raise InputError("There is no training tile: give one or more.")
    core = np.log1p(tiles.core_per_tile()[rows].astype(np.float64))
    error = cdist(core.T, tiles.targets[rows].T.astype(np.float64), metric="cityblock") / len(rows)  # (core, add-on)
    return MinMAE(error.argmin(axis=0), error.min(axis=0))
