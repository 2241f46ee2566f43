"""What a finished training leaves behind: float16 weights, a card, the curve."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from beyond_alignment.errors import InputError
from beyond_alignment.experts.model_card import ModelCard, write_model_card
from beyond_alignment.files import atomic_path, file_sha256

MOST_BYTES = 15_000_000


@dataclass(frozen=True)
class TrainingRun:
    """A finished training.

    Attributes
    ----------
    weights
        The float16 safetensors file.
    card
        What the model card says.
    curve
        A row for each epoch, as in ``metrics.csv``.
    """

    weights: Path
    card: ModelCard
    curve: list[dict[str, float]]


def write_weights(path: Path, state: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> str:
    """Write weights as float16 safetensors, whole numbers as they are, and return the sha256 of the file.

    What they are about is kept as JSON under one key of the file, so that the same weights give the same bytes.

    Raises
    ------
    InputError
        If the file would be larger than 15 MB.
    """
    tensors = {
        name: (value.half() if value.is_floating_point() else value).detach().cpu().contiguous().clone()
        for name, value in state.items()
    }
    size = sum(value.numel() * value.element_size() for value in tensors.values())
    if size > MOST_BYTES:
        msg = f"The weights would take {size / 1e6:.1f} MB, at most 15 are kept: choose a smaller network."
        raise InputError(msg)
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata={"about": json.dumps(dict(about), sort_keys=True)})
    return file_sha256(path)


def trained_name(expert: str, excluded_donors: Sequence[str]) -> str:
    """Return the name of what a training writes: the expert's, or that of the variant that some donors were kept from.

    Parameters
    ----------
    expert
        Name of the expert.
    excluded_donors
        Donors left out.
    """
    return "_".join([expert, "without", *excluded_donors]) if excluded_donors else expert


def hardware(device: torch.device) -> str:
    """Say in words what a training runs on."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{torch.get_num_threads()} threads of {os.cpu_count()} {platform.machine()} CPU cores"


def finish(
    folder: Path,
    *,
    name: str,
    state: Mapping[str, torch.Tensor],
    about: Mapping[str, Any],
    curve: list[dict[str, float]],
    card: Mapping[str, Any],
) -> TrainingRun:
    """Write the weights and the model card of a finished training.

    Parameters
    ----------
    folder
        Where ``<name>.safetensors``, ``<name>.json`` and ``<name>.md`` go.
    name
        Name of the expert.
    state
        The weights that are kept.
    about
        Kept within the weights file.
    curve
        From the training loop.
    card
        Fields of :class:`ModelCard` that are not known here.
    """
    weights = folder / f"{name}.safetensors"
    sha256 = write_weights(weights, state, about)
    parameters = sum(value.numel() for value in state.values() if value.is_floating_point())
    whole = ModelCard(
        name=name,
        sha256=sha256,
        size=weights.stat().st_size,
        parameters=parameters,
        hours=sum(row["seconds"] for row in curve) / 3600.0,
        torch=torch.__version__.split("+")[0],
        curve=curve,
        **card,
    )
    write_model_card(folder, whole)
    return TrainingRun(weights=weights, card=whole, curve=curve)
