"""Streams of random numbers and smooth random fields in microns."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Grid = NDArray[np.float32]
_FINEST_UM, _COARSEST_UM = 1.0, 5.0


def stream(seed: int, *key: int) -> np.random.Generator:
    """Return the generator of one part of the simulation: parts do not move when another draws more.

    Parameters
    ----------
    seed
        Of the study.
    key
        Which part.
    """
    return np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=key))


def smooth_grid(rng: np.random.Generator, size_um: float, change_um: float) -> Grid:
    """Draw a standard normal field on a square, with Gaussian correlation.

    The correlation over a distance d is exp(-d^2 / (2 l^2)) with l = change_um / pi, so that along a line the field
    changes its sign every `change_um` on average (Rice 1945: a stationary normal process crosses zero
    sqrt(-r''(0)) / pi times per unit of length, here 1 / (pi l)).

    Parameters
    ----------
    rng
        Decides the field.
    size_um
        Side of the square.
    change_um
        Mean distance between changes of sign.

    Returns
    -------
    numpy.ndarray
        (row, column), the centres of equal cells that fill the square, of 1 to 5 um.
    """
    width = change_um / (np.pi * np.sqrt(2.0))  # of the kernel: white noise under it has the correlation above
    n = max(8, round(size_um / np.clip(width / 2.5, _FINEST_UM, _COARSEST_UM)))
    spread = width * n / size_um  # in cells
    margin = int(np.ceil(6.0 * spread))  # so that opposite edges, which wrap, have nothing in common
    white = rng.standard_normal((n + margin, n + margin), dtype=np.float32)
    smooth = ndimage.gaussian_filter(white, spread, mode="wrap")[:n, :n]
    return np.asarray(smooth * np.float32(2.0 * np.sqrt(np.pi) * spread))


def at_points(grid: NDArray[np.floating], points: NDArray[np.float64], size_um: float) -> NDArray[np.float64]:
    """Return the values of a grid at points by linear interpolation.

    Parameters
    ----------
    grid
        (row, column) that fills the square.
    points
        x and y in microns (point, 2).
    size_um
        Side of the square.
    """
    rows_columns = points[:, ::-1].T * (len(grid) / size_um) - 0.5
    return np.asarray(ndimage.map_coordinates(grid, rows_columns, order=1, mode="nearest"), dtype=np.float64)


def at_cells_of(grid: NDArray[np.integer], points: NDArray[np.float64], size_um: float) -> NDArray[np.integer]:
    """Return the code of the grid cell that each point lies in.

    Parameters
    ----------
    grid
        Codes (row, column) that fill the square.
    points
        x and y in microns (point, 2), in the square.
    size_um
        Side of the square.
    """
    column, row = np.clip((points * (len(grid) / size_um)).astype(int), 0, len(grid) - 1).T
    return grid[row, column]


def enlarge(grid: NDArray[np.floating], n: int) -> Grid:
    """Return a grid on n x n pixels of the same square.

    Parameters
    ----------
    grid
        (row, column).
    n
        Pixels along a side.
    """
    picture = Image.fromarray(np.ascontiguousarray(grid, dtype=np.float32))
    return np.asarray(picture.resize((n, n), Image.Resampling.BICUBIC))


def jittered_lattice(
    rng: np.random.Generator, size_um: float, spacing_um: float, *, jitter: float, margin_um: float = 0.0
) -> NDArray[np.float64]:
    """Return the points of a hexagonal lattice, each moved at random, x and y in microns (point, 2).

    Parameters
    ----------
    rng
        Decides the moves.
    size_um
        Side of the square that is filled.
    spacing_um
        Between neighbours.
    jitter
        Standard deviation of a move along each axis, in spacings.
    margin_um
        How far beyond the square points are kept.
    """
    pitch = spacing_um * np.sqrt(3.0) / 2.0
    rows = np.arange(-margin_um - spacing_um, size_um + margin_um + spacing_um, pitch)
    columns = np.arange(-margin_um - spacing_um, size_um + margin_um + spacing_um, spacing_um)
    x = columns[np.newaxis] + np.where(np.arange(len(rows)) % 2, spacing_um / 2.0, 0.0)[:, np.newaxis]
    points = np.column_stack([x.ravel(), np.repeat(rows, len(columns))])
    points += jitter * spacing_um * rng.standard_normal(points.shape)
    inside = ((points >= -margin_um) & (points < size_um + margin_um)).all(axis=1)
    return points[inside]
