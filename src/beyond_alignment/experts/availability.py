"""Whether an expert can be used on this machine, and exactly what is missing."""

import importlib.util
import os
from dataclasses import dataclass

import psutil

from beyond_alignment.errors import InputError
from beyond_alignment.experts.record import Expert
from beyond_alignment.experts.registry import get_expert
from beyond_alignment.experts.weights_files import ROLES, SHIPPED, WEIGHTS_VARIABLE, find_weights
from beyond_alignment.project import MIRROR_VARIABLE

GIB = 2**30
BYTES_A_PARAMETER = 4
WORKING_GIB = 2.0
OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
FALSE = ("", "0", "false", "no", "off")


@dataclass(frozen=True)
class Availability:
    """What one expert has on this machine.

    Attributes
    ----------
    usable
        Whether nothing is missing.
    missing
        Each thing that is missing, and how to get it.
    weights
        Where its weights are, or would come from; empty where it has or finds none.
    download_gb
        What the first use fetches from the hub; 0 where everything is here.
    """

    usable: bool
    missing: tuple[str, ...]
    weights: str = ""
    download_gb: float = 0.0


def availability(name: str) -> Availability:
    """Say whether an expert can be used here and what is missing; the network is not asked.

    Parameters
    ----------
    name
        Name in the registry.

    Raises
    ------
    InputError
        If the expert is unknown.
    """
    expert = get_expert(name)
    if expert.runs == "own environment":
        text = f"environment: run envs/{expert.name}/extract.py in its own; `embed --from-file` reads what it writes"
        return Availability(False, (text,))
    weights, download, lacking = _weights(expert)
    missing = (*_packages(expert), *lacking, *_memory(expert))
    return Availability(not missing, missing, weights, download)


def needed_gib(expert: Expert) -> float:
    """Return the memory that an expert needs in float32 with a batch of a few images, in GiB."""
    return expert.parameters * BYTES_A_PARAMETER / GIB + WORKING_GIB


def _packages(expert: Expert) -> list[str]:
    """Name the packages that are not installed."""
    return [f"package {name}: pip install {name}" for name in expert.requires if not importlib.util.find_spec(name)]


def _weights(expert: Expert) -> tuple[str, float, list[str]]:
    """Return where the weights would come from, how many GB are fetched for it, and what is missing."""
    if expert.parameters == 0:
        return "", 0.0, []
    try:
        found = find_weights(expert)
    except InputError as error:
        return "", 0.0, [f"weights path: {error}"]
    if found:
        return f"{found[1]} {found[0]}", 0.0, []
    own = f"give --weights, or name a folder with {expert.name}.safetensors in {WEIGHTS_VARIABLE}"
    if not expert.on_hub:
        place = f"a mirror in {MIRROR_VARIABLE}" if expert.name in ROLES else SHIPPED.as_posix()
        return "", 0.0, [f"weights path: {expert.name} is not in {place}; restore it, or {own}"]
    if any(os.environ.get(name, "0").lower() not in FALSE for name in OFFLINE_VARIABLES):
        return "", 0.0, [f"weights path: {expert.source} is not cached and the hub is switched off; {own}"]
    if expert.gated and not _token():
        return "", 0.0, [f"token: ask for access to {expert.source} on the hub and set HF_TOKEN, or give --weights"]
    return f"hub {expert.source}", expert.parameters * BYTES_A_PARAMETER / 1e9, []


def _token() -> bool:
    """Say whether the hub's client has a token, from the environment or a login."""
    from huggingface_hub import get_token

    return bool(get_token())


def _memory(expert: Expert) -> list[str]:
    """Say what memory is missing: of the GPU where there is one, since that is where it would run, else of the CPU."""
    needed = needed_gib(expert)
    gpu = gpu_free_gib()
    if gpu is not None and gpu < needed:
        return [f"GPU memory: {needed:.1f} GiB are needed and {gpu:.1f} are free; give --device cpu, or free it"]
    free = psutil.virtual_memory().available / GIB
    if gpu is None and free < needed:
        return [f"GPU memory: {needed:.1f} GiB; there is no GPU here, and the CPU has only {free:.1f} GiB free"]
    return []


def gpu_free_gib() -> float | None:
    """Return the free memory of the GPU in GiB, or None where torch finds none."""
    import torch

    if not torch.cuda.is_available():
        return None
    return torch.cuda.mem_get_info()[0] / GIB
