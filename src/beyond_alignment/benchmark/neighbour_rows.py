"""Which spots stand next to a spot, for methods that read its neighbours."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

N_NEIGHBOURS = 8
REACH = 1.6
"""Radius in units of the pitch: the eight around a spot of a square lattice, the six of a hexagonal one."""


def neighbour_rows(places: NDArray[np.float64], sections: NDArray) -> NDArray[np.intp]:
    """Return the rows of the nearest spots of the same section (spot, neighbour), the nearest first; -1 for none.

    Rows count within the arrays given, so that the neighbours of training spots are training spots.

    Parameters
    ----------
    places
        Coordinates in microns (spot, 2).
    sections
        Section of each spot (spot,).
    """
    rows = np.full((len(places), N_NEIGHBOURS), -1, dtype=np.intp)
    for section in np.unique(sections):
        inside = np.flatnonzero(sections == section)
        if len(inside) < 2:
            continue
        count = min(N_NEIGHBOURS + 1, len(inside))
        distance, near = cKDTree(places[inside]).query(places[inside], k=count)
        pitch = float(np.median(distance[:, 1]))
        kept = (distance <= REACH * pitch) & (near != np.arange(len(inside))[:, None])
        for own, (mask, others) in enumerate(zip(kept, near, strict=True)):
            found = inside[others[mask]][:N_NEIGHBOURS]
            rows[inside[own], : len(found)] = found
    return rows
