"""What simulated tissue shows between nuclei: fibres, gland walls and lumens, vessels, fat."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from beyond_alignment.datasets.simulated_histology.compartments import NICHES, Compartments, Ring
from beyond_alignment.datasets.simulated_histology.random_fields import Grid, enlarge, jittered_lattice, smooth_grid
from beyond_alignment.datasets.simulated_histology.stamping import stamp_discs

# compartment -> eosin, haematoxylin, contrast of the fibres, how easily clefts open
_LOOK = {
    "stroma": (0.25, 0.020, 0.42, 1.0),
    "glands": (0.23, 0.020, 0.40, 1.0),
    "solid tumour": (0.21, 0.050, 0.10, 0.1),
    "immune": (0.14, 0.040, 0.20, 0.25),
    "fat": (0.22, 0.020, 0.40, 0.8),
}
_FAT_GRID_UM = 2.0


def draw_ground(rng: np.random.Generator, plan: Compartments, *, n: int, microns_per_pixel: float) -> tuple[Grid, Grid]:
    """Draw the densities of haematoxylin and eosin, each (row, column), without nuclei.

    Parameters
    ----------
    rng
        Decides the texture.
    plan
        Of the field.
    n
        Pixels along a side.
    microns_per_pixel
        Of the picture.
    """
    look = np.array([_LOOK[name] for name in NICHES], dtype=np.float32)[plan.niches]  # (row, column, property)
    base, blue, contrast, clefts = (enlarge(ndimage.gaussian_filter(look[..., i], 1.0), n) for i in range(4))
    fibres = _fibres(rng, plan, n)
    thickness = enlarge(smooth_grid(rng, plan.size_um, 60.0), n)
    eosin = base * (1.0 + contrast * fibres + np.float32(0.10) * thickness)
    np.maximum(eosin, 0.04, out=eosin)
    opened = np.float32(0.75) * enlarge(smooth_grid(rng, plan.size_um, 55.0), n) - np.float32(0.8) * fibres
    closed = np.clip((np.float32(1.95) - opened) * 1.6 + 4.0 * (1.0 - clefts), 0.0, 1.0)
    eosin *= np.float32(0.08) + np.float32(0.92) * closed
    haematoxylin = blue * closed
    if plan.is_fat.any():
        _fat(plan, haematoxylin, eosin, n)
    for ring in plan.rings:
        _ring(ring, haematoxylin, eosin, fibres, microns_per_pixel)
    _red_cells(rng, plan, eosin, microns_per_pixel)
    return haematoxylin, eosin


def grain(rng: np.random.Generator, n: int, *, microns_per_pixel: float) -> Grid:
    """Draw standard noise at the scale of chromatin clumps (row, column).

    Parameters
    ----------
    rng
        Decides it.
    n
        Pixels along a side.
    microns_per_pixel
        Of the picture.
    """
    noise = rng.standard_normal((n, n), dtype=np.float32)
    spread = 0.42 / microns_per_pixel
    if spread > 0.3:
        noise = ndimage.gaussian_filter(noise, spread, truncate=2.5)
        noise /= noise[: min(n, 512), : min(n, 512)].std()
    return noise


def _fibres(rng: np.random.Generator, plan: Compartments, n: int) -> Grid:
    """Return standard noise, drawn out along the fibres (row, column)."""
    across, along = enlarge(plan.across, n), enlarge(plan.along, n)
    texture = np.zeros((n, n), dtype=np.float32)
    for step, long_step, share in ((0.4, 2.0, 0.8), (1.3, 3.0, 0.5)):
        table = ndimage.gaussian_filter(rng.standard_normal((2048, 512), dtype=np.float32), (2.0, 4.5), mode="wrap")
        table *= np.float32(share) / table.std()
        index = (across * np.float32(1.0 / step)).astype(np.int32) & 2047
        index <<= 9
        index += (along * np.float32(1.0 / long_step)).astype(np.int32) & 511
        texture += table.reshape(-1)[index]
    return texture


def _fat(plan: Compartments, haematoxylin: Grid, eosin: Grid, n: int) -> None:
    """Draw vacuoles with thin walls."""
    cells = round(plan.size_um / _FAT_GRID_UM)
    middle = (np.arange(cells) + 0.5) * (plan.size_um / cells)
    depth = np.full((cells, cells), -8.0, dtype=np.float32)
    x, y = np.meshgrid(middle, middle)
    points = np.column_stack([x.ravel(), y.ravel()])
    close = cKDTree(plan.fat[plan.is_fat]).query(points, distance_upper_bound=46.0)[0] < 46.0
    distance, nearest = cKDTree(plan.fat).query(points[close], k=2)
    half = (distance[:, 1] - distance[:, 0]) / 2.0
    own, other = plan.is_fat[nearest].T
    wall = np.where(own, np.minimum(half, 37.0 - distance[:, 0]), np.where(other, -half, -8.0))
    depth.reshape(-1)[close] = np.clip(wall, -8.0, 12.0)
    inside = enlarge(ndimage.gaussian_filter(depth, 1.3), n)
    empty = np.clip((inside - np.float32(1.7)) * 1.1, 0.0, 1.0)
    eosin *= 1.0 - np.float32(0.96) * empty
    haematoxylin *= 1.0 - empty
    membrane = np.clip(1.0 - np.abs(inside - np.float32(1.2)) / 1.1, 0.0, 1.0)
    np.maximum(eosin, np.float32(0.24) * membrane, out=eosin)


def _ring(ring: Ring, haematoxylin: Grid, eosin: Grid, fibres: Grid, microns_per_pixel: float) -> None:
    """Draw a gland or a vessel."""
    n, reach = len(eosin), float(ring.outer.max()) + 6.0
    left, top = (max(0, int((c - reach) / microns_per_pixel)) for c in (ring.x, ring.y))
    right, bottom = (min(n, int((c + reach) / microns_per_pixel) + 1) for c in (ring.x, ring.y))
    if right <= left or bottom <= top:
        return
    window = (slice(top, bottom), slice(left, right))
    columns, rows = (np.arange(*ends, dtype=np.float32) + np.float32(0.5) for ends in ((left, right), (top, bottom)))
    x = columns * np.float32(microns_per_pixel) - np.float32(ring.x)
    y = rows[:, np.newaxis] * np.float32(microns_per_pixel) - np.float32(ring.y)
    radius = np.hypot(x, y)
    angle = np.arctan2(y, x)
    outer, inner = ring.at(angle)
    soft = np.float32(1.0 / max(0.8, microns_per_pixel))
    within = np.clip(0.5 + (outer - radius) * soft, 0.0, 1.0)
    lumen = np.clip(0.5 + (inner - radius) * soft, 0.0, 1.0)
    edge = np.clip(1.0 - np.abs(radius - outer - 0.8) / 1.2, 0.0, 1.0)
    texture = fibres[window]
    if ring.gland:
        up = np.clip((radius - inner) / np.maximum(outer - inner, 1.0), 0.0, 1.0)  # 0 at the lumen, 1 at the base
        wall_e, wall_h = 0.27 - 0.20 * up * (1.0 - up) + 0.035 * texture, 0.055 + 0.05 * up
        brush = np.clip(1.0 - np.abs(radius - inner - 0.8) / 1.1, 0.0, 1.0) * (inner > 2.0)
        sides = np.cos(angle * round(float(ring.outer.mean())) + 2.0 * up)
        wall_e = wall_e + 0.10 * brush + 0.06 * np.clip(sides * 4.0 - 3.0, 0.0, 1.0)
        lumen_e = np.float32(0.06 if ring.filled else 0.008) * (1.0 + 0.15 * texture)
        halo = np.clip(1.0 - np.abs(radius - outer - 2.6) / 1.6, 0.0, 1.0) * np.clip(0.4 - texture * 0.5, 0.0, 0.8)
    else:
        wall_e, wall_h = 0.34 + 0.06 * texture, 0.03
        lumen_e = np.full_like(radius, 0.05 if ring.filled else 0.012)
        halo = np.zeros_like(radius)
    lumen_e = np.maximum(lumen_e, 0.005)
    around = eosin[window] * (1.0 - halo) + 0.09 * edge
    eosin[window] = (around * (1.0 - within) + wall_e * within) * (1.0 - lumen) + lumen_e * lumen
    haematoxylin[window] = (haematoxylin[window] * (1.0 - within) + wall_h * within) * (1.0 - lumen)


def _red_cells(rng: np.random.Generator, plan: Compartments, eosin: Grid, microns_per_pixel: float) -> None:
    """Draw red cells into the vessels that hold blood."""
    found: list[NDArray[np.float64]] = []
    for ring in plan.rings:
        width = float(ring.inner.max())
        if ring.gland or not ring.filled or width < 5.0:
            continue
        places = jittered_lattice(rng, 2.0 * width, 6.4, jitter=0.2) - width
        room = ring.at(np.arctan2(places[:, 1], places[:, 0]))[1] - np.hypot(*places.T)
        found.append(places[(room > 2.6) & (rng.random(len(places)) < 0.72)] + (ring.x, ring.y))
    if found:
        places = np.vstack(found)
        radius, amount = rng.uniform(2.6, 3.3, len(places)), rng.uniform(0.42, 0.58, len(places))
        stamp_discs(eosin, places, radius, amount, rim=0.35, microns_per_pixel=microns_per_pixel)
