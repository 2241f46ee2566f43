"""Where the weights of an expert lie on this machine: shipped, registered, or put there by the reader."""

import json
import os
from pathlib import Path
from typing import Literal

from beyond_alignment.datasets.fetch import find
from beyond_alignment.datasets.registry import data_set
from beyond_alignment.errors import InputError
from beyond_alignment.experts.checkpoints import HUB_FILES, SUFFIXES
from beyond_alignment.experts.record import Expert
from beyond_alignment.files import file_sha256
from beyond_alignment.project import root

WEIGHTS_VARIABLE = "BEYOND_ALIGNMENT_WEIGHTS"
SHIPPED = Path("data") / "experts"
ROLES = {"mobilenetv2": "mobilenetv2_100"}

Source = Literal["definition", "given file", "registered file", "own file", "hub"]


def shipped_file(expert: Expert) -> Path | None:
    """Return the weights of an expert that ship with the book, or None.

    Raises
    ------
    InputError
        If the file is not the one that its model card (the .json beside it) describes, or the card is absent.
    """
    try:
        file = root() / SHIPPED / f"{expert.name}.safetensors"
    except InputError:  # an installed package without a checkout of the book
        return None
    if not file.is_file():
        return None
    card = file.with_suffix(".json")
    try:
        expected = str(json.loads(card.read_text(encoding="utf-8"))["sha256"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        msg = f"{card} does not say the sha256 of {file.name} ({type(error).__name__}): restore data/."
        raise InputError(msg) from error
    if (found := file_sha256(file)) != expected:
        msg = f"{file} is not the file of its model card (sha256 {found[:12]}, not {expected[:12]}): restore data/."
        raise InputError(msg)
    return file


def registered_file(expert: Expert) -> Path | None:
    """Return the verified weights of an expert from the cache or the mirror of the data sets, or None."""
    for file in data_set("weights").files:
        if file.role == ROLES.get(expert.name):
            return find(file)
    return None


def own_file(expert: Expert) -> Path | None:
    """Return ``<expert>.safetensors`` (or .bin, .pt, .pth) in the folder ``BEYOND_ALIGNMENT_WEIGHTS``, or None.

    Raises
    ------
    InputError
        If the variable names no folder.
    """
    named = os.environ.get(WEIGHTS_VARIABLE)
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        msg = f"The folder of weights {folder} does not exist: correct {WEIGHTS_VARIABLE} or unset it."
        raise InputError(msg)
    return next((path for suffix in SUFFIXES if (path := folder / f"{expert.name}{suffix}").is_file()), None)


def cached_file(expert: Expert) -> Path | None:
    """Return the file that the hub's cache holds of an expert at its revision, or None; nothing is fetched."""
    from huggingface_hub import try_to_load_from_cache

    if not expert.on_hub:
        return None
    for name in HUB_FILES:
        path = try_to_load_from_cache(expert.source, name, revision=expert.revision)
        if isinstance(path, str):
            return Path(path)
    return None


def find_weights(expert: Expert) -> tuple[Path, Source] | None:
    """Return the weights of an expert on this machine and where they come from, or None; nothing is fetched.

    Looked for in this order: shipped with the book (``data/experts``), registered (cache or mirror), the reader's own
    folder (``BEYOND_ALIGNMENT_WEIGHTS``), the hub's cache.

    Raises
    ------
    InputError
        If a shipped file is damaged or the reader's folder does not exist.
    """
    if path := shipped_file(expert) or registered_file(expert):
        return path, "registered file"
    if path := own_file(expert):
        return path, "own file"
    if path := cached_file(expert):
        return path, "hub"
    return None
