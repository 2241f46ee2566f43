"""A learning curve as a power law with an offset, score(n) = c - a n^-b, with intervals and what it predicts."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beyond_alignment.benchmark.power_law import LEAST_EXPONENT, MOST_EXPONENT, PowerLaws, fit_power_laws
from beyond_alignment.benchmark.seed_resampling import LEVEL, check_curves, mean_curve_draws, widening
from beyond_alignment.errors import InputError
from beyond_alignment.resampling import percentile_interval

Trend = Literal["rises", "falls", "no trend shown"]
Interval = tuple[float, float]
PRIOR_DEGREES = 4
"""Seeds that the spread pooled over sizes counts for in the spread at one size."""
PARAMETERS = 3
ROUNDING = 1e-12


@dataclass(frozen=True)
class Prediction:
    """The score that a fit gives for a size.

    Attributes
    ----------
    n
        Paired training spots.
    value, low, high
        Score with its 95 % band.
    extrapolated
        Whether the size lies outside those that were measured. The band then rests on the curve being a power law.
    """

    n: float
    value: float
    low: float
    high: float
    extrapolated: bool


@dataclass(frozen=True, eq=False)
class CurveFit:
    """A fitted learning curve; intervals are 95 % over the replicates.

    Attributes
    ----------
    exponent, exponent_interval
        b, without unit. 0 where the best curve is flat; the interval spans the whole range, 0 to 4, where no rise is
        shown or two sizes leave it open, and starts at 0 where the curve does not bend below the ceiling.
    asymptote, asymptote_interval
        c, the score without end of data. Where the curve does not bend below the ceiling, c is the ceiling, and the
        interval starts at the score that the largest size reaches.
    amplitude, amplitude_interval
        a, score lost at n = 1; it moves with b, and depends on the unit of n by that unit to the power b.
    trend
        Whether the mean curve rises or falls with log n beyond its interval.
    identified
        Whether the exponent's interval ends inside its range on both sides.
    statement
        What the fit tells, in a sentence.
    sizes, mean
        Measured sizes and mean scores (size,).
    misfit
        Root mean square of the mean curve about the fit, score; weighted as the fit.
    n_seeds
        Seeds; 0 where replicates were given instead.
    best, replicates
        The curve itself, and those of the replicates.
    """

    exponent: float
    exponent_interval: Interval
    asymptote: float
    asymptote_interval: Interval
    amplitude: float
    amplitude_interval: Interval
    trend: Trend
    identified: bool
    statement: str
    sizes: NDArray[np.float64]
    mean: NDArray[np.float64]
    misfit: float
    n_seeds: int
    best: PowerLaws
    replicates: PowerLaws

    def predict(self, n: float) -> Prediction:
        """Return the score at a number of spots, flagged where it lies beyond what was measured.

        Raises
        ------
        InputError
            The number is not positive and finite.
        """
        if not (np.isfinite(n) and n > 0):
            raise InputError(f"A size of {n} spots: give a positive number.")
        at = np.array([float(n)])
        low, high = percentile_interval(self.replicates.at(at)[:, 0])
        outside = not self.sizes[0] <= n <= self.sizes[-1]
        return Prediction(float(n), float(self.best.at(at)[0, 0]), low, high, outside)


def fit_curve(
    sizes: ArrayLike,
    scores: ArrayLike,
    *,
    ceiling: float = 1.0,
    draws: ArrayLike | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> CurveFit:
    """Fit a learning curve by weighted least squares and resample it.

    The weight of a size is one over the variance of its seeds, drawn towards the variance pooled over sizes, for few
    seeds tell their variance badly. Replicates are those of :func:`mean_curve_draws` over seeds; with one seed the
    residuals about the fit are drawn instead. They speak of other seeds (subsets and starting weights) on the same
    tissue; pass `draws` to speak of other places. The form of the curve is taken as given.

    Parameters
    ----------
    sizes
        Paired training spots (size,).
    scores
        (size, seed) or (size,).
    ceiling
        The largest score there is: 1 for F1 and R²; infinity where there is none.
    draws
        Replicates of the mean curve (draw, size), in the order of `sizes`, in the place of those over seeds; for
        instance over resampled tiles.
    n_bootstrap
        Replicates over seeds.
    seed
        Of the replicates.

    Raises
    ------
    InputError
        Sizes or scores are not finite or do not fit together, a score lies above the ceiling, or there is one seed at
        fewer than four sizes and nothing to tell the noise.
    """
    n, values = check_curves(sizes, scores)
    if values.ndim != 2:
        raise InputError(f"The scores have shape {np.shape(scores)}; pass one curve (size, seed).")
    if values.max() > ceiling:
        raise InputError(f"A score of {values.max():.4g} lies above the ceiling of {ceiling:g}; pass a higher ceiling.")
    mean, weights = values.mean(axis=1), _weights(values)
    rng = np.random.default_rng(seed)
    guess = None if len(n) >= PARAMETERS else _straightest(n, mean[None], ceiling)
    best = fit_power_laws(n, mean[None], weights, ceiling=ceiling, exponents=guess, n_zooms=24)
    residuals = mean - best.at(n)[0]
    drawn = _draws(sizes, values, residuals, draws, n_bootstrap, seed)
    many = None
    if guess is not None:
        least = np.log(_straightest(n, drawn, ceiling))
        many = np.exp(least + (np.log(MOST_EXPONENT) - least) * rng.random(len(drawn)))
    replicates = fit_power_laws(n, drawn, weights, ceiling=ceiling, exponents=many)
    trend = _trend(n, mean, drawn, weights)
    bound = replicates.asymptote >= ceiling
    interval = _exponent_interval(replicates, bound) if trend == "rises" and guess is None else (0.0, MOST_EXPONENT)
    reached = np.where(bound, replicates.at(n[-1:])[:, 0], replicates.asymptote)
    identified = interval[0] > LEAST_EXPONENT * 1.01 and interval[1] < MOST_EXPONENT * 0.99
    a, b = float(best.amplitude[0]), float(best.exponent[0])
    return CurveFit(
        exponent=b,
        exponent_interval=(min(interval[0], b), max(interval[1], b)),
        asymptote=float(best.asymptote[0]),
        asymptote_interval=(percentile_interval(reached)[0], percentile_interval(replicates.asymptote)[1]),
        amplitude=a * best.unit**b,
        amplitude_interval=percentile_interval(replicates.amplitude * replicates.unit**replicates.exponent),
        trend=trend,
        identified=identified,
        statement=_statement(trend, interval, b, identified, len(n), bound=bool(best.asymptote[0] >= ceiling)),
        sizes=n,
        mean=mean,
        misfit=float(np.sqrt(np.average(residuals**2, weights=weights))),
        n_seeds=0 if draws is not None else values.shape[1],
        best=best,
        replicates=replicates,
    )


def _weights(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return one over the variance of each size (size,), drawn towards the pooled one; all the same without spread."""
    degrees = scores.shape[1] - 1
    variance = scores.var(axis=1, ddof=1) if degrees else np.zeros(len(scores))
    pooled = variance.mean()
    if pooled <= np.finfo(float).eps ** 2:
        return np.ones(len(scores))
    return (degrees + PRIOR_DEGREES) / (degrees * variance + PRIOR_DEGREES * pooled)


def _straightest(sizes: NDArray[np.float64], curves: NDArray[np.float64], ceiling: float) -> NDArray[np.float64]:
    """Return the least exponent with which a curve through two points (curve, 2) stays under the ceiling (curve,)."""
    rise, room = curves[:, 1] - curves[:, 0], ceiling - curves[:, 0]
    taken = np.divide(rise, room, out=np.ones(len(curves)), where=room > 0).clip(0, 1 - 1e-12)
    return np.clip(-np.log1p(-taken) / np.log(sizes[1] / sizes[0]), LEAST_EXPONENT, MOST_EXPONENT)


def _draws(
    sizes: ArrayLike,
    scores: NDArray[np.float64],
    residuals: NDArray[np.float64],
    given: ArrayLike | None,
    n_bootstrap: int,
    seed: int,
) -> NDArray[np.float64]:
    """Return replicates of the mean curve (draw, size), ascending in size."""
    if given is not None:
        curves = np.asarray(given, dtype=np.float64)
        if curves.ndim != 2 or not len(curves):
            raise InputError(f"The replicates have shape {curves.shape}; pass (draw, size).")
        return check_curves(sizes, curves.T)[1].T
    n_sizes, n_seeds = scores.shape
    if n_seeds > 1:
        return mean_curve_draws(scores, n_bootstrap=n_bootstrap, seed=seed)
    degrees = n_sizes - PARAMETERS
    if degrees < 1:
        raise InputError(f"One seed at {n_sizes} sizes tells no noise; pass two seeds or more, or four sizes or more.")
    drawn = np.random.default_rng(seed).choice(residuals, size=(n_bootstrap, n_sizes))
    return scores[:, 0] - residuals + drawn * np.sqrt(n_sizes / degrees) * widening(degrees)


def _trend(
    sizes: NDArray[np.float64], mean: NDArray[np.float64], drawn: NDArray[np.float64], weights: NDArray[np.float64]
) -> Trend:
    """Say whether the curve rises or falls with log n, by the interval of its slope."""
    x = np.log(sizes)
    x = weights * (x - np.average(x, weights=weights))
    x /= np.abs(x).sum()
    low, high = percentile_interval(np.append(drawn @ x, mean @ x))
    if low > ROUNDING:
        return "rises"
    return "falls" if high < -ROUNDING else "no trend shown"


def _exponent_interval(replicates: PowerLaws, bound: NDArray[np.bool_]) -> Interval:
    """Return the interval of b; a flat replicate counts at both ends, one that the ceiling holds at 0 as well."""
    flat = replicates.amplitude <= 0
    low, _ = percentile_interval(np.where(flat | bound, 0.0, replicates.exponent))
    _, high = percentile_interval(np.where(flat, MOST_EXPONENT, replicates.exponent))
    return low, high


def _statement(
    trend: Trend, interval: Interval, exponent: float, identified: bool, n_sizes: int, *, bound: bool
) -> str:
    """Say what the fit tells."""
    bounds = f"{100 * LEVEL:g} % interval {interval[0]:.2f} to {interval[1]:.2f}"
    if trend == "falls":
        return "The score falls with more spots; a power law that rises to its asymptote does not describe it."
    if trend == "no trend shown":
        return "The score neither rises nor falls beyond its noise, so there is no exponent to read."
    if n_sizes < PARAMETERS:
        return f"The score rises, and {n_sizes} sizes do not tell how: any exponent fits."
    if bound:
        return "The score rises without a bend: its asymptote would lie above the highest score there is."
    if not identified:
        return f"The score rises, and these sizes do not pin down its exponent ({bounds})."
    return f"The score rises to its asymptote with exponent {exponent:.2f} ({bounds})."
