"""From how many paired spots a fusion method's learning curve stays above that of the best unimodal path."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beyond_alignment.benchmark.curve_fit import CurveFit
from beyond_alignment.benchmark.seed_resampling import check_curves, mean_curve_draws
from beyond_alignment.errors import InputError
from beyond_alignment.resampling import percentile_interval

GRID = 257
"""Sizes at which fitted curves are compared, even in log n; between them the lead is interpolated."""


class Outcome(StrEnum):
    """What a curve can do besides crossing at a number of spots."""

    NEVER = "never within the range"
    ALWAYS = "from the smallest size on"


Place = float | Outcome


@dataclass(frozen=True)
class Crossover:
    """Where one curve comes to stay above another.

    Attributes
    ----------
    value
        Paired training spots from which on the fusion leads up to the end of the range, or an outcome.
    low, high
        95 % interval over replicates, each end a number of spots or an outcome: ``from the smallest size on`` counts
        as fewer than any number, ``never within the range`` as more.
    share_never, share_always
        Shares of the replicates with either outcome; the others cross.
    smallest, largest
        The range looked at, spots.
    measured
        The largest measured size.
    method
        ``points``, interpolated in log n, or ``fits``.
    n_seeds
        Seeds that were resampled; 0 for fits to given replicates.
    """

    value: Place
    low: Place
    high: Place
    share_never: float
    share_always: float
    smallest: float
    largest: float
    measured: float
    method: str
    n_seeds: int

    @property
    def extrapolated(self) -> bool:
        """Whether the crossing lies beyond the measured sizes."""
        return not isinstance(self.value, Outcome) and self.value > self.measured

    @property
    def words(self) -> str:
        """The crossing with its interval, as it stands in a table."""
        if self.low == self.value == self.high and isinstance(self.value, Outcome):
            share = self.share_never if self.value == Outcome.NEVER else self.share_always
            return f"{self.value} ({int(100 * share)} % of resamples)"
        start = self.value if isinstance(self.value, Outcome) else f"{self.value:,.0f} spots"
        ends = " to ".join(end if isinstance(end, Outcome) else f"{end:,.0f}" for end in (self.low, self.high))
        return f"{start} ({ends}{', extrapolated' if self.extrapolated else ''})"


def crossover_of_points(
    sizes: ArrayLike, fused: ArrayLike, unimodal: ArrayLike, *, n_bootstrap: int = 1000, seed: int = 0
) -> Crossover:
    """Find the crossing of measured curves, interpolated in log n, with an interval over paired seeds.

    The best unimodal path is, at each size, the one with the highest mean over seeds; replicates keep that choice, so
    that noise does not favour it a second time.

    Parameters
    ----------
    sizes
        Paired training spots (size,).
    fused
        Scores of the fusion method (size, seed).
    unimodal
        Scores of one unimodal path (size, seed), or of several (path, size, seed), of the same seeds.
    n_bootstrap
        Replicates, from :func:`mean_curve_draws`.
    seed
        Of the replicates.

    Raises
    ------
    InputError
        The scores are not finite, do not fit together, or are of one seed.
    """
    one, paths = np.asarray(fused, dtype=np.float64), np.asarray(unimodal, dtype=np.float64)
    paths = paths[None] if paths.ndim == one.ndim else paths
    if one.ndim != 2 or paths.ndim != 3 or paths.shape[1:] != one.shape or not len(paths):
        raise InputError(f"Scores {one.shape} and {paths.shape} do not pair; pass (size, seed) and (path, size, seed).")
    n, scores = check_curves(sizes, np.concatenate([one[None], paths]))
    best = 1 + scores[1:].mean(axis=2).argmax(axis=0)
    lead = scores[0] - scores[best, np.arange(len(n))]
    drawn = mean_curve_draws(lead, n_bootstrap=n_bootstrap, seed=seed)
    found = _first_lead(n, np.vstack([lead.mean(axis=1), drawn]))
    return _read(found, n[0], n[-1], measured=n[-1], method="points", n_seeds=lead.shape[1])


def crossover_of_fits(fused: CurveFit, *unimodal: CurveFit, horizon: float = 10.0) -> Crossover:
    """Find the crossing of fitted curves, up to a multiple of the largest measured size.

    The best unimodal path is the highest fitted curve at each size. Replicates are paired by their number: fit all
    curves with the same seeds and the same ``seed``.

    Parameters
    ----------
    fused, unimodal
        Fits of the fusion method and of one unimodal path or more, to the same sizes.
    horizon
        How many times the largest measured size is looked at; a crossing beyond that size is flagged.

    Raises
    ------
    InputError
        There is no unimodal fit, the sizes or the numbers of replicates differ, or the horizon is below 1.
    """
    fits = (fused, *unimodal)
    alike = {(fit.sizes.tobytes(), len(fit.replicates.exponent), fit.n_seeds) for fit in fits}
    if len(fits) < 2 or len(alike) > 1:
        raise InputError("The fits are not of the same sizes, seeds and replicates, or there is one alone; refit them.")
    if not 1 <= horizon < np.inf:
        raise InputError(f"A horizon of {horizon} times the largest size: give a number of at least 1.")
    smallest, measured = float(fused.sizes[0]), float(fused.sizes[-1])
    grid = np.geomspace(smallest, measured * horizon, GRID)
    curves = [np.vstack([fit.best.at(grid), fit.replicates.at(grid)]) for fit in fits]
    found = _first_lead(grid, curves[0] - np.max(curves[1:], axis=0))
    return _read(found, smallest, float(grid[-1]), measured=measured, method="fits", n_seeds=fused.n_seeds)


def _first_lead(sizes: NDArray[np.float64], lead: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where each lead (curve, size) turns positive for good: minus infinity from the start on, infinity never.

    A lead of zero, or less than rounding leaves behind, is none: a curve that touches leads from there on.
    """
    ahead = lead > 1e-12
    behind = len(sizes) - 1 - np.argmax(~ahead[:, ::-1], axis=1)  # last size that is not ahead
    found = np.full(len(lead), np.inf)
    found[ahead.all(axis=1)] = -np.inf
    rows = np.flatnonzero(~ahead.all(axis=1) & ahead[:, -1])
    at = behind[rows]
    below, above, x = np.minimum(lead[rows, at], 0.0), lead[rows, at + 1], np.log(sizes)
    found[rows] = np.exp(x[at] - below / (above - below) * (x[at + 1] - x[at]))
    return found


def _read(
    found: NDArray[np.float64], smallest: float, largest: float, *, measured: float, method: str, n_seeds: int
) -> Crossover:
    """Return the crossing of the sample (first) with the interval over its replicates (the others)."""
    value, drawn = found[0], np.sort(found[1:])
    low, high = _quantiles(drawn)
    return Crossover(
        value=_outcome(value),
        low=_outcome(min(low, value)),
        high=_outcome(max(high, value)),
        share_never=float(np.mean(drawn == np.inf)),
        share_always=float(np.mean(drawn == -np.inf)),
        smallest=float(smallest),
        largest=float(largest),
        measured=float(measured),
        method=method,
        n_seeds=n_seeds,
    )


def _quantiles(drawn: NDArray[np.float64]) -> tuple[float, float]:
    """Return the central 95 % of places, infinities included: no mean of two places is taken."""
    low, high = percentile_interval(np.arange(len(drawn)))
    return float(drawn[int(np.floor(low))]), float(drawn[int(np.ceil(high))])


def _outcome(place: float) -> Place:
    """Return an outcome in the place of an infinity."""
    if np.isinf(place):
        return Outcome.NEVER if place > 0 else Outcome.ALWAYS
    return float(place)
