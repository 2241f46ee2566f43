"""Where the compartments of simulated tissue lie, and its rings: glands and vessels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from beyond_alignment.datasets.simulated_histology.random_fields import (
    Grid,
    at_cells_of,
    enlarge,
    jittered_lattice,
    smooth_grid,
)

NICHES = ("stroma", "glands", "solid tumour", "immune", "fat")
_LEAD = (0.45, 0.45, 0.35, -0.15, -0.25)  # added to each compartment's field before the highest wins
_GLAND_EVERY_UM, _VESSEL_EVERY_UM, _FAT_EVERY_UM = 104.0, 150.0, 62.0
_MARGIN_UM = 70.0
_ORDERS = np.array([2, 3, 5])
_ANGLES = 512


@dataclass(frozen=True)
class Ring:
    """A gland or a vessel: a wavy outline around a lumen.

    Attributes
    ----------
    x, y
        Centre in microns.
    outer, inner
        Distance from the centre to the outline and to the lumen by angle (angle,), equal steps from 0, microns.
    gland
        A gland, or a vessel.
    filled
        Whether a vessel holds red cells, or a gland secretion.
    """

    x: float
    y: float
    outer: NDArray[np.float32]
    inner: NDArray[np.float32]
    gland: bool
    filled: bool

    def at(self, angle: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the distance to outline and lumen at angles in radians."""
        step = (angle * (_ANGLES / (2.0 * np.pi))).astype(np.int64) % _ANGLES
        return self.outer[step], self.inner[step]


@dataclass(frozen=True)
class Compartments:
    """The plan of a field.

    Attributes
    ----------
    size_um
        Side of the field.
    niches
        Code of the compartment (row, column), an index into ``NICHES``.
    rings
        Glands, then vessels.
    fat, is_fat
        Centres of adipocytes and of their would-be neighbours, x and y in microns (seed, 2), and which are one (seed,).
    across, along
        Coordinates across and along the fibres of the stroma in microns (row, column).
    """

    size_um: float
    niches: NDArray[np.int8]
    rings: tuple[Ring, ...]
    fat: NDArray[np.float64]
    is_fat: NDArray[np.bool_]
    across: Grid
    along: Grid


def draw_compartments(rng: np.random.Generator, size_um: float, change_um: float) -> Compartments:
    """Draw the plan of a field.

    Parameters
    ----------
    rng
        Decides it.
    size_um
        Side of the field.
    change_um
        Scale of the compartments, see ``smooth_grid``.
    """
    fields = [smooth_grid(rng, size_um, change_um) + lead for lead in _LEAD]
    niches = np.argmax(fields, axis=0).astype(np.int8)
    glands = _rings(rng, size_um, niches, gland=True)
    vessels = [
        vessel
        for vessel in _rings(rng, size_um, niches, gland=False)
        if all(np.hypot(vessel.x - g.x, vessel.y - g.y) > vessel.outer.max() + g.outer.max() + 4.0 for g in glands)
    ]
    fat = jittered_lattice(rng, size_um, _FAT_EVERY_UM, jitter=0.16, margin_um=_MARGIN_UM)
    is_fat = at_cells_of(niches, fat, size_um) == NICHES.index("fat")
    for ring in (*glands, *vessels):
        is_fat &= np.hypot(*(fat - (ring.x, ring.y)).T) > ring.outer.max() + 0.6 * _FAT_EVERY_UM
    across, along = _fibres(rng, size_um)
    return Compartments(size_um, niches, (*glands, *vessels), fat, is_fat, across, along)


def _rings(rng: np.random.Generator, size_um: float, niches: NDArray[np.int8], *, gland: bool) -> list[Ring]:
    """Draw glands in their compartment, or vessels in the stroma and beside immune cells and glands."""
    every = _GLAND_EVERY_UM if gland else _VESSEL_EVERY_UM
    centres = jittered_lattice(rng, size_um, every, jitter=0.1 if gland else 0.3, margin_um=_MARGIN_UM)
    home = at_cells_of(niches, centres, size_um)
    homes = [NICHES.index(name) for name in (("glands",) if gland else ("stroma", "immune", "glands"))]
    radius = rng.uniform(0.31, 0.46, len(centres)) * every if gland else rng.gamma(4.0, 3.2, len(centres)) + 6.0
    nearest = cKDTree(centres).query(centres, k=2)[0][:, 1] if len(centres) > 1 else np.full(len(centres), every)
    radius = np.minimum(radius, 0.44 * nearest)
    rough = np.array([0.14, 0.07, 0.03]) if gland else np.array([0.3, 0.06, 0.02])
    depth = rough * rng.uniform(0.4, 1.2, (len(centres), 3))
    turn = rng.uniform(0.0, 2.0 * np.pi, (len(centres), 3))
    lumen = rng.uniform(0.22, 0.62, len(centres)) if gland else np.zeros(len(centres))
    filled = rng.random(len(centres)) < (0.35 if gland else 0.7)
    angle = np.linspace(0.0, 2.0 * np.pi, _ANGLES, endpoint=False)
    rings = []
    for i in np.flatnonzero(np.isin(home, homes)):
        waves = depth[i, :, np.newaxis] * np.cos(_ORDERS[:, np.newaxis] * angle + turn[i, :, np.newaxis])
        outer = radius[i] * (1.0 + waves.sum(axis=0))
        if gland:
            inner = lumen[i] * radius[i] * (1.0 + 1.6 * waves[0] + 2.2 * waves[2] - 1.5 * waves[1])
        else:
            inner = outer - 2.5 - 0.12 * radius[i]
        inner = np.maximum(inner, 0.0)
        x, y = centres[i]
        rings.append(
            Ring(float(x), float(y), outer.astype(np.float32), inner.astype(np.float32), gland, bool(filled[i]))
        )
    return rings


def _fibres(rng: np.random.Generator, size_um: float) -> tuple[Grid, Grid]:
    """Return coordinates across and along wavy fibres, in microns."""
    warp = [smooth_grid(rng, size_um, change) for change in (420.0, 110.0, 300.0)]
    n = max(len(grid) for grid in warp)
    slow, fast, drift = (enlarge(grid, n) for grid in warp)
    middle = (np.arange(n, dtype=np.float32) + 0.5) * (size_um / n)
    turn = rng.uniform(0.0, np.pi)
    x, y = middle[np.newaxis, :], middle[:, np.newaxis]
    across = x * np.sin(turn) + y * np.cos(turn) + 58.0 * slow + 9.0 * fast
    along = x * np.cos(turn) - y * np.sin(turn) + 40.0 * drift
    return across.astype(np.float32), along.astype(np.float32)
