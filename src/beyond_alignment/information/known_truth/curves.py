"""Interleaved curves in a plane: how one discrete or continuous symbol becomes a point."""

import numpy as np
from numpy.typing import NDArray

START_RADIUS = 1.0
GRID = 512


def default_turns(n_arms: int) -> float:
    """Return the turns of an arm around the centre: enough that the arms interleave, less for more arms."""
    return 1.0 if n_arms == 1 else 0.4 + 0.6 / n_arms


def arm_points(
    arm: NDArray[np.int64], position: NDArray[np.float64], *, n_arms: int, turns: float
) -> NDArray[np.float64]:
    """Points on interleaved arms of a spiral, the distance between neighbouring arms being the same everywhere.

    Parameters
    ----------
    arm
        Which arm (sample,), from 0 to `n_arms` - 1.
    position
        Where on the arm (sample,), from 0 to 1 in proportion to the length along it.
    n_arms
        Number of arms.
    turns
        How far an arm winds around the centre.

    Returns
    -------
    Points (sample, 2), scaled so that uniform positions on all arms have unit variance along each axis.
    """
    grid = np.linspace(0, 1, GRID)
    radius = START_RADIUS + n_arms * turns * grid
    speed = np.hypot(2 * np.pi * turns * radius, n_arms * turns)
    length = np.concatenate([[0], np.cumsum((speed[1:] + speed[:-1]) / 2)])
    time = np.interp(position, length / length[-1], grid)
    angle = 2 * np.pi * (turns * time + arm / n_arms)
    points = (START_RADIUS + n_arms * turns * time)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    mean_square = np.trapezoid(radius**2 * speed, grid) / np.trapezoid(speed, grid)
    return np.asarray(points / np.sqrt(mean_square / 2))
