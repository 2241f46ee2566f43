"""What a perfect reader of simulated nuclei could tell of add-on genes: a ceiling to hold networks against."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.datasets.simulated_histology.field import SimulatedField
from beyond_alignment.tokens.arm_scores import gain, mean_spearman
from beyond_alignment.tokens.comparison import RIDGE
from beyond_alignment.tokens.folds import TileFold
from beyond_alignment.tokens.linear_probe import probe_genes
from beyond_alignment.tokens.simulated import SimulatedTiles, donor_names
from beyond_alignment.tokens.tiles import Tiles

NUCLEI, BOTH = "nuclei_drawn", "nuclei_and_core"
IN_TILE, IN_PATCH = "nuclei_meeting_core_in_tile", "nuclei_meeting_core_in_patch"
PERFECT_READERS = {
    NUCLEI: "Nuclei as drawn",
    BOTH: "Nuclei and core, side by side",
    IN_TILE: "Nuclei and core, met in the tile",
    IN_PATCH: "Nuclei and core, met in each patch",
}
"""Ridge regressions on what no network is given: size, elongation and chromatin of each nucleus as it was drawn."""

_SHAPE = ("nucleus_um", "nucleus_aspect", "chromatin")


def perfect_readings(made: SimulatedTiles, folds: Sequence[TileFold]) -> list[dict[str, NDArray[np.float32]]]:
    """Predict the test tiles of folds by ridge regressions on nuclei as they were drawn, alone and with core counts.

    The penalty is chosen on the validation part. *Nuclei as drawn* reads, by tile, how many nuclei of each cell type
    there are and the sums of what shape leaves of the mean of its type. *Met in each patch* reads in addition the sum
    over patches of the product of the chromatin of its nuclei and the balance of the core genes that mark the bit of
    the pair, which is what the exclusive or is made of; *met in the tile* that product of the whole tile.

    Parameters
    ----------
    made
        Tiles with their fields.
    folds
        As the arms were run.

    Returns
    -------
    list of dict
        For each fold, (test tile, gene) by the names of ``PERFECT_READERS``.
    """
    tiles = made.tiles
    core, (nuclei, chromatin) = np.log1p(tiles.core_per_tile()), drawn_nuclei(made)
    both = np.hstack([core, nuclei])
    read = {NUCLEI: nuclei, BOTH: both}
    for name, whole in ((IN_TILE, True), (IN_PATCH, False)):
        balance = marker_balance(made, whole_tile=whole)
        read[name] = np.hstack([both, (balance * chromatin).sum(axis=1, keepdims=True)])
    return [{name: probe_genes(features, tiles.targets, fold) for name, features in read.items()} for fold in folds]


def gain_of_perfect_readers(scores: pd.DataFrame) -> tuple[float, float, float]:
    """Return what the best perfect reader of both modalities gains over the better one of a single modality.

    Parameters
    ----------
    scores
        A row an arm and fold, of the perfect readers and the ridge regression on core counts.

    Returns
    -------
    tuple
        Mean Spearman, and its 95 % Student interval over folds.
    """
    means = mean_spearman(scores)
    first, second = means[[BOTH, IN_TILE, IN_PATCH]].idxmax(), means[[NUCLEI, RIDGE]].idxmax()
    return gain(scores, str(first), str(second))


def drawn_nuclei(made: SimulatedTiles) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what the nuclei in each tile were drawn with.

    Parameters
    ----------
    made
        Tiles with their fields.

    Returns
    -------
    tuple
        (tile, feature): :func:`nuclei_by_patch` summed over the tile; and (tile, patch): the sum of the last.
    """
    by_patch = nuclei_by_patch(made)
    return by_patch.sum(axis=1), by_patch[:, :, -1]


def nuclei_by_patch(made: SimulatedTiles) -> NDArray[np.float64]:
    """Return what the nuclei in each patch were drawn with.

    Parameters
    ----------
    made
        Tiles with their fields.

    Returns
    -------
    numpy.ndarray
        (tile, patch, feature): nuclei of each cell type (``nucleus_features``), then sums of the log of their size,
        elongation and chromatin, each less the mean of its type in the field.
    """
    tiles, kinds = made.tiles, _cell_types(made)
    found = np.zeros((len(tiles), tiles.n_patches, len(kinds) + len(_SHAPE)))
    for group, field in zip(donor_names(made.fields), made.fields, strict=True):
        cells = field.cells
        shape = np.log(cells[list(_SHAPE)])
        shape -= shape.groupby(cells["cell_type"], observed=True).transform("mean")
        types = cells["cell_type"].to_numpy()[:, None] == np.array(kinds)
        of_cell = np.hstack([types, shape])  # (cell, feature)
        for row in np.flatnonzero(tiles.group == group):
            inside, patch = _inside(tiles, int(row), field)
            np.add.at(found[row], patch, of_cell[inside])
    return found


def nucleus_features(made: SimulatedTiles) -> list[str]:
    """Return the names of the features of :func:`nuclei_by_patch`."""
    return [*_cell_types(made), *_SHAPE]


def _cell_types(made: SimulatedTiles) -> list[str]:
    """Return the cell types of all fields."""
    return sorted({kind for field in made.fields for kind in field.cells["cell_type"].unique()})


def marker_balance(made: SimulatedTiles, *, whole_tile: bool = False) -> NDArray[np.float64]:
    """Return the core transcripts of each patch that mark a bit of the pair less its opposite, over both.

    Parameters
    ----------
    made
        Tiles with their fields.
    whole_tile
        Give every patch the balance of its tile.

    Returns
    -------
    numpy.ndarray
        (tile, patch), -1 to 1; 0 where there are none.
    """
    tiles = made.tiles
    sign = np.sign(made.fields[0].core.loc[list(tiles.core_genes), "pair_expression"].to_numpy())
    shape = (len(tiles), tiles.n_patches)
    up, every = ((tiles.core @ weight).reshape(shape) for weight in (sign, np.abs(sign)))
    if whole_tile:
        up, every = (np.broadcast_to(part.sum(axis=1, keepdims=True), shape) for part in (up, every))
    return up / np.maximum(every, 1.0)


def _inside(tiles: Tiles, row: int, field: SimulatedField) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return the cells whose nuclei lie in a tile, and the patch of each."""
    corner = tiles.centre_um[row] - tiles.tile_um / 2
    offset = field.cells[["x_um", "y_um"]].to_numpy() - corner
    inside = np.flatnonzero(((offset >= 0) & (offset < tiles.tile_um)).all(axis=1))
    column, line = np.minimum((offset[inside] * tiles.grid / tiles.tile_um).astype(np.int64), tiles.grid - 1).T
    return inside, line * tiles.grid + column
