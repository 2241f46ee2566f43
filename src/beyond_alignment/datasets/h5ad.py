"""Reads single elements of an .h5ad file, so that a large count matrix beside them is never loaded."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import h5py
import pandas as pd
from anndata.io import read_elem

from beyond_alignment.errors import InputError

MOST_LISTED = 12


class H5ad:
    """An open .h5ad file.

    Parameters
    ----------
    file
        The open file.
    path
        Its path, for messages.
    """

    def __init__(self, file: h5py.File, path: Path):
        self._file = file
        self.path = path
        with self._reading("its list of elements"):
            whole = all(isinstance(file.get(part), h5py.Group) for part in ("obs", "obsm"))
        if not whole:
            raise InputError(f"{path} holds no obs or no obsm, so it is no .h5ad file of anndata 0.7 or later.")

    def columns(self) -> list[str]:
        """Return the columns of ``obs``."""
        with self._reading("obs"):
            return [str(name) for name in self._file["obs"].attrs.get("column-order", [])]

    def matrices(self) -> list[str]:
        """Return the keys of ``obsm``."""
        with self._reading("obsm"):
            return list(self._file["obsm"])

    def column(self, name: str) -> pd.Series:
        """Read one column of ``obs``.

        Raises
        ------
        InputError
            There is none of that name (what there is), or it cannot be read.
        """
        if name not in self.columns():
            raise InputError(f"There is no obs[{name!r}] in {self.path.name}; {_held(name, self.columns(), 'obs')}")
        with self._reading("obs"):
            old = "__categories" in self._file["obs"]
        if old:  # before anndata 0.8, a column did not know its categories
            return self._read("obs")[name].reset_index(drop=True)
        return pd.Series(self._read(f"obs/{name}"), name=name)

    def matrix(self, name: str) -> Any:
        """Read one entry of ``obsm`` (spot, feature): an array, a sparse matrix or a DataFrame.

        Raises
        ------
        InputError
            There is none of that name (what there is), or it cannot be read.
        """
        if name not in self.matrices():
            raise InputError(f"There is no obsm[{name!r}] in {self.path.name}; {_held(name, self.matrices(), 'obsm')}")
        return self._read(f"obsm/{name}")

    def unstructured(self, *keys: str) -> Any:
        """Read an entry of ``uns``, or return None where there is none.

        Raises
        ------
        InputError
            It cannot be read.
        """
        with self._reading("uns"):
            place = self._file.get("uns")
            for key in keys:
                place = place[key] if isinstance(place, h5py.Group) and key in list(place) else None
        return None if place is None else self._read(place.name)

    def libraries(self) -> list[str]:
        """Return the keys of ``uns["spatial"]``, each a section or a Visium library."""
        with self._reading("uns"):
            place = self._file.get("uns/spatial")
            return list(place) if isinstance(place, h5py.Group) else []

    def _read(self, place: str) -> Any:
        """Read an element."""
        with self._reading(place), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old formats: what can be read is read
            return read_elem(self._file[place])

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        """Make a sentence of whatever is wrong with the file: damage shows in as many ways as there are bytes."""
        try:
            yield
        except Exception as error:
            message = f"{what} of {self.path} cannot be read ({type(error).__name__}): the file may be damaged."
            raise InputError(message) from error


@contextmanager
def open_h5ad(path: Path) -> Iterator[H5ad]:
    """Open an .h5ad file to read single elements of it.

    Raises
    ------
    InputError
        There is no such file, or it cannot be read.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}; give the path of an .h5ad file.")
    try:
        file = h5py.File(path, "r")
    except PermissionError as error:
        raise InputError(f"{path} may not be read: change its rights, or close it where it is open.") from error
    except OSError as error:
        if isinstance(error, BlockingIOError) or "already open" in str(error):
            raise InputError(f"{path} is open for writing in another program; close it there first.") from error
        raise InputError(f"{path} cannot be read as .h5ad (HDF5): it is another kind of file, or damaged.") from error
    with file:
        yield H5ad(file, path)


def _held(name: str, known: list[str], part: str) -> str:
    """Say what there is instead, the nearest name first."""
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    more = f" and {len(known) - MOST_LISTED} more" if len(known) > MOST_LISTED else ""
    return f"{part} holds {', '.join(known[:MOST_LISTED]) + more or 'nothing'}."
