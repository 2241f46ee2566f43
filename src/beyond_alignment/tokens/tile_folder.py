"""Tiles in a folder: written once, opened again with their pixels left on disk."""

import json
import zipfile
from pathlib import Path

import numpy as np
from scipy import sparse

from beyond_alignment.errors import InputError
from beyond_alignment.files import atomic_path, write_text
from beyond_alignment.tokens.tiles import Tiles

PIXELS, CORE, TABLE, NAMES = "pixels.npy", "core.npz", "table.npz", "names.json"
_ARRAYS = ("targets", "n_transcripts", "centre_um", "group")


def write_tiles(tiles: Tiles, folder: Path) -> None:
    """Write tiles into a folder; pixels that were cut into its ``pixels.npy`` stay as they are.

    Parameters
    ----------
    tiles
        Of any size: pixels that lie on disk are copied a part at a time.
    folder
        Made when missing. What says that it is whole is written last.
    """
    names = folder / NAMES
    names.unlink(missing_ok=True)
    if Path(getattr(tiles.pixels, "filename", None) or "").absolute() != (folder / PIXELS).absolute():
        with atomic_path(folder / PIXELS) as temporary:
            np.save(temporary, tiles.pixels, allow_pickle=False)
    with atomic_path(folder / CORE) as temporary:
        sparse.save_npz(temporary, tiles.core)
    with atomic_path(folder / TABLE) as temporary:
        np.savez(temporary, **{name: getattr(tiles, name) for name in _ARRAYS})
    said = {name: getattr(tiles, name) for name in ("core_genes", "addon_genes", "grid", "tile_um")}
    write_text(names, json.dumps(said))


def open_tiles(folder: Path) -> Tiles:
    """Open tiles that :func:`write_tiles` wrote; pixels are mapped, not read.

    Parameters
    ----------
    folder
        Of the tiles.

    Raises
    ------
    InputError
        The folder holds no whole set of tiles.
    """
    try:
        said = json.loads((folder / NAMES).read_text(encoding="utf-8"))
        with np.load(folder / TABLE, allow_pickle=False) as table:
            arrays = {name: table[name] for name in _ARRAYS}
        tiles = Tiles(
            pixels=np.load(folder / PIXELS, mmap_mode="r", allow_pickle=False),
            core=sparse.csr_matrix(sparse.load_npz(folder / CORE)),
            core_genes=tuple(said["core_genes"]),
            addon_genes=tuple(said["addon_genes"]),
            grid=int(said["grid"]),
            tile_um=float(said["tile_um"]),
            **arrays,
        )
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{folder} holds no whole set of tiles ({error}): write it again by write_tiles.") from error
    if not len(tiles.pixels) == len(tiles) == tiles.core.shape[0] / tiles.n_patches:
        raise InputError(f"The files of {folder} are of different tiles: write it again by write_tiles.")
    return tiles
