"""Writes the embeddings of frozen experts into AnnData, with their provenance."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from beyond_alignment import keys
from beyond_alignment.datasets import extract_patches, hallmark_sets, normalise, read_image
from beyond_alignment.experts.compute import Device, resolve_device
from beyond_alignment.experts.expression import FrozenPCA, hallmark_scores
from beyond_alignment.experts.morphology import (
    FrozenModel,
    embed_colour,
    embed_mobilenetv2,
    mobilenetv2,
)
from beyond_alignment.experts.registry import get_expert

FIELDS_UM = (100, 200, 600)
PATCH_PX = 224


def field_name(expert: str, field_um: int) -> str:
    """Return the name of a morphology expert at a field of view."""
    return f"{expert}_{field_um}um"


def set_embedding(adata: AnnData, name: str, values: NDArray[np.floating], *, expert: str, **details: object) -> None:
    """Write an embedding and what made it.

    Parameters
    ----------
    adata
        Writes ``obsm["X_<name>"]`` (spot, feature) and ``uns["<name>"]["params"]``.
    name
        The expert's name, with its field of view.
    values
        (spot, feature).
    expert
        The expert's name in the registry.
    **details
        Added to the provenance.
    """
    record = get_expert(expert)
    adata.obsm[keys.embedding(name)] = values.astype(np.float32)
    adata.uns[name] = {
        "params": {
            "expert": expert,
            "source": record.source,
            "licence": record.licence,
            "input": record.input_description,
            "fitted_on": record.fitted_on,
            **details,
        }
    }


def embed_morphology(
    adata: AnnData,
    *,
    fields_um: Sequence[int] = FIELDS_UM,
    device: Device = "auto",
    model: FrozenModel | None = None,
    progress: bool = True,
) -> None:
    """Embed the patch of every spot with MobileNetV2 and with colour statistics, at several fields of view.

    Parameters
    ----------
    adata
        Spots with images; writes ``X_mobilenetv2_<field>um`` and ``X_colour_<field>um``.
    fields_um
        Sides of the square patches in microns.
    device
        Where to run.
    model
        The network; the registered one when None.
    progress
        Show which section is done and the time to go.
    """
    network = model or mobilenetv2()
    sections = adata.obs[keys.SECTION].astype(str).to_numpy()
    names = list(dict.fromkeys(sections))
    features = {field: np.zeros((adata.n_obs, get_expert("mobilenetv2").dimension), np.float32) for field in fields_um}
    colours = {field: np.zeros((adata.n_obs, get_expert("colour").dimension), np.float32) for field in fields_um}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True, disable=not progress) as bar:
        job = bar.add_task("embedding", total=len(names) * len(fields_um))
        for section in names:
            image, rows = read_image(adata, section), sections == section
            for field in fields_um:
                bar.update(job, description=f"{section}, {field} um")
                patches = extract_patches(adata, section, field_of_view_um=field, size_px=PATCH_PX, image=image)
                features[field][rows] = embed_mobilenetv2(patches, model=network, device=device)
                colours[field][rows] = embed_colour(patches)
                bar.advance(job)
    details = {"precision": "bfloat16", "device": resolve_device(device).type, "torch": torch.__version__.split("+")[0]}
    weights = {"weights": network.source, "sha256": network.sha256}
    for field in fields_um:
        scale = {"field_of_view_um": field, "microns_per_pixel": field / PATCH_PX}
        name = field_name("mobilenetv2", field)
        set_embedding(adata, name, features[field], expert="mobilenetv2", **scale, **weights, **details)
        set_embedding(adata, field_name("colour", field), colours[field], expert="colour", **scale)


def embed_expression(
    adata: AnnData, *, pca: FrozenPCA | None = None, sets: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Embed the expression of every spot with hallmark scores and, where given, frozen principal components.

    Parameters
    ----------
    adata
        Raw counts in ``X``; writes ``X_hallmark`` and, with ``pca``, ``X_pca``.
    pca
        Components fitted on spots that are scored nowhere.
    sets
        Gene sets; the hallmark sets when None.
    """
    normalised = normalise(adata)
    set_embedding(adata, "hallmark", hallmark_scores(normalised, sets or hallmark_sets()), expert="hallmark")
    if pca is not None:
        details = {"n_genes": len(pca.genes), "sha256": pca.sha256}
        set_embedding(adata, "pca", pca.transform(normalised), expert="pca", **details)
