"""Builds the frozen-embedding release of a data set: embeddings, coordinates, sections, donors and labels."""

from collections.abc import Callable

import anndata
import numpy as np
from anndata import AnnData
from scipy import sparse

from beyond_alignment import keys
from beyond_alignment.datasets import hallmark_sets, load, normalise, spatial_graph
from beyond_alignment.errors import InputError
from beyond_alignment.experts import embed_expression, embed_morphology, fit_frozen_pca
from beyond_alignment.experts.compute import Device
from beyond_alignment.experts.expression import FrozenPCA
from beyond_alignment.tasks.domains import label_domains
from beyond_alignment.tasks.labels import label_bacteria, label_cell_type, label_composition, label_region
from beyond_alignment.tasks.niche import NicheDefinition, fit_niches, label_niches, neighbour_composition

PAIRED_SECTIONS = ("A1", "A2", "B4", "C2", "C3", "C4", "C5", "C6")
REFERENCE_DONORS = {"D": 6, "E": 3, "F": 3, "G": 3, "H": 3}
REFERENCE_SECTIONS = tuple(f"{donor}{i}" for donor, n in REFERENCE_DONORS.items() for i in range(1, n + 1))
NEIGHBOUR_RADIUS_UM = {"her2st": 300.0, "mob": 220.0, "crc_visium": 150.0}
FIELDS_UM = {"her2st": (100, 200, 600), "mob": (200,), "crc_visium": (200,)}


def fit_on_reference_donors(*, seed: int = 0, progress: bool = True) -> tuple[FrozenPCA, NicheDefinition]:
    """Fit what HER2ST freezes on donors D-H, whose sections are scored nowhere: components and niche centres.

    Parameters
    ----------
    seed
        Of both fits.
    progress
        Show the loading of the sections.
    """
    reference = load("her2st", sections=list(REFERENCE_SECTIONS), images=False, progress=progress)
    spatial_graph(reference, radius_um=NEIGHBOUR_RADIUS_UM["her2st"])
    niches = fit_niches(neighbour_composition(reference), seed=seed)
    return fit_frozen_pca(normalise(reference), seed=seed), niches


def prepare_her2st(*, seed: int = 0, progress: bool = True) -> AnnData:
    """Return the paired sections of HER2ST with expression embeddings and all labels, images not yet embedded."""
    adata = load("her2st", sections=list(PAIRED_SECTIONS), progress=progress)
    pca, niches = fit_on_reference_donors(seed=seed, progress=progress)
    embed_expression(adata, pca=pca)
    spatial_graph(adata, radius_um=NEIGHBOUR_RADIUS_UM["her2st"])
    label_niches(adata, niches)
    label_cell_type(adata)
    label_composition(adata)
    label_region(adata)
    adata.X = None
    return adata


def prepare_mob(*, seed: int = 0, progress: bool = True) -> AnnData:
    """Return the olfactory bulb with counts, hallmark scores and domains, images not yet embedded."""
    adata = load("mob", progress=progress)
    embed_expression(adata)
    spatial_graph(adata, radius_um=NEIGHBOUR_RADIUS_UM["mob"])
    normalised = normalise(adata)
    label_domains(normalised, seed=seed)
    adata.obs[keys.task("domain")] = normalised.obs[keys.task("domain")]
    adata.uns[keys.task("domain")] = normalised.uns[keys.task("domain")]
    return adata


def prepare_crc_visium(*, seed: int = 0, progress: bool = True) -> AnnData:
    """Return the colorectal section with the counts of the hallmark genes and bacterial labels, images not embedded.

    The panel is the union of the hallmark sets, which no spot of this tissue had a say in.
    """
    adata = load("crc_visium", progress=progress)
    embed_expression(adata)
    label_bacteria(adata)
    panel = {gene for genes in hallmark_sets().values() for gene in genes}
    return adata[:, [gene for gene in adata.var_names if gene in panel]].copy()


PREPARE: dict[str, Callable[..., AnnData]] = {
    "her2st": prepare_her2st,
    "mob": prepare_mob,
    "crc_visium": prepare_crc_visium,
}


def build_release(name: str, *, device: Device = "auto", seed: int = 0, progress: bool = True) -> AnnData:
    """Load a data set, embed it with every expert, label it, and keep what the release ships.

    Parameters
    ----------
    name
        ``her2st``, ``mob`` or ``crc_visium``.
    device
        Where the image expert runs.
    seed
        Of everything that draws.
    progress
        Show what is done and the time to go.

    Raises
    ------
    InputError
        If the name is unknown or raw data cannot be had.
    """
    if name not in PREPARE:
        msg = f"There is no release {name!r}; known are {', '.join(PREPARE)}."
        raise InputError(msg)
    adata = PREPARE[name](seed=seed, progress=progress)
    embed_morphology(adata, fields_um=FIELDS_UM[name], device=device, progress=progress)
    return strip(adata)


def strip(adata: AnnData) -> AnnData:
    """Return a copy without the spatial graph and with counts as small integers."""
    counts = None if adata.X is None else sparse.csr_matrix(adata.X).astype(np.int32)
    return anndata.AnnData(
        X=counts,
        obs=adata.obs.copy(),
        var=adata.var[[]].copy() if counts is not None else None,
        obsm=dict(adata.obsm),
        uns={key: value for key, value in adata.uns.items() if key != "spatial_neighbors"},
    )
