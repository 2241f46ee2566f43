"""HER2ST: HER2-positive breast tumours on Spatial Transcriptomics arrays."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from beyond_alignment import keys
from beyond_alignment.datasets.registry import DataSet
from beyond_alignment.datasets.tables import Files, join_sections, read_counts, read_spots, spot_data
from beyond_alignment.errors import InputError


def read(data_set: DataSet, files: Mapping[str, Files]) -> ad.AnnData:
    """Read the sections of HER2ST: counts, spots, cell-type proportions and the pathologist's labels.

    Source: Andersson et al., Nature Communications 2021. The proportions were estimated from the same counts.

    Parameters
    ----------
    data_set
        Record in the registry.
    files
        For each section the local path of each role.

    Returns
    -------
    AnnData
        Raw counts over the sorted union of the sections' genes (0 where a section does not list a gene);
        ``obs["pathologist"]``, ``obsm["composition"]`` (spot, cell type).

    Raises
    ------
    InputError
        If spots, labels or proportions do not fit the counts.
    """
    parts, tables = [], []
    for section, paths in files.items():
        counts, names, genes = read_counts(paths["counts"])
        spots = read_spots(paths["spots"])
        absent = [name for name in names if name not in spots.index]
        if absent:
            msg = f"{paths['spots'].name} has no position for the spots {', '.join(absent[:5])}; fetch it again."
            raise InputError(msg)
        spots = spots.loc[names]
        part = spot_data(
            data_set,
            section,
            counts,
            genes,
            array=spots[["x", "y"]].to_numpy(),
            pixels=spots[["pixel_x", "pixel_y"]].to_numpy(),
            names=[f"{section}_{name}" for name in names],
        )
        labels = _labels(paths["labels"]) if "labels" in paths else pd.Series(dtype=object)
        part.obs[keys.PATHOLOGIST] = labels.reindex(names).to_numpy(dtype=object)
        parts.append(part)
        tables.append(_proportions(paths["proportions"], section, names).set_axis(part.obs_names))
    adata = join_sections(parts)
    adata.obs[keys.PATHOLOGIST] = pd.Categorical(adata.obs[keys.PATHOLOGIST])
    adata.obsm[keys.COMPOSITION] = pd.concat(tables).loc[adata.obs_names]
    return adata


def _labels(path: Path) -> pd.Series:
    """Read the labels by spot; their pixels belong to another image and are left alone."""
    table = pd.read_csv(path, sep="\t").dropna(subset=["x", "y"])
    x, y = (table[axis].round().astype(int).astype(str) for axis in ("x", "y"))
    labels = pd.Series(table["label"].to_numpy(), index=x + "x" + y)
    if labels.index.has_duplicates:
        msg = f"{path.name} labels a spot twice; fetch it again."
        raise InputError(msg)
    return labels


def _proportions(path: Path, section: str, names: list[str]) -> pd.DataFrame:
    """Read the proportions of the major cell types of one section, a row a spot."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"major/{section}-proportion.tsv") as member:
            table = pd.read_csv(member, sep="\t", index_col=0)
    except (KeyError, zipfile.BadZipFile) as error:
        msg = f"{path.name} holds no proportions of section {section} ({error}); fetch it again."
        raise InputError(msg) from error
    table = table.reindex(names).astype(np.float64)
    if table.isna().to_numpy().any():
        msg = f"{path.name} lacks proportions of spots of section {section}; fetch it again."
        raise InputError(msg)
    return table
