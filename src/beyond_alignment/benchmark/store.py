"""Keeps each finished point of a long run on disk, so that a killed run goes on where it stopped."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.files import atomic_path

Arrays = dict[str, NDArray]


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
