"""Checkpoints of a training: weights, optimiser and curve in one safetensors file whose content is checked."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from beyond_alignment.errors import InputError
from beyond_alignment.files import atomic_path

Curve = list[dict[str, float]]
_VERSION = "1"
_RESTART = "start anew with resume off, or give another folder"


class Weights(Protocol):
    """A module, or whatever else gives its weights by name and takes them back."""

    def state_dict(self) -> Mapping[str, torch.Tensor]:
        """Return the weights by name."""

    def load_state_dict(self, state_dict: Mapping[str, torch.Tensor], /) -> object:
        """Take the weights."""


def write_checkpoint(
    path: Path, module: Weights, optimiser: torch.optim.Optimizer, *, fingerprint: dict[str, Any], curve: Curve
) -> None:
    """Write what a training needs to go on as if it had never stopped.

    Parameters
    ----------
    path
        The file.
    module, optimiser
        What is trained, and with what.
    fingerprint
        Settings and data that must be the same when it is read.
    curve
        A row for each finished epoch.
    """
    tensors = {f"module/{name}": value for name, value in module.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{index}/{name}": torch.as_tensor(value) for name, value in state.items()}
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    about = {"fingerprint": fingerprint, "curve": curve}
    metadata = {"version": _VERSION, "about": json.dumps(about, sort_keys=True)}
    metadata["sha256"] = _digest(tensors, metadata["about"])
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata=metadata)


def read_checkpoint(
    path: Path, module: Weights, optimiser: torch.optim.Optimizer, *, fingerprint: dict[str, Any]
) -> Curve:
    """Load a checkpoint into a module and its optimiser and return the curve so far.

    Parameters
    ----------
    path, module, optimiser, fingerprint
        As in :func:`write_checkpoint`.

    Raises
    ------
    InputError
        If the file is damaged or was written with other settings, which are named.
    """
    tensors, about = _read(path)
    before, now = about["fingerprint"], json.loads(json.dumps(fingerprint))
    other = sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
    if other:
        msg = f"The checkpoint {path} was written with another {', '.join(other)}: {_RESTART}."
        raise InputError(msg)
    module.load_state_dict(
        {name.removeprefix("module/"): v for name, v in tensors.items() if name.startswith("module/")}
    )
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimiser/"):
            _, index, name = key.split("/")
            state.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return list(about["curve"])


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors and the description of a checkpoint whose content is what was written."""
    try:
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 not a mapping
    except (SafetensorError, OSError) as error:
        msg = f"The checkpoint {path} cannot be read ({error}): {_RESTART}."
        raise InputError(msg) from error
    about = metadata.get("about", "")
    if metadata.get("version") != _VERSION or metadata.get("sha256") != _digest(tensors, about):
        msg = f"The checkpoint {path} is not what a training of this version wrote: {_RESTART}."
        raise InputError(msg)
    return tensors, json.loads(about)


def _digest(tensors: dict[str, torch.Tensor], about: str) -> str:
    """Return the sha256 of the description and of the names, types, shapes and bytes of tensors."""
    digest = hashlib.sha256(about.encode())
    for name in sorted(tensors):
        value = tensors[name]
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
