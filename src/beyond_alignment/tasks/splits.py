"""Splits that do not leak: by donor, by section, or by spatial block with a buffer."""

from dataclasses import dataclass

import numpy as np
from anndata import AnnData
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from sklearn.cluster import KMeans

from beyond_alignment import keys
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.registry import SplitKind, get_task

BUFFER_UM = 600.0


@dataclass(frozen=True)
class Split:
    """One fold.

    Attributes
    ----------
    name
        The group or block that is held out.
    train
        Positions of the training spots (spot,).
    test
        Positions of the test spots (spot,).
    """

    name: str
    train: NDArray[np.intp]
    test: NDArray[np.intp]


def microns(adata: AnnData) -> NDArray[np.float64]:
    """Return the coordinates of the spots in microns (spot, 2).

    Reads ``obsm["spatial"]`` and ``uns["spatial"][section]["scalefactors"]["microns_per_pixel"]``.
    """
    coordinates = np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64).copy()
    sections = adata.obs[keys.SECTION].astype(str).to_numpy()
    for section in np.unique(sections):
        scale = adata.uns[keys.SPATIAL][section]["scalefactors"][keys.MICRONS_PER_PIXEL]
        coordinates[sections == section] *= float(scale)
    return coordinates


def leave_one_group_out(groups: ArrayLike) -> tuple[Split, ...]:
    """Hold out each group in turn.

    Parameters
    ----------
    groups
        (spot,), for instance the donor.

    Raises
    ------
    InputError
        If there are fewer than two groups.
    """
    values = np.asarray(groups).astype(str)
    names = np.unique(values)
    if len(names) < 2:
        msg = f"Only one group ({', '.join(names) or 'none'}) among {len(values)} spots: a split needs two or more."
        raise InputError(msg)
    return tuple(Split(name, np.flatnonzero(values != name), np.flatnonzero(values == name)) for name in names)


def spatial_blocks(
    coordinates: NDArray[np.floating], *, n_blocks: int, buffer_um: float, seed: int = 0
) -> tuple[Split, ...]:
    """Hold out each of a number of compact blocks of one section, with a buffer around it that neither side uses.

    Blocks are k-means clusters of the coordinates, which look at no label. Training spots within the buffer of any test
    spot, in x and in y (square patches touch by their corners), are dropped.

    Parameters
    ----------
    coordinates
        (spot, 2), microns.
    n_blocks
        Number of blocks, each held out once.
    buffer_um
        Width of the buffer in microns; at least the field of view, so that no pixel is on both sides.
    seed
        Of k-means.

    Raises
    ------
    InputError
        If the input is not finite, the buffer is negative, there are too few spots, or a fold keeps no training spot.
    """
    points = np.asarray(coordinates, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        msg = f"Coordinates of shape {points.shape} must be (spot, 2), finite, in microns."
        raise InputError(msg)
    if not buffer_um >= 0 or n_blocks < 2 or len(np.unique(points, axis=0)) < n_blocks:
        msg = (
            f"{n_blocks} blocks with a buffer of {buffer_um} um of {len(points)} spots: give 2 or more blocks of spots."
        )
        raise InputError(msg)
    blocks = KMeans(n_clusters=n_blocks, n_init=10, random_state=seed).fit_predict(points)
    splits = []
    for block in range(n_blocks):
        test = np.flatnonzero(blocks == block)
        others = np.flatnonzero(blocks != block)
        distance, _ = cKDTree(points[test]).query(points[others], p=np.inf)
        train = others[distance > buffer_um]
        if len(train) == 0:
            msg = f"A buffer of {buffer_um} um leaves block {block} without training spots: use a narrower one."
            raise InputError(msg)
        splits.append(Split(f"block {block + 1}", train, test))
    return tuple(splits)


def tiles(adata: AnnData, *, side_um: float = 1000.0) -> NDArray[np.str_]:
    """Name the square tile of each spot, section by section: the unit that intervals resample.

    Parameters
    ----------
    adata
        Reads coordinates and sections.
    side_um
        Side of a tile in microns.
    """
    index = np.floor(microns(adata) / side_um).astype(int)
    sections = adata.obs[keys.SECTION].astype(str)
    return np.array([f"{section}:{x}:{y}" for section, (x, y) in zip(sections, index, strict=True)])


def make_splits(
    adata: AnnData, kind: SplitKind, *, n_blocks: int = 5, buffer_um: float = BUFFER_UM, seed: int = 0
) -> tuple[Split, ...]:
    """Split the spots of a data set.

    Parameters
    ----------
    adata
        The labelled spots.
    kind
        ``donor``, ``section`` or ``block``.
    n_blocks
        Blocks of a single section.
    buffer_um
        Buffer between blocks, microns.
    seed
        Of the blocks.
    """
    if kind == "block":
        return spatial_blocks(microns(adata), n_blocks=n_blocks, buffer_um=buffer_um, seed=seed)
    key = {"donor": keys.DONOR, "section": keys.SECTION}.get(kind)
    if key is None:
        msg = f"Unknown split {kind!r}: choose donor, section or block."
        raise InputError(msg)
    return leave_one_group_out(adata.obs[key])


def split_task(adata: AnnData, task: str, kind: SplitKind, *, seed: int = 0) -> tuple[Split, ...]:
    """Split the labelled spots of a task, with a buffer between blocks that covers what the labels look at.

    The buffer is twice the reach of the label, or 600 um where that is more: no spot has then a say in labels of both
    sides, and no patch of up to 600 um shares a pixel with one of the other side.

    Parameters
    ----------
    adata
        The labelled spots.
    task
        Name of the task.
    kind
        ``donor``, ``section`` or ``block``.
    seed
        Of the blocks.
    """
    return make_splits(adata, kind, buffer_um=max(BUFFER_UM, 2 * get_task(task).reach_um), seed=seed)
