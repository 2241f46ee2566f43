"""Quality control, normalisation and the spatial graph, with the numbers shown."""

import importlib
import logging
import warnings
from dataclasses import dataclass
from types import ModuleType

import anndata as ad
import numpy as np
import pandas as pd
import scanpy as sc

from beyond_alignment import keys
from beyond_alignment.errors import InputError

TARGET_SUM = 1e4


@dataclass(frozen=True)
class SectionQuality:
    """The numbers of one section.

    Parameters
    ----------
    spots_before, spots_after
        Number of spots before and after the filter.
    median_counts, median_genes
        Medians over the spots before the filter.
    mitochondrial_share
        Counts of mitochondrial genes over all counts of the section before the filter; NaN without any count.
    """

    spots_before: int
    spots_after: int
    median_counts: float
    median_genes: float
    mitochondrial_share: float


@dataclass(frozen=True)
class QualityReport:
    """What quality control found and removed.

    Parameters
    ----------
    sections
        Numbers of each section, by name.
    """

    sections: dict[str, SectionQuality]

    def table(self) -> pd.DataFrame:
        """Return the numbers as a table (section, quantity)."""
        frame = pd.DataFrame.from_dict({name: vars(row) for name, row in self.sections.items()}, orient="index")
        return frame.rename_axis(keys.SECTION)


def quality_control(
    adata: ad.AnnData, *, min_counts: int, min_genes: int, max_mitochondrial: float = 1.0
) -> tuple[ad.AnnData, QualityReport]:
    """Drop the spots with few counts, few genes or a high share of mitochondrial counts.

    A gene is mitochondrial when its symbol starts with ``MT-``, in any case. The input stays as it is.

    Parameters
    ----------
    adata
        Raw counts in ``X`` (spot, gene); reads ``obs["section"]``.
    min_counts, min_genes
        Counts and detected genes that a spot needs to be kept.
    max_mitochondrial
        Highest share of mitochondrial counts that is kept, 0 to 1.

    Returns
    -------
    tuple
        A filtered copy, and the numbers by section.

    Raises
    ------
    InputError
        If a threshold is out of range, or no spot is left.
    """
    if min_counts < 0 or min_genes < 0 or not 0.0 <= max_mitochondrial <= 1.0:
        msg = (
            f"Quality control with min_counts={min_counts}, min_genes={min_genes}, "
            f"max_mitochondrial={max_mitochondrial}: use counts of 0 or more and a share from 0 to 1."
        )
        raise InputError(msg)
    mitochondrial = pd.DataFrame({"mt": adata.var_names.str.upper().str.startswith("MT-")}, index=adata.var_names)
    bare = ad.AnnData(adata.X, var=mitochondrial, obs=pd.DataFrame(index=adata.obs_names))
    metrics, _ = sc.pp.calculate_qc_metrics(bare, qc_vars=["mt"], percent_top=None, log1p=False)
    enough_counts, _ = sc.pp.filter_cells(bare, min_counts=min_counts, inplace=False)
    enough_genes, _ = sc.pp.filter_cells(bare, min_genes=min_genes, inplace=False)
    share = metrics["pct_counts_mt"].fillna(0.0).to_numpy() / 100.0
    kept = np.asarray(enough_counts) & np.asarray(enough_genes) & (share <= max_mitochondrial)
    if not kept.any():
        msg = f"None of {adata.n_obs} spots has {min_counts} counts and {min_genes} genes: lower the thresholds."
        raise InputError(msg)
    labels = adata.obs[keys.SECTION].astype(str).to_numpy()
    sections = {name: _numbers(metrics[labels == name], kept[labels == name]) for name in pd.unique(labels)}
    return adata[kept].copy(), QualityReport(sections)


def normalise(adata: ad.AnnData) -> ad.AnnData:
    """Scale every spot to 10,000 counts and take log(1 + x); the counts are kept, and an empty spot stays empty.

    Parameters
    ----------
    adata
        Raw counts in ``X`` (spot, gene).

    Returns
    -------
    AnnData
        A copy; writes ``layers["counts"]`` (raw), ``X`` (normalised) and scanpy's ``uns["log1p"]``.

    Raises
    ------
    InputError
        If ``layers["counts"]`` exists: the data are normalised already.
    """
    if keys.COUNTS in adata.layers:
        msg = f"The data hold layers[{keys.COUNTS!r}] and so are normalised already: pass raw counts."
        raise InputError(msg)
    normalised = adata.copy()
    normalised.layers[keys.COUNTS] = normalised.X.copy()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Some cells have zero counts")
        sc.pp.normalize_total(normalised, target_sum=TARGET_SUM)
    sc.pp.log1p(normalised)
    return normalised


def spatial_graph(adata: ad.AnnData, *, radius_um: float) -> None:
    """Join the spots of a section that lie within a radius; no edge leaves a section.

    Parameters
    ----------
    adata
        Reads ``obs["section"]``, ``obsm["spatial"]`` and ``uns["spatial"][section]["scalefactors"]``; writes
        ``obsp["spatial_connectivities"]`` (0 or 1), ``obsp["spatial_distances"]`` (microns), both CSR (spot, spot) and
        symmetric, and squidpy's ``uns["spatial_neighbors"]``.
    radius_um
        Largest distance between the centres of two neighbours in microns.

    Raises
    ------
    InputError
        If the radius is not positive and finite.
    """
    if not (np.isfinite(radius_um) and radius_um > 0):
        msg = f"A radius of {radius_um} um joins nothing: give a positive number of microns."
        raise InputError(msg)
    labels = adata.obs[keys.SECTION].astype(str)
    scale = labels.map(
        {name: adata.uns[keys.SPATIAL][name]["scalefactors"][keys.MICRONS_PER_PIXEL] for name in labels.unique()}
    )
    work = ad.AnnData(
        obs=pd.DataFrame({keys.SECTION: labels.astype("category")}, index=adata.obs_names),
        obsm={keys.SPATIAL: adata.obsm[keys.SPATIAL] * scale.to_numpy(dtype=np.float64)[:, np.newaxis]},
    )
    _squidpy().gr.spatial_neighbors_radius(work, radius=float(radius_um), library_key=keys.SECTION)
    adata.obsp[keys.CONNECTIVITIES] = work.obsp[keys.CONNECTIVITIES].tocsr()
    adata.obsp[keys.DISTANCES] = work.obsp[keys.DISTANCES].tocsr()
    adata.uns["spatial_neighbors"] = work.uns["spatial_neighbors"]


def _numbers(metrics: pd.DataFrame, kept: np.ndarray) -> SectionQuality:
    """Summarise the spots of one section."""
    counts = float(metrics["total_counts"].sum())
    return SectionQuality(
        spots_before=len(kept),
        spots_after=int(kept.sum()),
        median_counts=float(metrics["total_counts"].median()),
        median_genes=float(metrics["n_genes_by_counts"].median()),
        mitochondrial_share=float(metrics["total_counts_mt"].sum()) / counts if counts else float("nan"),
    )


def _squidpy() -> ModuleType:
    """Import squidpy where a graph is built, since it takes seconds, and without its notes to its own authors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        squidpy = importlib.import_module("squidpy")
    logging.getLogger("spatialdata._logging").setLevel(logging.WARNING)
    return squidpy
