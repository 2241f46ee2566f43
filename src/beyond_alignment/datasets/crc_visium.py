"""CRC: one Visium section of a colorectal cancer with bacterial reads per spot."""

import warnings
from collections.abc import Mapping
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scanpy as sc
from scipy import sparse

from beyond_alignment import keys
from beyond_alignment.datasets.registry import DataSet
from beyond_alignment.datasets.tables import Files, spot_data
from beyond_alignment.errors import InputError

_COLUMNS = ["barcode", "in_tissue", "array_row", "array_col", "pixel_row", "pixel_col"]


def read(data_set: DataSet, files: Mapping[str, Files]) -> ad.AnnData:
    """Read the Visium section: Space Ranger's filtered counts and the bacterial UMIs of each spot.

    Source: Galeano Nino et al., Nature 2022. The scale follows from the 100 um pitch of the hexagonal grid; Space
    Ranger's spot diameter in pixels gives the same scale only if read as 65 um, not as the 55 um of the printed spot.

    Parameters
    ----------
    data_set
        Record in the registry.
    files
        For the section the local path of each role.

    Returns
    -------
    AnnData
        Raw counts (spot under tissue, gene), symbols made unique, ``var["ensembl_id"]``;
        ``obs["bacterial_umis"]``: sum over genera, 0 where the barcode is not in the bacterial table.
        ``array_x`` is Space Ranger's column (steps of 50 um), ``array_y`` its row (steps of 86.6 um).

    Raises
    ------
    InputError
        If a barcode has no position.
    """
    ((section, paths),) = files.items()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Variable names are not unique")
        raw = sc.read_10x_h5(paths["counts"])
    barcodes = [str(b) for b in raw.obs_names]
    positions = pd.read_csv(paths["spots"], header=None, names=_COLUMNS).set_index("barcode")
    if absent := [b for b in barcodes if b not in positions.index]:
        msg = f"{paths['spots'].name} has no position for the barcodes {', '.join(absent[:5])}; fetch it again."
        raise InputError(msg)
    positions = positions.loc[barcodes]
    tissue = (positions["in_tissue"] == 1).to_numpy()
    positions = positions[tissue]
    adata = spot_data(
        data_set,
        section,
        sparse.csr_matrix(raw.X, dtype=np.float32)[tissue],
        [str(g) for g in raw.var_names],
        array=positions[["array_col", "array_row"]].to_numpy(),
        pixels=positions[["pixel_col", "pixel_row"]].to_numpy(dtype=np.float64),
        names=list(positions.index),
    )
    adata.var["ensembl_id"] = raw.var["gene_ids"].to_numpy()
    bacteria = _bacteria(paths["bacteria"]).reindex(adata.obs_names, fill_value=0)
    adata.obs[keys.BACTERIAL_UMIS] = bacteria.to_numpy(dtype=np.int64)
    return adata


def _bacteria(path: Path) -> pd.Series:
    """Sum the bacterial UMIs over genera, by barcode."""
    return pd.read_csv(path, index_col=0).sum(axis=0)
