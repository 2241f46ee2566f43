"""A field of a Xenium breast section as SpatialData."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spatialdata import SpatialData

STORE = "xenium_sp_subset.zarr"


def read(store: Path) -> "SpatialData":
    """Read the store of the field: H&E, DAPI, transcripts (um), cells and boundaries, in one coordinate system.

    Source: Janesick et al., Nature Communications 2023, as carried by SegTraQ.

    Parameters
    ----------
    store
        Folder of the zarr store, format 2.
    """
    import spatialdata  # here, because it takes seconds that the other data sets need not wait for

    with _quiet():
        return spatialdata.read_zarr(store)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the readers say of the store's older format."""
    reader = logging.getLogger("ome_zarr.reader")
    level = reader.level
    reader.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="SpatialData is not stored in the most current format")
            warnings.filterwarnings("ignore", message="Object at zmetadata is not recognized")
            yield
    finally:
        reader.setLevel(level)
