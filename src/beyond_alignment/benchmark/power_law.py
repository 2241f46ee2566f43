"""Least squares of score(n) = c - a n^-b with a, b >= 0 and c at most a ceiling, for many curves at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_EXPONENT, MOST_EXPONENT = 1e-3, 4.0
"""Range of b; at its lower end the curve is a straight line in log n, at its upper end a step."""
START = np.geomspace(LEAST_EXPONENT, MOST_EXPONENT, 97)
ZOOM = np.linspace(0, 1, 9)


@dataclass(frozen=True, eq=False)
class PowerLaws:
    """Curves c - a (n / unit)^-b, one an entry.

    Attributes
    ----------
    asymptote, amplitude, exponent
        c and a in score, b without unit (curve,); b is 0 where a is, for then it stands for nothing.
    unit
        Spots at which the amplitude counts.
    """

    asymptote: NDArray[np.float64]
    amplitude: NDArray[np.float64]
    exponent: NDArray[np.float64]
    unit: float

    def at(self, n: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scores (curve, size) at some sizes (size,)."""
        decay = np.exp(-np.outer(self.exponent, np.log(n / self.unit)))
        return self.asymptote[:, None] - self.amplitude[:, None] * decay


def fit_power_laws(
    sizes: NDArray[np.float64],
    curves: NDArray[np.float64],
    weights: NDArray[np.float64],
    *,
    ceiling: float = np.inf,
    exponents: NDArray[np.float64] | None = None,
    n_zooms: int = 8,
) -> PowerLaws:
    """Fit each curve by variable projection: c and a in closed form for each b, b by a grid that closes in.

    The grid spans the whole range of b, so that no start has to be chosen and no local minimum is taken for the global
    one unless it is narrower than a step of the grid (9 %).

    Parameters
    ----------
    sizes
        (size,), ascending.
    curves
        (curve, size).
    weights
        Of the squared residuals (size,).
    ceiling
        Largest value of c.
    exponents
        b of each curve (curve,) where it is given and not fitted.
    n_zooms
        Times that the grid around the best b closes in fourfold.
    """
    x = np.log(sizes / sizes[0])
    w = weights / weights.sum()
    if exponents is None:
        loss = _profile(x, curves, w, ceiling, np.broadcast_to(START, (len(curves), len(START))))[0]
        best = loss.argmin(axis=1)
        low, high = START[np.maximum(best - 1, 0)], START[np.minimum(best + 1, len(START) - 1)]
        for _ in range(n_zooms):
            grid = low[:, None] + (high - low)[:, None] * ZOOM
            loss = _profile(x, curves, w, ceiling, grid)[0]
            best = loss.argmin(axis=1)
            rows = np.arange(len(curves))
            low, high = grid[rows, np.maximum(best - 1, 0)], grid[rows, np.minimum(best + 1, len(ZOOM) - 1)]
        exponents = grid[rows, best]
    _, c, a = (part[:, 0] for part in _profile(x, curves, w, ceiling, exponents[:, None]))
    return PowerLaws(c, a, np.where(a > 0, exponents, 0.0), float(sizes[0]))


def _profile(
    x: NDArray[np.float64],
    curves: NDArray[np.float64],
    w: NDArray[np.float64],
    ceiling: float,
    b: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the loss, c and a of each curve for each of its b (curve, b)."""
    decay = -np.expm1(-b[..., None] * x)  # 1 - n^-b, which stays exact where b is small: y = (c - a) + a decay
    mean_y, mean_d = curves @ w, decay @ w
    y, d = curves - mean_y[:, None], decay - mean_d[..., None]
    a = np.maximum((d * (y * w)[:, None]).sum(-1) / (d**2 @ w), 0.0)
    c = mean_y[:, None] + a * (1 - mean_d)
    over = c > ceiling
    if over.any():
        left = 1 - decay
        bound = np.maximum((left * (ceiling - curves)[:, None]) @ w / (left**2 @ w), 0.0)
        a, c = np.where(over, bound, a), np.where(over, ceiling, c)
    residual = curves[:, None] - c[..., None] + a[..., None] * (1 - decay)
    return residual**2 @ w, c, a
