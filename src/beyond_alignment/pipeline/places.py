"""Where runs live: ``executed/<profile>/``, which is not committed."""

from pathlib import Path

from beyond_alignment.project import root


def executed_folder(profile: str) -> Path:
    """Return the folder of a profile's executed pages."""
    return root() / "executed" / profile


def executed_file(page: str, profile: str) -> Path:
    """Return the path of an executed page."""
    return executed_folder(profile) / f"{page}.ipynb"


def failed_file(page: str, profile: str) -> Path:
    """Return the path that a page which stopped with an error is kept at."""
    return executed_folder(profile) / "failed" / f"{page}.ipynb"


def manifest_file(page: str, profile: str) -> Path:
    """Return the path of a page's manifest."""
    return executed_folder(profile) / "manifests" / f"{page}.json"


def book_folder(profile: str) -> Path:
    """Return the folder that a profile's book is built in: the project itself for ``quick``, else a staging copy."""
    return root() if profile == "quick" else executed_folder(profile) / "book"


def shown(path: Path) -> str:
    """Return a path as it is told to a reader: from the project root where it lies inside."""
    return path.relative_to(root()).as_posix() if path.is_relative_to(root()) else str(path)
