"""Profiles: which parameters each page runs with, from ``notebooks/profiles/<name>.yaml``."""

from dataclasses import dataclass
from typing import Any

import yaml

from beyond_alignment.errors import InputError
from beyond_alignment.pipeline.parameters import declared, nearest, resolve
from beyond_alignment.project import root
from beyond_alignment.results.hashing import read_notebook

EXPECTED_SECONDS = 60.0


@dataclass(frozen=True)
class PagePlan:
    """How a profile runs one page.

    Attributes
    ----------
    name
        Name of the notebook without its suffix.
    profile
        Name of the profile.
    parameters
        Every declared parameter with its value.
    expected_seconds
        How long the page takes where it has not been run yet.
    """

    name: str
    profile: str
    parameters: dict[str, Any]
    expected_seconds: float


@dataclass(frozen=True)
class Profile:
    """One set of parameters for the whole book.

    Attributes
    ----------
    name
        Name of the file without its suffix.
    description
        One sentence for the reader.
    pages
        The pages in the order in which they run.
    """

    name: str
    description: str
    pages: tuple[PagePlan, ...]


def page_names() -> list[str]:
    """Return the names of the notebooks in the order of their numbers."""
    return sorted(path.stem for path in (root() / "notebooks").glob("[0-9]*.ipynb"))


def load_profile(name: str) -> Profile:
    """Read a profile and check it against the notebooks.

    Parameters
    ----------
    name
        Name of a file in ``notebooks/profiles``.

    Raises
    ------
    InputError
        If the profile, one of its pages, keys or parameters is unknown, or a value is of the wrong type.
    """
    folder = root() / "notebooks" / "profiles"
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in known:
        msg = f"There is no profile {name!r}: {nearest(name, known)}"
        raise InputError(msg)
    try:
        content = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        msg = f"notebooks/profiles/{name}.yaml is not YAML: {' '.join(str(error).split())}."
        raise InputError(msg) from None
    _check_keys(content, ["description", "pages", "machine", "studies"], f"Profile {name}")
    pages = content.get("pages") or {}
    names = page_names()
    for page in pages:
        if page not in names:
            msg = f"Profile {name} names the unknown page {page!r}: {nearest(page, names)}"
            raise InputError(msg)
    plans = tuple(_plan(page, name, pages.get(page) or {}) for page in names)
    return Profile(name, str(content.get("description", "")), plans)


def _plan(page: str, profile: str, given: dict[str, Any]) -> PagePlan:
    """Plan one page."""
    _check_keys(given, ["parameters", "expected_seconds"], f"Page {page} of profile {profile}")
    defaults = declared(page, read_notebook(page))
    parameters = resolve(page, defaults, given.get("parameters") or {})
    if "profile" in defaults:
        parameters["profile"] = profile
    return PagePlan(page, profile, parameters, float(given.get("expected_seconds", EXPECTED_SECONDS)))


def _check_keys(content: Any, known: list[str], what: str) -> None:
    """Refuse keys that nothing reads."""
    if not isinstance(content, dict):
        msg = f"{what} is {content!r}; expected a mapping with the keys {', '.join(known)}."
        raise InputError(msg)
    for key in content:
        if key not in known:
            msg = f"{what} has the unknown key {key!r}: {nearest(str(key), known)}"
            raise InputError(msg)


def select(profile: Profile, *, only: list[str] | None = None, start: str | None = None) -> tuple[PagePlan, ...]:
    """Choose pages of a profile by name or number.

    Parameters
    ----------
    profile
        The profile.
    only
        Pages to keep, such as ``03`` or ``03_fusion_benchmark``.
    start
        First page to keep.

    Raises
    ------
    InputError
        If a name fits no page.
    """
    names = [plan.name for plan in profile.pages]
    kept = {_find(name, names) for name in only} if only else set(names)
    first = names.index(_find(start, names)) if start is not None else 0
    return tuple(plan for plan in profile.pages[first:] if plan.name in kept)


def _find(name: str, names: list[str]) -> str:
    """Find the one page that a name or number stands for."""
    found = [page for page in names if page == name or page.split("_")[0] == name.zfill(2)]
    if len(found) != 1:
        msg = f"There is no page {name!r}: {nearest(name, names)}"
        raise InputError(msg)
    return found[0]
