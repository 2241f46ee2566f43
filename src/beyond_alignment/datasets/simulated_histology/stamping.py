"""Drawing thousands of nuclei, cell bodies and red cells into the densities of a picture at once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.datasets.simulated_histology.random_fields import Grid

Values = NDArray[np.float32]
_REACH = 1.3
_AT_ONCE = 1_500_000  # pixels
_SOFT_UM = 0.55
_INK_LEAST = 0.08


@dataclass(frozen=True)
class Footprint:
    """Pixels under some ellipses.

    Attributes
    ----------
    pixel
        Index into the flattened picture (hit,).
    which
        Ellipse (hit,).
    u, v
        Place along its long and its short axis, 1 at its outline (hit,).
    """

    pixel: NDArray[np.int64]
    which: NDArray[np.int64]
    u: Values
    v: Values


def footprints(
    places: NDArray[np.float64],
    angle: NDArray[np.float64],
    long_um: NDArray[np.floating],
    short_um: NDArray[np.floating],
    *,
    n: int,
    microns_per_pixel: float,
) -> Iterator[Footprint]:
    """Go through the pixels under ellipses, in batches of ellipses of about one size.

    Parameters
    ----------
    places
        x and y of the centres in microns (ellipse, 2).
    angle
        Of the long axis in radians (ellipse,).
    long_um, short_um
        Half axes (ellipse,).
    n
        Pixels along a side of the picture.
    microns_per_pixel
        Of the picture.
    """
    half = np.ceil(_REACH * np.maximum(long_um, short_um) / microns_per_pixel).astype(int) + 1
    half = np.ceil(half / 3.0).astype(int) * 3  # few sizes of box
    for size in np.unique(half):
        same = np.flatnonzero(half == size)
        step = np.arange(-size, size + 1)
        dy, dx = (part.ravel() for part in np.meshgrid(step, step, indexing="ij"))
        for some in np.array_split(same, max(1, len(same) * len(dx) // _AT_ONCE)):
            centre = np.floor(places[some] / microns_per_pixel).astype(int)
            column, row = centre[:, :1] + dx, centre[:, 1:] + dy  # (ellipse, pixel)
            x = ((column + 0.5) * microns_per_pixel - places[some, :1]).astype(np.float32)
            y = ((row + 0.5) * microns_per_pixel - places[some, 1:]).astype(np.float32)
            cosine, sine = (f(angle[some]).astype(np.float32)[:, np.newaxis] for f in (np.cos, np.sin))
            u = (x * cosine + y * sine) / long_um[some].astype(np.float32)[:, np.newaxis]
            v = (y * cosine - x * sine) / short_um[some].astype(np.float32)[:, np.newaxis]
            hit = (u * u + v * v < _REACH**2) & (row >= 0) & (row < n) & (column >= 0) & (column < n)
            which = np.broadcast_to(some[:, np.newaxis], hit.shape)[hit]
            yield Footprint((row * n + column)[hit], which, u[hit], v[hit])


def stamp_discs(
    density: Grid,
    places: NDArray[np.float64],
    radius_um: NDArray[np.float64],
    amount: NDArray[np.float64],
    *,
    rim: float,
    microns_per_pixel: float,
) -> None:
    """Raise a density to an amount over discs, higher (`rim` above 0) or lower at their edge, in place.

    Parameters
    ----------
    density
        (row, column), changed.
    places
        x and y of the centres in microns (disc, 2).
    radius_um, amount
        Of the discs (disc,).
    rim
        Share of the amount that is added at the edge.
    microns_per_pixel
        Of the picture.
    """
    zero = np.zeros(len(places))
    for foot in footprints(places, zero, radius_um, radius_um, n=len(density), microns_per_pixel=microns_per_pixel):
        rho = np.sqrt(foot.u**2 + foot.v**2)
        cover = _cover(rho, radius_um[foot.which].astype(np.float32), microns_per_pixel)
        value = cover * amount[foot.which].astype(np.float32) * (1.0 + np.float32(rim) * rho**2)
        np.maximum.at(density.reshape(-1), foot.pixel, value.astype(np.float32))


def stamp_nuclei(
    rng: np.random.Generator,
    haematoxylin: Grid,
    eosin: Grid,
    cells: pd.DataFrame,
    grain: Grid,
    *,
    microns_per_pixel: float,
) -> None:
    """Draw nuclei with their rim, chromatin and nucleoli into both densities, in place.

    Parameters
    ----------
    rng
        Decides outline and nucleoli.
    haematoxylin, eosin
        (row, column), changed.
    cells
        With x_um, y_um, angle, nucleus_um, nucleus_aspect, chromatin; a low chromatin is drawn vesicular.
    grain
        Standard noise at the scale of chromatin clumps (row, column).
    microns_per_pixel
        Of the picture.
    """
    n = len(cells)
    stretch = np.sqrt(cells["nucleus_aspect"].to_numpy())
    radius = cells["nucleus_um"].to_numpy() / 2.0
    chromatin = cells["chromatin"].to_numpy().astype(np.float32)
    pale = np.clip((0.52 - chromatin) / 0.2, 0.0, 1.0)
    egg, bend = np.float32(0.13) * rng.standard_normal((2, n), dtype=np.float32)
    spot = rng.uniform(-0.42, 0.42, (2, n)).astype(np.float32)
    spotted = (pale * rng.uniform(0.3, 1.0, n)).astype(np.float32)
    long_um, short_um = (radius * stretch).astype(np.float32), (radius / stretch).astype(np.float32)
    places = cells[["x_um", "y_um"]].to_numpy()
    flat_h, flat_e, flat_grain = haematoxylin.reshape(-1), eosin.reshape(-1), grain.reshape(-1)
    for foot in footprints(
        places, cells["angle"].to_numpy(), long_um, short_um, n=len(grain), microns_per_pixel=microns_per_pixel
    ):
        k, u, v = foot.which, foot.u, foot.v
        rho = np.sqrt((u * u + v * v) * (1.0 + egg[k] * u + bend[k] * (u * u - 0.4) * v * 1.6))
        cover = _cover(rho, short_um[k], microns_per_pixel)
        rim = np.clip((rho - 0.66) * 4.5, 0.0, 1.0)
        clumps = flat_grain[foot.pixel]
        body = 0.94 - 0.26 * pale[k] * (1.0 - rim) + (0.14 + 0.2 * pale[k]) * rim + (0.15 + 0.1 * pale[k]) * clumps
        distance = ((u - spot[0, k]) * long_um[k]) ** 2 + ((v - spot[1, k]) * short_um[k]) ** 2
        body += 0.75 * spotted[k] * np.exp(-distance / 0.75)
        ink = cover * chromatin[k] * np.maximum(body, _INK_LEAST)
        np.maximum.at(flat_h, foot.pixel, ink.astype(np.float32))
        np.maximum.at(flat_e, foot.pixel, (0.17 * cover).astype(np.float32))


def _cover(rho: Values, short_um: Values, microns_per_pixel: float) -> Values:
    """Return how much of each pixel an ellipse covers, with a soft edge (hit,)."""
    soft = np.float32(max(_SOFT_UM, microns_per_pixel))
    return np.clip(np.float32(0.5) + (np.float32(1.0) - rho) * short_um / soft, 0.0, 1.0)
