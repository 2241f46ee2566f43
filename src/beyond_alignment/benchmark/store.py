"""Keeps each finished point of a long run on disk, so that a killed run goes on where it stopped."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.files import atomic_path
from beyond_alignment.project import root

Arrays = dict[str, NDArray]
CODE = ("fusion", "tasks", "benchmark")


def open_store(profile: str) -> "PointStore":
    """Return the store of a profile: ``executed/<profile>/points``, good for this code and these releases alone.

    The quick profile keeps none: each of its pages is run again whole.
    """
    if profile == "quick":
        return PointStore(None)
    package = Path(__file__).resolve().parents[1]
    files = [path for name in CODE for path in sorted((package / name).glob("*.py"))]
    files.append(root() / "data" / "manifest.json")
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files if path.is_file()))
    return PointStore(root() / "executed" / profile / "points", context=digest.hexdigest())


class PointStore:
    """A folder with one ``.npz`` file a finished point.

    Parameters
    ----------
    folder
        Where the points lie; None keeps nothing.
    context
        Whatever a point depends on besides its own key (hash of the code, of the data): part of every file's name.
    """

    def __init__(self, folder: Path | None, *, context: str = "") -> None:
        self.folder = folder
        self.context = context

    def _path(self, folder: Path, key: Mapping[str, object]) -> Path:
        """Return the file of a point."""
        text = json.dumps({"context": self.context, **key}, sort_keys=True, default=str)
        return folder / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.npz"

    def get(self, key: Mapping[str, object], compute: Callable[[], Arrays]) -> Arrays:
        """Return a point, computing it when it is not there.

        Parameters
        ----------
        key
            What identifies the point; values must have a stable text.
        compute
            Returns the arrays of the point; called only when the file is missing or cannot be read.
        """
        if self.folder is None:
            return compute()
        path = self._path(self.folder, key)
        if path.is_file():
            try:
                with np.load(path, allow_pickle=False) as stored:
                    return dict(stored)
            except (OSError, ValueError, EOFError, BadZipFile):
                path.unlink(missing_ok=True)
        arrays = compute()
        with atomic_path(path) as temporary, temporary.open("wb") as handle:
            np.savez(handle, **arrays)  # type: ignore[arg-type]
        return arrays
