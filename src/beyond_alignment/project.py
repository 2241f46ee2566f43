"""Where the project and its raw data live on disk: every path starts here, never from the working directory."""

import os
from pathlib import Path

from beyond_alignment.errors import InputError

MARKER = "_toc.yml"
CACHE_VARIABLE = "BEYOND_ALIGNMENT_CACHE"
MIRROR_VARIABLE = "BEYOND_ALIGNMENT_MIRROR"
EXECUTED_VARIABLE = "BEYOND_ALIGNMENT_EXECUTED"


def root() -> Path:
    """Return the folder that holds ``_toc.yml``.

    ``BEYOND_ALIGNMENT_ROOT`` wins; otherwise the folder is found from the package's own place in a checkout.

    Raises
    ------
    InputError
        If neither names a checkout of the book.
    """
    named = os.environ.get("BEYOND_ALIGNMENT_ROOT")
    candidates = [Path(named)] if named else list(Path(__file__).resolve().parents)
    for folder in candidates:
        if (folder / MARKER).is_file():
            return folder.resolve()
    found = named or Path(__file__).parent
    msg = f"No checkout of the book at {found}: {MARKER} is missing; set BEYOND_ALIGNMENT_ROOT to the cloned folder."
    raise InputError(msg)


def executed() -> Path:
    """Return the folder that whatever runs writes to: ``executed/``, or what ``BEYOND_ALIGNMENT_EXECUTED`` names."""
    named = os.environ.get(EXECUTED_VARIABLE)
    return Path(named).resolve() if named else root() / "executed"
