"""Builds the frozen-embedding release of a data set: embeddings, coordinates, sections, donors and labels."""

from collections.abc import Callable
from dataclasses import dataclass

import anndata
import numpy as np
from anndata import AnnData
from scipy import sparse

from beyond_alignment import keys
from beyond_alignment.datasets import load, normalise, spatial_graph
from beyond_alignment.datasets.genesets import hallmark_sets
from beyond_alignment.errors import InputError
from beyond_alignment.experts.compute import Device
from beyond_alignment.experts.embed import embed_expression, embed_gene_transformer
from beyond_alignment.experts.expression import FrozenPCA, fit_frozen_pca
from beyond_alignment.experts.released import embed_released
from beyond_alignment.tasks.domains import label_domains
from beyond_alignment.tasks.genes import variable_genes
from beyond_alignment.tasks.imputation import N_GENES, announce_imputation, hold_out_fixed_genes, other_genes
from beyond_alignment.tasks.labels import label_bacteria, label_cell_type, label_composition, label_region
from beyond_alignment.tasks.microenvironment import label_bacteria_around, label_interface, label_mixing
from beyond_alignment.tasks.niche import NicheDefinition, fit_niches, label_niches, neighbour_composition
from beyond_alignment.tasks.registry import NEIGHBOUR_RADIUS_UM
from beyond_alignment.tasks.rings import expression_clusters, label_rings

PAIRED_SECTIONS = ("A1", "A2", "B4", "C2", "C3", "C4", "C5", "C6")
REFERENCE_DONORS = {"D": 6, "E": 3, "F": 3, "G": 3, "H": 3}
REFERENCE_SECTIONS = tuple(f"{donor}{i}" for donor, n in REFERENCE_DONORS.items() for i in range(1, n + 1))
FIELDS_UM = {"her2st": (100, 200, 600), "mob": (200,), "crc_visium": (200,)}


@dataclass(frozen=True)
class Reference:
    """What HER2ST freezes on donors whose sections are scored nowhere.

    Attributes
    ----------
    pca
        Components of expression.
    niches
        Niche centres.
    genes
        Genes to be imputed.
    pca_of_others
        Components of the other genes.
    """

    pca: FrozenPCA
    niches: NicheDefinition
    genes: tuple[str, ...]
    pca_of_others: FrozenPCA


def fit_on_reference_donors(*, seed: int = 0, progress: bool = True) -> Reference:
    """Fit what HER2ST freezes on donors D-H, whose sections are scored nowhere.

    Parameters
    ----------
    seed
        Of all fits.
    progress
        Show the loading of the sections.
    """
    reference = load("her2st", sections=list(REFERENCE_SECTIONS), images=False, progress=progress)
    spatial_graph(reference, radius_um=NEIGHBOUR_RADIUS_UM["her2st"])
    niches = fit_niches(neighbour_composition(reference), seed=seed)
    genes = variable_genes(reference, n_genes=N_GENES)
    of_others = fit_frozen_pca(other_genes(reference, genes), seed=seed)
    return Reference(fit_frozen_pca(normalise(reference), seed=seed), niches, genes, of_others)


def prepare_her2st(*, seed: int = 0, progress: bool = True) -> AnnData:
    """Return the paired sections of HER2ST with expression embeddings and all labels, images not yet embedded.

    Counts are kept of the genes that are imputed alone, with the total of each spot in ``obs["total_counts"]``.
    """
    adata = load("her2st", sections=list(PAIRED_SECTIONS), progress=progress)
    frozen = fit_on_reference_donors(seed=seed, progress=progress)
    embed_expression(adata, pca=frozen.pca)
    embed_gene_transformer(adata, untrained_too=True, device="cpu")
    spatial_graph(adata, radius_um=NEIGHBOUR_RADIUS_UM["her2st"])
    label_niches(adata, frozen.niches)
    label_interface(adata)
    label_rings(adata, "her2st", adata.obsm[keys.COMPOSITION])
    label_cell_type(adata)
    label_composition(adata)
    label_region(adata)
    hold_out_fixed_genes(adata, "genes", frozen.genes, frozen.pca_of_others)
    adata.obs[keys.TOTAL_COUNTS] = np.asarray(adata.X.sum(axis=1)).ravel().astype(np.int32)
    return adata[:, [gene for gene in frozen.genes if gene in adata.var_names]].copy()


def label_from_clusters(adata: AnnData, data_set: str, *, domain: str, mixing: str | None = None, seed: int) -> None:
    """Label tissue without cell types by its expression clusters: domains, rings and, where asked for, mixing."""
    normalised = normalise(adata)
    label_domains(normalised, task=domain, seed=seed)
    adata.obs[keys.task(domain)] = normalised.obs[keys.task(domain)]
    adata.uns[keys.task(domain)] = normalised.uns[keys.task(domain)]
    clusters = expression_clusters(normalised, seed=seed)
    label_rings(adata, data_set, clusters)
    if mixing is not None:
        label_mixing(adata, mixing, clusters)


def prepare_mob(*, seed: int = 0, progress: bool = True) -> AnnData:
    """Return the olfactory bulb with counts, hallmark scores and labels, images not yet embedded."""
    adata = load("mob", progress=progress)
    embed_expression(adata)
    spatial_graph(adata, radius_um=NEIGHBOUR_RADIUS_UM["mob"])
    label_from_clusters(adata, "mob", domain="domain", mixing="mob_mixing", seed=seed)
    announce_imputation(adata, "mob_genes")
    return adata


def prepare_crc_visium(*, seed: int = 0, progress: bool = True) -> AnnData:
    """Return the colorectal section with the counts of the hallmark genes and labels, images not yet embedded.

    The panel is the union of the hallmark sets, which no spot of this tissue had a say in.
    """
    adata = load("crc_visium", progress=progress)
    embed_expression(adata)
    embed_gene_transformer(adata, untrained_too=True, device="cpu")
    spatial_graph(adata, radius_um=NEIGHBOUR_RADIUS_UM["crc_visium"])
    label_bacteria(adata)
    label_bacteria_around(adata)
    panel = {gene for genes in hallmark_sets().values() for gene in genes}
    adata = adata[:, [gene for gene in adata.var_names if gene in panel]].copy()
    label_from_clusters(adata, "crc_visium", domain="crc_domain", seed=seed)
    announce_imputation(adata, "crc_genes")
    return adata


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
    embed_released(adata, fields_um=FIELDS_UM[name], device=device, progress=progress)
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
