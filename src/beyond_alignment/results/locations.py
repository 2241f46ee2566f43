"""Where results live: ``results/`` for the quick profile, ``results/<profile>/`` for every other one."""

import json
import os
from pathlib import Path
from typing import Any

from beyond_alignment.errors import InputError
from beyond_alignment.project import root

QUICK = "quick"
REFERENCE = "reference"


def folder(profile: str = QUICK) -> Path:
    """Return the folder that a profile's results are written to; ``BEYOND_ALIGNMENT_RESULTS`` moves them all.

    Parameters
    ----------
    profile
        Name of the profile.
    """
    named = os.environ.get("BEYOND_ALIGNMENT_RESULTS")
    base = Path(named).resolve() if named else root() / "results"
    return base if profile == QUICK else base / profile


def page_file(page: str, profile: str = QUICK) -> Path:
    """Return the path of a page's results."""
    return folder(profile) / f"{page}.json"


def table_file(page: str, name: str, profile: str = QUICK) -> Path:
    """Return the path of one of a page's tables."""
    return folder(profile) / "tables" / f"{page}-{name}.csv"


def figure_file(page: str, name: str, profile: str = QUICK) -> Path:
    """Return the path of one of a page's figures."""
    return folder(profile) / "figures" / f"{page}-{name}.png"


def load(page: str, profile: str = QUICK) -> dict[str, Any]:
    """Read a page's results.

    Parameters
    ----------
    page
        Name of the page, such as ``03_fusion_benchmark``.
    profile
        Name of the profile that it was run with.

    Returns
    -------
    dict
        ``page``, ``profile``, ``device``, ``parameters``, ``values``, ``claims`` and ``tables``.

    Raises
    ------
    InputError
        If the page has no results yet.
    """
    path = page_file(page, profile)
    if not path.is_file():
        msg = f"No results of {page} in profile {profile}: run `beyond-alignment book run --profile {profile}` first."
        raise InputError(msg)
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
