"""From spots and counts to AnnData: what every reader of spot data shares."""

from collections.abc import Mapping
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from anndata.utils import make_index_unique
from numpy.typing import NDArray
from scipy import sparse

from beyond_alignment import keys
from beyond_alignment.datasets.registry import DataFile, DataSet
from beyond_alignment.errors import InputError

Files = Mapping[str, Path]


def read_counts(path: Path) -> tuple[sparse.csr_matrix, list[str], list[str]]:
    """Read a table of counts, rows ``"{x}x{y}"``, columns genes, plain or gzipped.

    Returns
    -------
    counts : csr_matrix, float32, shape (spot, gene)
    spots, genes : list of str

    Raises
    ------
    InputError
        If the table does not hold counts.
    """
    try:
        table = pd.read_csv(path, sep="\t", index_col=0, engine="c", low_memory=False)
        counts = table.to_numpy(dtype=np.float32)
    except (ValueError, OSError, EOFError) as error:
        msg = f"{path.name} is not a table of counts ({error}): expected numbers, one spot a row; fetch it again."
        raise InputError(msg) from error
    if not np.isfinite(counts).all() or (counts < 0).any():
        msg = f"{path.name} holds values that are no counts: expected finite numbers of 0 or more; fetch it again."
        raise InputError(msg)
    return sparse.csr_matrix(counts), [str(s) for s in table.index], [str(g) for g in table.columns]


def read_spots(path: Path) -> pd.DataFrame:
    """Read a table of spot positions: x, y (array), pixel_x, pixel_y (full resolution); index ``"{x}x{y}"``."""
    spots = pd.read_csv(path, sep="\t")
    if missing := [c for c in ("x", "y", "pixel_x", "pixel_y", "selected") if c not in spots.columns]:
        msg = f"{path.name} lacks the columns {', '.join(missing)} of a table of spot positions; fetch it again."
        raise InputError(msg)
    spots[["x", "y"]] = spots[["x", "y"]].round().astype(int)
    spots.index = pd.Index(spots["x"].astype(str) + "x" + spots["y"].astype(str))
    return spots


def spot_data(
    data_set: DataSet,
    section: str,
    counts: sparse.csr_matrix,
    genes: list[str],
    *,
    array: NDArray[np.int64],
    pixels: NDArray[np.float64],
    names: list[str],
) -> ad.AnnData:
    """Assemble one section: ``X`` (spot, gene), ``array`` (spot, 2) and ``pixels`` (spot, 2), both (x, y).

    A gene name that comes twice is made unique. Writes ``obs``: section, donor, array_x, array_y; ``obsm["spatial"]``.
    """
    obs = pd.DataFrame(index=pd.Index(names))
    obs[keys.SECTION] = section
    obs[keys.DONOR] = data_set.sections[section].donor
    obs[keys.ARRAY_X], obs[keys.ARRAY_Y] = array[:, 0], array[:, 1]
    adata = ad.AnnData(X=counts, obs=obs, var=pd.DataFrame(index=make_index_unique(pd.Index(genes))))
    adata.obsm[keys.SPATIAL] = np.ascontiguousarray(pixels, dtype=np.float64)
    return adata


def join_sections(sections: list[ad.AnnData]) -> ad.AnnData:
    """Join sections over the union of their genes, sorted by name; a gene that a section lacks counts 0 there."""
    joined = ad.concat(sections, join="outer", fill_value=0) if len(sections) > 1 else sections[0]
    joined = joined[:, np.argsort(joined.var_names.to_numpy(dtype=str))].copy()
    joined.X = sparse.csr_matrix(joined.X, dtype=np.float32)
    return joined


def finish(adata: ad.AnnData, data_set: DataSet, images: Mapping[str, DataFile | None]) -> ad.AnnData:
    """Make section and donor categorical and write ``uns["spatial"]``: scale factors and image path a section."""
    for key in (keys.SECTION, keys.DONOR):
        adata.obs[key] = pd.Categorical(adata.obs[key], categories=list(dict.fromkeys(adata.obs[key])))
    spatial = {}
    for section, image in images.items():
        microns = data_set.sections[section].microns_per_pixel
        scales = {keys.MICRONS_PER_PIXEL: microns}
        if data_set.spot_diameter_um is not None:
            scales[keys.SPOT_DIAMETER] = data_set.spot_diameter_um / microns
        if image is not None and image.scale is not None:
            scales[keys.IMAGE_SCALE] = image.scale
        spatial[section] = {
            "scalefactors": scales,
            "metadata": {} if image is None else {"image": image.path},
        }
    adata.uns[keys.SPATIAL] = spatial
    return adata
