"""Counts of transcripts in the patches of overlapping tiles."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from beyond_alignment.errors import InputError

_ROUNDING = 1e-9


@dataclass(frozen=True)
class TileLattice:
    """Square tiles that lie whole within a field, row by row from its top left corner.

    Attributes
    ----------
    n_down, n_across
        Rows and columns of tiles; tile = row * n_across + column.
    tile_um, stride_um
        Width of a tile, and from one tile to the next, in microns.
    grid
        Patches along a side of a tile; patch = row * grid + column.
    """

    n_down: int
    n_across: int
    tile_um: float
    stride_um: float
    grid: int

    @property
    def n_tiles(self) -> int:
        """Number of tiles."""
        return self.n_down * self.n_across

    def centres_um(self) -> NDArray[np.float64]:
        """Return the centre of each tile in microns of the field (tile, axis): x, y."""
        row, column = np.divmod(np.arange(self.n_tiles), self.n_across)
        return np.column_stack([column, row]) * self.stride_um + self.tile_um / 2.0


def tile_lattice(height_um: float, width_um: float, *, tile_um: float, stride_um: float, grid: int = 1) -> TileLattice:
    """Lay tiles over a field; what is left at its right and lower edge is narrower than a stride.

    Parameters
    ----------
    height_um, width_um
        Of the field, in microns.
    tile_um, stride_um, grid
        As in :class:`TileLattice`.

    Raises
    ------
    InputError
        A width is not positive, there is no patch, or the field is smaller than a tile.
    """
    if not (min(tile_um, stride_um) > 0 and np.isfinite([tile_um, stride_um]).all() and grid >= 1):
        raise InputError(
            f"Tiles of {tile_um} um every {stride_um} um, {grid} patches a side, cannot be laid: give positive numbers."
        )
    n_down, n_across = (int(np.floor((size - tile_um) / stride_um + _ROUNDING)) + 1 for size in (height_um, width_um))
    if min(n_down, n_across) < 1:
        raise InputError(
            f"A field of {width_um:.0f} x {height_um:.0f} um holds no tile of {tile_um:g} um: use a smaller tile_um."
        )
    return TileLattice(n_down, n_across, float(tile_um), float(stride_um), grid)


def pool_transcripts(
    x_um: NDArray[np.floating],
    y_um: NDArray[np.floating],
    gene: NDArray[np.integer],
    *,
    lattice: TileLattice,
    n_genes: int,
) -> sparse.csr_matrix:
    """Count the transcripts of each gene in each patch of each tile.

    A tile holds what lies in [left, left + width), and so does a patch; a transcript counts in every tile that holds
    it. One row of tiles is pooled at a time, so that little more than the result is held.

    Parameters
    ----------
    x_um, y_um
        Positions in microns from the top left corner of the field (transcript,).
    gene
        Number of the gene (transcript,), below ``n_genes``.
    lattice
        The tiles.
    n_genes
        Number of genes.

    Returns
    -------
    scipy.sparse.csr_matrix
        float32 (tile * patch, gene), a tile's patches one after the other.
    """
    stride, grid = lattice.stride_um, lattice.grid
    n_shifts = int(np.ceil(lattice.tile_um / stride - _ROUNDING))  # tiles that hold a point, along an axis
    strip = np.floor(y_um / stride)
    inside = (strip >= 0) & (strip < lattice.n_down - 1 + n_shifts)
    number = np.where(inside, strip, 0).astype(np.int32)
    order = np.argsort(number, kind="stable")
    order = order[inside[order]]
    x, y, column_of = np.asarray(x_um)[order], np.asarray(y_um)[order], np.asarray(gene)[order]
    edges = np.searchsorted(number[order], np.arange(lattice.n_down + n_shifts))
    cell = np.floor(x / stride).astype(np.int32)
    blocks = []
    for tile_row in range(lattice.n_down):
        held = slice(edges[tile_row], edges[tile_row + n_shifts])
        patch_row, within = _patch(y[held] - tile_row * stride, lattice)
        rows, columns = [], []
        for shift in range(n_shifts):
            tile = cell[held] - shift
            patch_column, across = _patch(x[held] - tile * stride, lattice)
            kept = within & across & (tile >= 0) & (tile < lattice.n_across)
            rows.append(((tile * grid + patch_row) * grid + patch_column)[kept])
            columns.append(column_of[held][kept])
        row, column = np.concatenate(rows), np.concatenate(columns)
        shape = (lattice.n_across * grid * grid, n_genes)
        blocks.append(sparse.csr_matrix((np.ones(len(row), dtype=np.float32), (row, column)), shape=shape))
    return sparse.vstack(blocks, format="csr")


def sum_patches(counts: sparse.csr_matrix, n_patches: int) -> sparse.csr_matrix:
    """Add up the patches of each tile: (tile * patch, gene) to (tile, gene).

    Parameters
    ----------
    counts
        As :func:`pool_transcripts` returns them.
    n_patches
        Patches of a tile.
    """
    shape = (counts.shape[0] // n_patches, counts.shape[1])
    summed = sparse.csr_matrix((counts.data, counts.indices, counts.indptr[::n_patches]), shape=shape, copy=True)
    summed.sum_duplicates()
    return summed


def _patch(offset: NDArray[np.floating], lattice: TileLattice) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Return the patch along an axis at a distance from the tile's edge, and whether the tile holds it."""
    patch = (offset * (lattice.grid / lattice.tile_um)).astype(np.int32)
    return np.clip(patch, 0, lattice.grid - 1), offset < lattice.tile_um
