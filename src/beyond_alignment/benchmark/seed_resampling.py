"""Replicates of mean learning curves over resampled seeds, paired between the curves of one task."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, t

from beyond_alignment.errors import InputError

ENOUGH_SEEDS = 5
"""Seeds from which on whole seeds are resampled; fewer have too few distinct resamples."""
LEVEL = 0.95


def check_curves(sizes: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sizes in ascending order and the scores (..., size, seed) in the same order, as floats.

    Parameters
    ----------
    sizes
        Numbers of paired training spots (size,), in any unit and order.
    scores
        (..., size, seed); one column a seed, (size,) for one seed.

    Raises
    ------
    InputError
        The shapes do not fit, there are fewer than two sizes, a size occurs twice or is not positive, or a number is
        not finite.
    """
    n, values = np.asarray(sizes, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    if n.ndim != 1 or values.ndim < 2 or values.shape[-2] != len(n) or values.size == 0:
        raise InputError(f"There are {n.size} sizes and scores {values.shape}; pass one row of scores (seed) a size.")
    if not (np.isfinite(n).all() and np.isfinite(values).all()):
        raise InputError("A size or a score is not finite; leave out the seeds that have no score at every size.")
    if len(n) < 2 or (n <= 0).any() or len(np.unique(n)) < len(n):
        raise InputError("A learning curve needs two sizes or more, each above zero and given once.")
    order = np.argsort(n)
    return n[order], values[..., order, :]


def widening(degrees: int) -> float:
    """Return what bootstrap deviations are multiplied with so that the 95 % interval of a mean is Student's."""
    tail = (1 + LEVEL) / 2
    return float(t.ppf(tail, degrees) / norm.ppf(tail))


def mean_curve_draws(scores: NDArray[np.float64], *, n_bootstrap: int = 1000, seed: int = 0) -> NDArray[np.float64]:
    """Draw the mean curves over seeds again.

    From five seeds on whole seeds are resampled, so that curves stay paired and a seed's points along a curve stay
    together. With two to four, the deviations from the mean are pooled over sizes and drawn for each size on its own:
    curves stay paired, but the spread is taken to be the same at every size and independent between them. Either way
    deviations are widened to Student's interval, because a percentile interval over few units is too narrow.

    Parameters
    ----------
    scores
        (..., size, seed), paired by seed over all leading axes; two seeds at least.
    n_bootstrap
        Draws.
    seed
        Of the draws.

    Returns
    -------
    NDArray[np.float64]
        (draw, ..., size).

    Raises
    ------
    InputError
        There is one seed alone, or no draw is asked for.
    """
    n_sizes, n_seeds = scores.shape[-2:]
    if n_seeds < 2 or n_bootstrap < 1:
        raise InputError(f"There are {n_seeds} seeds and {n_bootstrap} draws; pass two seeds or more and one draw.")
    rng = np.random.default_rng(seed)
    mean = scores.mean(axis=-1)
    deviations = scores - mean[..., None]
    correct = np.sqrt(n_seeds / (n_seeds - 1))
    if n_seeds >= ENOUGH_SEEDS:
        counts = rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=n_bootstrap) / n_seeds
        moved = np.moveaxis(deviations @ counts.T, -1, 0)
        return mean + correct * widening(n_seeds - 1) * moved
    pooled = deviations.reshape(*scores.shape[:-2], n_sizes * n_seeds)
    picks = rng.integers(pooled.shape[-1], size=(n_bootstrap, n_sizes, n_seeds))
    moved = np.moveaxis(pooled[..., picks].mean(axis=-1), -2, 0)
    return mean + correct * widening(n_sizes * (n_seeds - 1)) * moved
