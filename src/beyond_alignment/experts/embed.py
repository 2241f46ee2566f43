"""Writes the embeddings of frozen experts into AnnData, with their provenance."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from beyond_alignment import keys
from beyond_alignment.datasets import normalise
from beyond_alignment.datasets.genesets import hallmark_sets
from beyond_alignment.errors import InputError
from beyond_alignment.experts import gene_transformer
from beyond_alignment.experts.compute import Device
from beyond_alignment.experts.expression import FrozenPCA, hallmark_scores
from beyond_alignment.experts.registry import get_expert
from beyond_alignment.experts.weights_files import find_weights
from beyond_alignment.files import file_sha256

FIELDS_UM = (100, 200, 600)


def field_name(expert: str, field_um: float) -> str:
    """Return the name of a morphology expert at a field of view in microns; of no expert, how such names end."""
    return f"{expert}_{field_um:g}um"


def set_embedding(adata: AnnData, name: str, values: NDArray[np.floating], *, expert: str, **details: object) -> None:
    """Write ``obsm["X_<name>"]`` (spot, feature) and its provenance ``uns["<name>"]["params"]``."""
    adata.obsm[keys.embedding(name)] = values.astype(np.float32)
    adata.uns[name] = {"params": get_expert(expert).provenance | details}


def embed_expression(
    adata: AnnData, *, pca: FrozenPCA | None = None, sets: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Write ``X_hallmark`` of raw counts and, with components fitted on spots that are scored nowhere, ``X_pca``."""
    normalised = normalise(adata)
    set_embedding(adata, "hallmark", hallmark_scores(normalised, sets or hallmark_sets()), expert="hallmark")
    if pca is not None:
        details = {"n_genes": len(pca.genes), "sha256": pca.sha256}
        set_embedding(adata, "pca", pca.transform(normalised), expert="pca", **details)


def embed_gene_transformer(
    adata: AnnData,
    *,
    weights: Path | None = None,
    untrained_too: bool = False,
    device: Device = "auto",
    batch_size: int = 64,
) -> None:
    """Write ``X_gene_transformer`` of raw counts, and on demand ``X_random_gene_transformer`` of the untrained one."""
    name = gene_transformer.NAME
    found = find_weights(get_expert(name)) if weights is None else (weights, "given file")
    if found is None:
        msg = f"No weights of {name} are here: train it, or give them with --weights."
        raise InputError(msg)
    path, source = found
    trained = gene_transformer.load_gene_transformer(path)
    values = trained.embed(adata, device=device, batch_size=batch_size)
    set_embedding(adata, name, values, expert=name, weights=source, weights_sha256=file_sha256(path))
    if untrained_too:
        values = trained.untrained().embed(adata, device=device, batch_size=batch_size)
        details = {"weights": "random", "fitted_on": "nothing", "source": "random weights"}
        set_embedding(adata, f"random_{name}", values, expert=name, **details)
