"""Outer folds of tiles with a validation part, in which no piece of tissue is on two sides."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import StratifiedGroupKFold

from beyond_alignment.errors import InputError
from beyond_alignment.tasks.splits import spatial_blocks
from beyond_alignment.tokens.tiles import Tiles

VALIDATION_SHARE = 0.2


@dataclass(frozen=True)
class TileFold:
    """One fold.

    Attributes
    ----------
    name
        What is held out.
    train, validation, test
        Positions of tiles (tile,), increasing.
    """

    name: str
    train: NDArray[np.intp]
    validation: NDArray[np.intp]
    test: NDArray[np.intp]


def outer_folds(
    tiles: Tiles,
    *,
    n_folds: int = 4,
    seed: int = 0,
) -> tuple[TileFold, ...]:
    """Hold out each part of the groups in turn, and one more part of them for validation.

    With two or more groups, whole groups are held out, balanced by their number of tiles. A single group is cut into
    compact blocks; tiles whose centre lies within a tile's width, along x or y, of test tiles are used nowhere, those
    within a width of validation tiles not for training. Where a single group has several fields, this is measured as if
    they lay on each other: too much is left out then, never too little.

    Parameters
    ----------
    tiles
        Reads ``group`` and ``centre_um``.
    n_folds
        Number of folds.
    seed
        Of the draw of groups, or of the blocks.

    Raises
    ------
    InputError
        There are fewer groups than folds, or fewer than three; or a side of a fold keeps no tile.
    """
    if len(np.unique(tiles.group)) > 1:
        return _by_group(tiles, n_folds, seed)
    return _by_block(tiles, n_folds, seed)


def disjoint_tiles(tiles: Tiles, rows: ArrayLike | None = None) -> int:
    """Count how many tiles can be laid side by side: a fairer number of samples than that of overlapping tiles.

    Tiles are taken row by row from the top left of each group, each where it overlaps none that was taken.

    Parameters
    ----------
    tiles
        Reads ``group`` and ``centre_um``.
    rows
        Positions of the tiles that count (tile,); all when None.
    """
    chosen = tiles.positions(rows)
    n_taken = 0
    for group in np.unique(tiles.group[chosen]):
        centres = tiles.centre_um[chosen][tiles.group[chosen] == group]
        centres = centres[np.lexsort((centres[:, 0], centres[:, 1]))]
        while len(centres):
            apart = np.abs(centres - centres[0]).max(axis=1) >= tiles.tile_um * (1 - 1e-9)
            centres = centres[apart]
            n_taken += 1
    return n_taken


def _by_group(tiles: Tiles, n_folds: int, seed: int) -> tuple[TileFold, ...]:
    """Hold out whole groups."""
    names = np.unique(tiles.group)
    if n_folds < 2 or len(names) < max(n_folds, 3):
        raise InputError(
            f"{n_folds} folds cannot be made of {len(names)} groups: training, validation and test need one each, and "
            "every fold a test group; give 2 folds or more, and no more than there are groups."
        )
    folds = []
    for rest, test in _grouped(tiles.group, n_folds, seed):
        n_parts = min(round(1 / VALIDATION_SHARE), len(np.unique(tiles.group[rest])))
        train, validation = _grouped(tiles.group[rest], n_parts, seed)[0]
        held_out = ", ".join(np.unique(tiles.group[test]))
        folds.append(TileFold(held_out, rest[train], rest[validation], test))
    return tuple(folds)


def _grouped(group: NDArray[np.str_], n_parts: int, seed: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return the rest and the part, for each part of the groups."""
    splitter = StratifiedGroupKFold(n_splits=n_parts, shuffle=True, random_state=seed)
    label = np.zeros(len(group), dtype=int)
    return [(rest, part) for rest, part in splitter.split(label[:, None], label, group)]


def _by_block(tiles: Tiles, n_folds: int, seed: int) -> tuple[TileFold, ...]:
    """Hold out blocks of one group, and for validation the block of the rest that leaves most tiles for training."""
    folds, apart = [], partial(spatial_blocks, buffer_um=tiles.tile_um, seed=seed)
    try:
        for outer in apart(tiles.centre_um, n_blocks=n_folds):
            rest = outer.train
            n_parts = min(round(1 / VALIDATION_SHARE), len(rest))
            inner = apart(tiles.centre_um[rest], n_blocks=n_parts)
            best = max(inner, key=lambda split: len(split.train))
            folds.append(TileFold(outer.name, rest[best.train], rest[best.test], outer.test))
    except InputError as error:
        width, height = np.ptp(tiles.centre_um, axis=0) + tiles.tile_um
        raise InputError(
            f"{len(tiles)} tiles of {tiles.tile_um:g} um over {width:.0f} x {height:.0f} um leave no room for "
            f"{n_folds} blocks with {tiles.tile_um:g} um between training, validation and test: cut narrower tiles."
        ) from error
    return tuple(folds)
