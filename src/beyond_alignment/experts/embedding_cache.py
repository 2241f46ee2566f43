"""Embeddings that were computed before, found by everything that decides their values."""

import hashlib
import json
import logging
import os
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from beyond_alignment.errors import InputError
from beyond_alignment.files import atomic_path, write_text

_log = logging.getLogger(__name__)
_STALE_SECONDS = 24 * 3600


class EmbeddingCache:
    """A folder of whole batches for one model, transform and image; a patch is found by its coordinates.

    A batch is a file that is written beside its place and renamed, so that a run killed at any moment leaves whole
    batches alone, and two runs at once do not disturb each other. A file whose checksum does not hold is thrown away
    and its patches are embedded again.

    Parameters
    ----------
    folder
        Of the whole cache.
    key
        Everything that decides the values but the coordinates; plain data.

    Raises
    ------
    InputError
        The folder cannot be written.
    """

    def __init__(self, folder: Path, key: Mapping[str, Any]):
        text = json.dumps(key, sort_keys=True, indent=1)
        self.folder = Path(folder) / hashlib.sha256(text.encode()).hexdigest()
        try:
            write_text(self.folder / "key.json", text + "\n")
            self._sweep()
        except OSError as error:
            raise InputError(
                f"The cache {folder} cannot be written ({error.strerror}): name another folder."
            ) from error

    def find(self, coordinates: NDArray[np.float64], dimension: int | None = None) -> tuple[NDArray, NDArray[np.bool_]]:
        """Look patches up.

        Parameters
        ----------
        coordinates
            (patch, 2).
        dimension
            Number of features, where it is known.

        Returns
        -------
        tuple
            float32 (patch, feature), 0 where nothing is known, and bool (patch,) which are known.
        """
        places: dict[bytes, list[int]] = {}
        for row, name in enumerate(_names(coordinates)):
            places.setdefault(name, []).append(row)
        known = np.zeros(len(coordinates), dtype=bool)
        values = np.zeros((len(coordinates), dimension or 0), dtype=np.float32)
        for centres, features in self._batches():
            if values.shape[1] == 0:
                values = np.zeros((len(coordinates), features.shape[1]), dtype=np.float32)
            for name, feature in zip(_names(centres), features, strict=True):
                rows = places.get(name, [])
                values[rows], known[rows] = feature, True
        return values, known

    def add(self, coordinates: NDArray[np.float64], values: NDArray[np.float32]) -> None:
        """Keep a whole batch.

        Parameters
        ----------
        coordinates
            (patch, 2).
        values
            (patch, feature).
        """
        centres = np.ascontiguousarray(coordinates, dtype=np.float64) + 0.0
        features = np.ascontiguousarray(values, dtype=np.float32)
        path = self.folder / f"{uuid.uuid4().hex}.safetensors"
        try:
            with atomic_path(path) as temporary:
                save_file({"centres": centres, "values": features}, temporary, {"sha256": _checksum(centres, features)})
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(f"The cache {self.folder.parent} is full or cannot be written ({reason}).") from error

    def join(self) -> None:
        """Make one file of all batches, once a run is done."""
        files = self._files()
        if len(files) < 2:
            return
        batches = [batch for file in files if (batch := _read(file)) is not None]
        if batches:
            centres = np.concatenate([batch[0] for batch in batches])
            names = _names(centres)
            first = sorted({name: row for row, name in reversed(list(enumerate(names)))}.values())
            self.add(centres[first], np.concatenate([batch[1] for batch in batches])[first])
        for file in files:
            file.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove what killed runs left half-written; nothing that may still be written."""
        for entry in os.scandir(self.folder):
            if entry.name.startswith(".") and time.time() - entry.stat().st_mtime > _STALE_SECONDS:
                Path(entry.path).unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        """List the batches, the oldest first; none that is being written."""
        entries = [entry for entry in os.scandir(self.folder) if entry.name.endswith(".safetensors")]
        return [Path(entry.path) for entry in sorted(entries, key=lambda e: e.name) if not entry.name.startswith(".")]

    def _batches(self) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float32]]]:
        """Read batch by batch."""
        for file in self._files():
            if (batch := _read(file)) is not None:
                yield batch


def _read(file: Path) -> tuple[NDArray[np.float64], NDArray[np.float32]] | None:
    """Read a batch, or throw it away where it is damaged; None where another run joined it meanwhile."""
    try:
        with safe_open(file, framework="numpy") as opened:
            centres, values = opened.get_tensor("centres"), opened.get_tensor("values")
            whole = (opened.metadata() or {}).get("sha256") == _checksum(centres, values)
    except FileNotFoundError:
        return None
    except (SafetensorError, OSError, ValueError, KeyError):
        whole = False
    if not whole:
        _log.warning("A damaged batch of the cache was thrown away and is embedded again: %s", file)
        file.unlink(missing_ok=True)
        return None
    return centres, values


def _names(coordinates: NDArray[np.float64]) -> list[bytes]:
    """Return the bytes of each pair of coordinates; -0.0 is 0.0."""
    exact = np.ascontiguousarray(coordinates, dtype=np.float64) + 0.0
    return [pair.tobytes() for pair in exact]


def _checksum(centres: NDArray[np.float64], values: NDArray[np.float32]) -> str:
    """Return the sha256 of a batch."""
    return hashlib.sha256(repr(values.shape).encode() + centres.tobytes() + values.tobytes()).hexdigest()
