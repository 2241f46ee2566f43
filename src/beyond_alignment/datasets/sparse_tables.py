"""Whether the sparse tables of an HDF5 file are whole: a wrong index in one ends the process, not the reading."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

PARTS = ("data", "indices", "indptr")


def check_sparse_tables(path: Path) -> None:
    """Check every compressed table of a file, in the layout of AnnData or of 10x.

    Libraries build such a table without looking at its indices, and read past its memory later on.

    Parameters
    ----------
    path
        An HDF5 file.

    Raises
    ------
    ValueError
        A table points outside itself, or its parts are of different lengths.
    OSError
        The file cannot be read.
    """
    with h5py.File(path, "r") as file:
        tables: list[h5py.Group] = []
        file.visititems(lambda _, item: _keep_table(item, tables))
        for table in tables:
            _check(table)


def _keep_table(item: Any, tables: list[h5py.Group]) -> None:
    """Keep a group that holds the parts of a compressed table."""
    if isinstance(item, h5py.Group) and all(isinstance(item.get(part), h5py.Dataset) for part in PARTS):
        tables.append(item)


def _check(table: h5py.Group) -> None:
    """Check one table."""
    data, indices, starts = (np.asarray(table[part][()]) for part in PARTS)
    major, minor = _shape(table)
    whole = (
        starts.shape == (major + 1,)
        and indices.shape == data.shape == (int(starts[-1]),)
        and starts[0] == 0
        and (np.diff(starts.astype(np.int64)) >= 0).all()
    )
    if not whole or (len(indices) and not (int(indices.min()) >= 0 and int(indices.max()) < minor)):
        raise ValueError(f"the sparse table {table.name} points outside itself")


def _shape(table: h5py.Group) -> tuple[int, int]:
    """Return the lengths of the compressed axis and of the other."""
    if "shape" in table.attrs:  # AnnData
        rows, columns = (int(size) for size in table.attrs["shape"])
        return (columns, rows) if "csc" in str(table.attrs.get("encoding-type")) else (rows, columns)
    if "shape" in table:  # 10x, genes by barcodes, compressed along barcodes
        genes, barcodes = (int(size) for size in table["shape"][()])
        return barcodes, genes
    return len(table["barcodes"]), len(table["genes"])
