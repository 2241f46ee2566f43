"""Keeps each finished point of a long run on disk, so that a killed run goes on where it stopped."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from beyond_alignment.benchmark.predictions import Arrays
from beyond_alignment.files import atomic_path


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

    def find(self, key: Mapping[str, object]) -> Arrays | None:
        """Return a point that is kept; None where it is not, or cannot be read."""
        path = None if self.folder is None else self._path(self.folder, key)
        if path is None or not path.is_file():
            return None
        try:
            with np.load(path, allow_pickle=False) as stored:
                return dict(stored)
        except (OSError, ValueError, EOFError, BadZipFile):
            path.unlink(missing_ok=True)
            return None

    def keep(self, key: Mapping[str, object], arrays: Arrays) -> Arrays:
        """Keep a point in one step, and return it."""
        if self.folder is not None:
            with atomic_path(self._path(self.folder, key)) as temporary, temporary.open("wb") as handle:
                np.savez(handle, **arrays)  # type: ignore[arg-type]
        return arrays

    def get(self, key: Mapping[str, object], compute: Callable[[], Arrays]) -> Arrays:
        """Return a point, computing it when it is not there.

        Parameters
        ----------
        key
            What identifies the point; values must have a stable text.
        compute
            Returns the arrays of the point; called only when the file is missing or cannot be read.
        """
        found = self.find(key)
        return self.keep(key, compute()) if found is None else found
