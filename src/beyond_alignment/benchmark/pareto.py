"""Which methods no other one beats in score at no more cost."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beyond_alignment.errors import InputError


def on_front(cost: ArrayLike, score: ArrayLike) -> NDArray[np.bool_]:
    """Return which points are on the Pareto front: none other scores as high for less, or higher for as little.

    Parameters
    ----------
    cost
        (point,), lower is better.
    score
        (point,), higher is better.

    Raises
    ------
    InputError
        The vectors differ in length, or a number is NaN.
    """
    c, s = np.asarray(cost, dtype=np.float64), np.asarray(score, dtype=np.float64)
    if c.ndim != 1 or c.shape != s.shape or np.isnan(c).any() or np.isnan(s).any():
        raise InputError(f"Costs {c.shape} and scores {s.shape} do not pair or hold NaN; pass one number each a point.")
    cheaper, higher = c[None] <= c[:, None], s[None] >= s[:, None]
    better = (c[None] < c[:, None]) | (s[None] > s[:, None])
    return np.asarray(~(cheaper & higher & better).any(axis=1))
