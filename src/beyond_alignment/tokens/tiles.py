"""Tiles of H&E with the transcripts of each patch: what every arm of the token-level fusion reads."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from beyond_alignment.datasets.transcripts import TranscriptsOnImage
from beyond_alignment.errors import InputError
from beyond_alignment.tokens.inputs import check_fields
from beyond_alignment.tokens.panel import Panel
from beyond_alignment.tokens.pixels import cut_pixels
from beyond_alignment.tokens.pooling import TileLattice, pool_transcripts, sum_patches, tile_lattice


@dataclass(frozen=True)
class Tiles:
    """Tiles of one or several fields.

    Attributes
    ----------
    pixels
        uint8 (tile, height, width, channel), H&E, RGB.
    core
        float32 (tile * patch, core gene), counts; row = tile * n_patches + patch, patch row by row over the grid.
    targets
        float32 (tile, add-on gene), log1p of the counts in the tile.
    n_transcripts
        Transcripts of every gene in the tile (tile,).
    centre_um
        (tile, axis): x, y in microns from the top left corner of the field.
    group
        Donor, field or block that a split keeps together (tile,), str.
    core_genes, addon_genes
        Names.
    grid
        Patches along a side of a tile.
    tile_um
        Width of a tile in microns.
    """

    pixels: NDArray[np.uint8]
    core: sparse.csr_matrix
    targets: NDArray[np.float32]
    n_transcripts: NDArray[np.int64]
    centre_um: NDArray[np.float64]
    group: NDArray[np.str_]
    core_genes: tuple[str, ...]
    addon_genes: tuple[str, ...]
    grid: int
    tile_um: float

    def __len__(self) -> int:
        return len(self.n_transcripts)

    @property
    def n_patches(self) -> int:
        """Patches of a tile."""
        return self.grid**2

    def core_per_tile(self) -> NDArray[np.float32]:
        """Return the counts of the core genes in each tile (tile, core gene)."""
        return sum_patches(self.core, self.n_patches).toarray()

    def positions(self, rows: ArrayLike | None) -> NDArray[np.intp]:
        """Return the positions of some tiles, from positions or a mask (tile,); of all when None."""
        every = np.arange(len(self))
        chosen = every if rows is None else np.asarray(rows)
        return every[chosen] if len(chosen) else every[:0]

    def take(self, rows: ArrayLike) -> "Tiles":
        """Return some of the tiles, copied into memory.

        Parameters
        ----------
        rows
            Positions, or a mask, of tiles (tile,).
        """
        chosen = self.positions(rows)
        patches = (chosen[:, None] * self.n_patches + np.arange(self.n_patches)).ravel()  # (tile * patch,)
        return Tiles(
            pixels=self.pixels[chosen],
            core=self.core[patches],
            targets=self.targets[chosen],
            n_transcripts=self.n_transcripts[chosen],
            centre_um=self.centre_um[chosen],
            group=self.group[chosen],
            core_genes=self.core_genes,
            addon_genes=self.addon_genes,
            grid=self.grid,
            tile_um=self.tile_um,
        )


def make_tiles(
    fields: Sequence[TranscriptsOnImage],
    *,
    core_genes: Sequence[str],
    addon_genes: Sequence[str],
    groups: Sequence[str],
    tile_um: float = 256.0,
    stride_um: float = 128.0,
    input_px: int = 224,
    patch_px: int = 16,
    min_transcripts: int = 1000,
) -> Tiles:
    """Cut fields into overlapping tiles of H&E, and count core genes by patch and add-on genes by tile.

    The defaults are those of Martinelli et al.: 512 pixels of 0.5 um every 256, resized to 224, at least 1,000
    transcripts a tile. Tiles lie whole within the image; pixels are resized with an antialiasing bilinear filter.

    Parameters
    ----------
    fields
        Images with their transcripts.
    core_genes, addon_genes
        Input and target; a gene of neither list counts in ``n_transcripts`` alone.
    groups
        Donor or field of each field (field,).
    tile_um, stride_um
        Width of a tile, and from one tile to the next, in microns.
    input_px, patch_px
        Width of a tile and of a patch in pixels of the network's input.
    min_transcripts
        Tiles with fewer are dropped.

    Raises
    ------
    InputError
        The patches do not fill the input, no tile has enough transcripts, a gene is unknown or of both lists, or the
        transcripts of a field do not lie in the pixels of its image.
    """
    if input_px % patch_px:
        raise InputError(f"An input of {input_px} pixels does not divide into patches of {patch_px}: change one.")
    split, grid = Panel(tuple(core_genes), tuple(addon_genes)), input_px // patch_px
    panel = (*split.core, *split.addon)
    check_fields(fields, panel, groups)
    lattices, kept, counts, fullest = [], [], [], 0
    for field in fields:
        lattice = _lattice(field, tile_um=tile_um, stride_um=stride_um, grid=grid)
        pooled = _pool(field, panel, lattice)
        n_transcripts = sum_patches(pooled, grid**2).sum(axis=1).A1
        fullest = max(fullest, int(n_transcripts.max()))
        enough = np.flatnonzero(n_transcripts >= min_transcripts)
        patches = (enough[:, None] * grid**2 + np.arange(grid**2)).ravel()  # (tile * patch,)
        lattices.append(lattice)
        kept.append(enough)
        counts.append(pooled[patches])
    if not any(map(len, kept)):
        raise InputError(
            f"None of {sum(lattice.n_tiles for lattice in lattices)} tiles has {min_transcripts} transcripts, the "
            f"fullest has {fullest}: lower min_transcripts or cut wider tiles."
        )
    pooled = sparse.vstack(counts, format="csr")
    per_tile = sum_patches(pooled, grid**2)
    centres = [lattice.centres_um()[rows] for lattice, rows in zip(lattices, kept, strict=True)]
    return Tiles(
        pixels=cut_pixels(fields, centres, tile_um=tile_um, input_px=input_px),
        core=pooled[:, : len(split.core)],
        targets=np.log1p(per_tile[:, len(split.core) : len(panel)].toarray()),
        n_transcripts=per_tile.sum(axis=1).A1.astype(np.int64),
        centre_um=np.concatenate(centres),
        group=np.repeat(np.asarray(groups, dtype=str), [len(rows) for rows in kept]),
        core_genes=split.core,
        addon_genes=split.addon,
        grid=grid,
        tile_um=tile_um,
    )


def _lattice(field: TranscriptsOnImage, *, tile_um: float, stride_um: float, grid: int) -> TileLattice:
    """Lay tiles over the image of a field."""
    height, width = (pixels * field.microns_per_pixel for pixels in field.image.shape[:2])
    return tile_lattice(height, width, tile_um=tile_um, stride_um=stride_um, grid=grid)


def _pool(field: TranscriptsOnImage, panel: tuple[str, ...], lattice: TileLattice) -> sparse.csr_matrix:
    """Count the genes of the panel, and in a last column all others, (tile * patch, gene + 1)."""
    table = field.transcripts
    genes = pd.Categorical(table["gene"])
    column = pd.Index(panel).get_indexer(genes.categories)
    column[column < 0] = len(panel)
    x, y = (table[axis].to_numpy() * field.microns_per_pixel for axis in ("x", "y"))
    return pool_transcripts(x, y, column[genes.codes], lattice=lattice, n_genes=len(panel) + 1)
