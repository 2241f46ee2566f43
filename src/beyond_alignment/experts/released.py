"""The morphology experts whose embeddings the release holds, the project's own beside what they are judged by."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from anndata import AnnData

from beyond_alignment.errors import InputError
from beyond_alignment.experts import tissue_vit
from beyond_alignment.experts.architectures import build_morphology
from beyond_alignment.experts.compute import Device
from beyond_alignment.experts.forward import state_sha256
from beyond_alignment.experts.loading import load_morphology
from beyond_alignment.experts.model_card import read_model_card
from beyond_alignment.experts.morphology import FrozenModel
from beyond_alignment.experts.registry import get_expert
from beyond_alignment.experts.tissue_embedding import Reading, embed_readings
from beyond_alignment.experts.weights_files import SHIPPED, shipped_file
from beyond_alignment.project import root

RANDOM_VIT = "random_vit"


def random_vit(*, seed: int = 0) -> FrozenModel:
    """Build the network of ``tissue_vit`` with the weights that it starts from: what training has to beat."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = build_morphology(tissue_vit.NAME)
    module = module.eval().requires_grad_(False)
    record = replace(get_expert(tissue_vit.NAME), name=RANDOM_VIT, source="random weights", fitted_on="nothing")
    details = {"expert": tissue_vit.NAME, "seed": seed}
    return FrozenModel(module, source="definition", sha256=state_sha256(module), expert=record, details=details)


def shipped_variants(name: str = tissue_vit.NAME) -> tuple[FrozenModel, ...]:
    """Load the variants of an expert that ship with the book, each trained without some donors."""
    found = sorted((root() / SHIPPED).glob(f"{name}_without_*.safetensors"))
    return tuple(_variant(name, path) for path in found)


def _variant(name: str, path: Path) -> FrozenModel:
    """Load one variant and what its card says of it."""
    record = replace(get_expert(name), name=path.stem)
    shipped_file(record)  # refuses a file that is not that of its card
    card = read_model_card(path.with_suffix(".json"))
    if not card.excluded_donors:
        msg = f"The card of {path.name} names no donor that was left out: train it with --exclude-donor."
        raise InputError(msg)
    loaded = load_morphology(name, weights=path)
    details = {"expert": name, "excluded_donors": [str(donor) for donor in card.excluded_donors]}
    return replace(loaded, source="registered file", expert=record, details=details)


def released_models() -> tuple[FrozenModel, ...]:
    """Return the networks whose embeddings the release holds, and colour statistics, on the CPU."""
    names = ("colour", "mobilenetv2", tissue_vit.NAME)
    return (*(load_morphology(name, device="cpu") for name in names), *shipped_variants(), random_vit())


def embed_released(
    adata: AnnData,
    *,
    fields_um: Sequence[int],
    models: Sequence[FrozenModel] | None = None,
    device: Device = "auto",
    progress: bool = True,
) -> None:
    """Embed the tissue around every spot as the release holds it, in float32; always anew, never from the cache."""
    chosen = released_models() if models is None else models
    embed_readings(
        adata,
        [Reading(model, float(field)) for field in fields_um for model in chosen],
        device=device,
        precision="float32",
        progress=progress,
    )
