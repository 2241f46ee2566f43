"""A folder that Space Ranger wrote: Visium, or one bin size of Visium HD."""

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from beyond_alignment import keys
from beyond_alignment.datasets.folder_parts import (
    HISTOLOGY,
    first_of,
    needed,
    place,
    positive,
    read_counts,
    read_json,
    read_table,
)
from beyond_alignment.datasets.scale import STEPS_UM
from beyond_alignment.errors import InputError

_COUNTS = "*filtered_feature_bc_matrix.h5"
_POSITIONS = ("tissue_positions.parquet", "tissue_positions.csv", "tissue_positions_list.csv")
_COLUMNS = ["barcode", "in_tissue", "array_row", "array_col", "pxl_row_in_fullres", "pxl_col_in_fullres"]
# Space Ranger's own copies, with the scale of each; its CytAssist and fiducial pictures are no histology to embed.
_COPIES = (("tissue_hires_image.png", "tissue_hires_scalef"), ("tissue_lowres_image.png", "tissue_lowres_scalef"))


def fits(folder: Path) -> bool:
    """Tell whether a folder has this layout."""
    return first_of(folder, _COUNTS) is not None and (
        (folder / "spatial").is_dir() or first_of(folder, *_POSITIONS) is not None
    )


def read(folder: Path) -> ad.AnnData:
    """Read a section: counts, positions, scale and the best image that is there.

    The image is the one at full resolution where the folder holds it, else Space Ranger's copy of 2000 pixels, else
    that of 600. The scale is Space Ranger's own where it states one (Visium HD), else it follows from the 100 um pitch
    of the spots.

    Parameters
    ----------
    folder
        With ``spatial/``, or with its files in the folder itself.

    Returns
    -------
    AnnData
        Spots under tissue; as ``read_folder`` describes, with ``obs["array_x"]``, ``obs["array_y"]``.

    Raises
    ------
    InputError
        A file is missing or damaged, or a barcode has no position.
    """
    spatial = folder / "spatial" if (folder / "spatial").is_dir() else folder
    counts = needed(folder, _COUNTS)
    adata = read_counts(counts)
    positions = _positions(needed(spatial, *_POSITIONS))
    if absent := [barcode for barcode in adata.obs_names if barcode not in positions.index]:
        raise InputError(
            f"{len(absent)} barcodes of {counts.name} have no position in {spatial}, such as {absent[0]}: "
            "give files of one run."
        )
    positions = positions.loc[adata.obs_names]
    tissue = positions["in_tissue"].to_numpy() == 1
    adata, positions = adata[tissue].copy(), positions[tissue]
    adata.obs[keys.ARRAY_X] = positions["array_col"].to_numpy(dtype=np.int64)
    adata.obs[keys.ARRAY_Y] = positions["array_row"].to_numpy(dtype=np.int64)
    pixels = positions[["pxl_col_in_fullres", "pxl_row_in_fullres"]].to_numpy(dtype=np.float64)
    scales = read_json(needed(spatial, "scalefactors_json.json"))
    image, image_scale = _image(folder, spatial, scales)
    return place(
        adata, _name(folder), pixels, layout="visium", image=image, image_scale=image_scale,
        microns_per_pixel=positive(scales.get("microns_per_pixel")) or _measured(positions, pixels),
        spot_diameter=positive(scales.get("spot_diameter_fullres")),
    )  # fmt: skip


def _positions(path: Path) -> pd.DataFrame:
    """Read the positions of the spots, with a header (Space Ranger 2 and later) or without."""
    options: dict[str, Any] = {"header": None, "names": _COLUMNS} if path.stem.endswith("_list") else {}
    table = read_table(path, **options)
    if missing := [column for column in _COLUMNS if column not in table.columns]:
        raise InputError(f"{path} lacks the columns {', '.join(missing)}: it is no table of positions; get it again.")
    try:
        table[_COLUMNS[1:]] = table[_COLUMNS[1:]].astype(np.float64)
    except ValueError as error:
        raise InputError(f"{path} holds positions that are no numbers: get it again.") from error
    return table.set_index("barcode")


def _image(folder: Path, spatial: Path, scales: dict[str, Any]) -> tuple[Path | None, float]:
    """Return the best image and its pixels along a full-resolution pixel."""
    full = first_of(folder, *(f"*image{suffix}" for suffix in HISTOLOGY if suffix not in (".png",)))
    if full is not None and not full.name.startswith(("aligned_", "detected_", "tissue_", "cytassist_")):
        return full, 1.0
    for name, key in _COPIES:
        scale = positive(scales.get(key))
        if (spatial / name).is_file() and scale is not None:
            return spatial / name, scale
    return None, 1.0


def _measured(positions: pd.DataFrame, pixels: np.ndarray) -> float | None:
    """Measure microns per pixel from the hexagonal array; None where spots do not span it."""
    array = positions[["array_col", "array_row"]].to_numpy(dtype=np.float64) * STEPS_UM["crc_visium"]
    design = np.column_stack([array, np.ones(len(array))])
    if np.linalg.matrix_rank(design) < 3:
        return None
    affine, *_ = np.linalg.lstsq(design, pixels, rcond=None)
    return positive(1.0 / np.sqrt(abs(np.linalg.det(affine[:2]))))


def _name(folder: Path) -> str:
    """Return a name for the section: that of the folder, or of its parent where it is called outs."""
    return folder.parent.name if folder.name == "outs" else folder.name
