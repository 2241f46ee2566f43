"""Morphology experts with their published weights."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from beyond_alignment.errors import InputError
from beyond_alignment.experts.architectures import build_morphology
from beyond_alignment.experts.checkpoint_names import rename
from beyond_alignment.experts.checkpoints import fit, from_hub, read_state
from beyond_alignment.experts.compute import Device, resolve_device
from beyond_alignment.experts.morphology import FrozenModel, mobilenetv2
from beyond_alignment.experts.record import Expert
from beyond_alignment.experts.registry import get_expert
from beyond_alignment.experts.weights_files import SHIPPED, WEIGHTS_VARIABLE, Source, find_weights
from beyond_alignment.files import file_sha256


def load_morphology(name: str, *, weights: Path | None = None, device: Device = "auto") -> FrozenModel:
    """Load a morphology expert with its published weights, frozen, in float32 and evaluation mode.

    Parameters
    ----------
    name
        Name in the registry, such as ``"uni2_h"``.
    weights
        A file of weights: safetensors, or ``.bin``, ``.pt``, ``.pth`` with nothing but tensors. When None: the file
        that ships with the book or is registered, else the reader's own in ``BEYOND_ALIGNMENT_WEIGHTS``, else the hub
        at the revision of the record (the token of a gated model is read from the environment).
    device
        Where to put it.

    Returns
    -------
    FrozenModel
        Its ``module`` maps images (batch, channel, height, width), normalised by ``expert.mean`` and ``expert.sd``, to
        embeddings (batch, feature).

    Raises
    ------
    InputError
        If the expert is unknown or reads no images, no weights can be had, the file cannot be read, or it does not fit
        the architecture (the first differing names are given).
    """
    expert, target = get_expert(name), resolve_device(device)
    if expert.name == "colour":
        return FrozenModel(build_morphology("colour"), source="definition", sha256="", expert=expert)
    if expert.name == "mobilenetv2" and weights is None and find_weights(expert) is None:
        model = mobilenetv2()
        return replace(model, module=model.module.to(target))
    _on_meta(expert.name)  # an expert without a network is refused before anything is fetched
    path, source = _weights(expert, weights)
    state = rename(expert.name, read_state(path))
    module = fit(_empty(expert.name), state, path=path, name=expert.name)
    return FrozenModel(module.to(target), source=source, sha256=file_sha256(path), expert=expert)


def _weights(expert: Expert, given: Path | None) -> tuple[Path, Source]:
    """Return the file to load and where it comes from."""
    if given is not None:
        return Path(given), "given file"
    if found := find_weights(expert):
        return found
    if expert.on_hub:
        return from_hub(expert), "hub"
    msg = (
        f"There are no weights of {expert.name} in {SHIPPED}: restore them, or name a folder with "
        f"{expert.name}.safetensors in {WEIGHTS_VARIABLE}."
    )
    raise InputError(msg)


def _on_meta(name: str) -> nn.Module:
    """Build a network without memory for its numbers."""
    with torch.device("meta"):
        return build_morphology(name)


def _empty(name: str) -> nn.Module:
    """Build a network that takes its numbers from a file: drawing a billion of them only to throw away is slow."""
    module = _on_meta(name)
    held = set(module.state_dict())
    return module if all(buffer in held for buffer, _ in module.named_buffers()) else build_morphology(name)
