"""What the readers of folders share: files that must be there, counts of 10x, the record of an image."""

import json
import math
import warnings
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import scanpy as sc
from scipy import sparse

from beyond_alignment import keys
from beyond_alignment.datasets.sparse_tables import check_sparse_tables
from beyond_alignment.errors import InputError

HISTOLOGY = (".ome.tif", ".ome.tiff", ".btf", ".svs", ".tif", ".tiff", ".png", ".jpg", ".jpeg")


def first_of(folder: Path, *patterns: str) -> Path | None:
    """Return the first file that fits the first pattern that any file fits."""
    for pattern in patterns:
        if found := sorted(file for file in folder.glob(pattern) if not file.name.startswith(".")):
            return found[0]
    return None


def needed(folder: Path, *patterns: str) -> Path:
    """Return the first file that fits.

    Raises
    ------
    InputError
        There is none.
    """
    if (found := first_of(folder, *patterns)) is None:
        raise InputError(f"{folder} lacks {' or '.join(patterns)}: give the folder with all that belongs to it.")
    return found


def read_json(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Raises
    ------
    InputError
        It does not.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON: it is damaged; get it again.") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no JSON object: it is damaged; get it again.")
    return content


def read_table(path: Path, **options: Any) -> pd.DataFrame:
    """Read a table, parquet or text, gzipped or not.

    Raises
    ------
    InputError
        It cannot be read.
    """
    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, **options)
    except Exception as error:  # parquet, gzip and text fail in their own ways
        raise InputError(f"{path} cannot be read as a table: it is damaged; get it again.") from error


def read_counts(path: Path) -> ad.AnnData:
    """Read the counts of genes from 10x's .h5: symbols made unique, ``var["ensembl_id"]``.

    Raises
    ------
    InputError
        It cannot be read.
    """
    try:
        check_sparse_tables(path)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Variable names are not unique")
            raw = sc.read_10x_h5(path)
    except Exception as error:  # as many ways as there are bytes
        raise InputError(f"{path} cannot be read as 10x counts: it is damaged or of another kind.") from error
    raw.var_names_make_unique()
    var = pd.DataFrame({"ensembl_id": raw.var["gene_ids"].to_numpy()}, index=raw.var_names)
    return ad.AnnData(sparse.csr_matrix(raw.X, dtype=np.float32), obs=pd.DataFrame(index=raw.obs_names), var=var)


def positive(value: Any) -> float | None:
    """Return a number where it is positive and finite, else None."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def place(
    adata: ad.AnnData,
    section: str,
    pixels: Any,
    *,
    layout: str,
    microns_per_pixel: float | None,
    image: Path | None,
    image_scale: float = 1.0,
    spot_diameter: float | None = None,
    patches: Path | None = None,
) -> ad.AnnData:
    """Write where the spots of one section are, and in which image.

    Parameters
    ----------
    adata
        Writes ``obs["section"]``, ``obsm["spatial"]``, ``uns["spatial"]``, ``uns["dataset"]``.
    section
        Its name.
    pixels
        (spot, 2), x and y in full-resolution pixels.
    layout
        Of the folder.
    microns_per_pixel
        Of full resolution; left out where it is not known.
    image, image_scale
        Path, and image pixels along a full-resolution pixel.
    spot_diameter
        In full-resolution pixels, where spots have one.
    patches
        A file of patches that were cut before.

    Raises
    ------
    InputError
        A position is not finite.
    """
    positions = np.ascontiguousarray(pixels, dtype=np.float64)
    if bad := int((~np.isfinite(positions)).any(axis=1).sum()):
        raise InputError(
            f"{bad} of {len(positions)} spots of {section} have no finite position: the folder is damaged."
        )
    adata.obs[keys.SECTION] = pd.Categorical([section] * adata.n_obs)
    adata.obsm[keys.SPATIAL] = positions
    scales = {
        keys.MICRONS_PER_PIXEL: microns_per_pixel,
        keys.SPOT_DIAMETER: spot_diameter,
        keys.IMAGE_SCALE: image_scale if image is not None else None,
    }
    files = {"image": image, "patches": patches}
    adata.uns[keys.SPATIAL] = {
        section: {
            "scalefactors": {name: value for name, value in scales.items() if value is not None},
            "metadata": {name: str(file) for name, file in files.items() if file is not None},
        }
    }
    adata.uns[keys.DATASET] = {"name": section, "layout": layout}
    return adata
