"""The published synergistic information score: the relative gain of a joint score over the best unimodal one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beyond_alignment.errors import InputError

HIGH_GAIN = 0.1


@dataclass(frozen=True)
class SisGain:
    """The score with its interval over paired replicates; a ratio without unit.

    Attributes
    ----------
    value
        Ratio of the mean scores, as published.
    low, high
        Bounds of the interval; minus and plus infinity where too many replicates have no ratio.
    level
        Coverage of the interval.
    n_replicates
        Number of paired replicates.
    n_undefined
        Replicates whose best unimodal score is not above chance, so that they have no ratio.
    """

    value: float
    low: float
    high: float
    level: float
    n_replicates: int
    n_undefined: int


def _scores(joint: ArrayLike, first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    """Three finite float arrays of one shape."""
    scores = tuple(np.asarray(s, dtype=np.float64) for s in (joint, first, second))
    if len({s.shape for s in scores}) != 1:
        shapes = ", ".join(str(s.shape) for s in scores)
        raise InputError(f"The joint, first and second scores have shapes {shapes}; pass three of one shape.")
    if not all(np.isfinite(s).all() for s in scores):
        raise InputError("A score is not finite, so the gain has no meaning; pass finite scores.")
    return scores


def sis_gain(
    joint: ArrayLike, first: ArrayLike, second: ArrayLike, *, chance: float = 0.0
) -> float | NDArray[np.float64]:
    """Relative gain (joint - best) / best of a joint score over the best unimodal one.

    By algebra, on mutual informations this is (synergy + the smaller unique part) / (redundancy + the larger
    unique part): a positive gain does not by itself show synergy.

    Parameters
    ----------
    joint
        Score of the multimodal representation: one number, or an array of replicates.
    first, second
        Scores of the two modalities, of the same shape and on the same scale.
    chance
        Score of a guess, subtracted from all three. The published score leaves it in the denominator (0), which
        makes the gains of tasks with different numbers of classes incomparable.

    Returns
    -------
    The gain, without unit: a float for numbers, elementwise for arrays.

    Raises
    ------
    InputError
        The shapes differ, a score is not finite, or a best unimodal score is not above chance: the ratio then has
        no meaning, and a negative denominator would turn its sign.

    Notes
    -----
    Source: the score of the code published with the paper (Microsoft, `cell_synergy`).
    """
    joint_, first_, second_ = (s - chance for s in _scores(joint, first, second))
    best = np.maximum(first_, second_)
    if (best <= 0).any():
        raise InputError(
            f"The best unimodal score is {float(best.min()) + chance:.4g}, not above {chance:.4g}, so the ratio has no"
            " meaning; compare the scores by their difference instead."
        )
    gain = (joint_ - best) / best
    return float(gain) if gain.ndim == 0 else gain


def sis_gain_interval(
    joint: ArrayLike, first: ArrayLike, second: ArrayLike, *, level: float = 0.95, chance: float = 0.0
) -> SisGain:
    """Gain of the mean scores, with the central interval of the gain over paired replicates.

    Parameters
    ----------
    joint, first, second
        Scores (replicate,) of the multimodal representation and the two modalities, paired by replicate. With
        bootstrap replicates the interval is a confidence interval; with folds or seeds it is their spread.
    level
        Coverage of the interval, between 0 and 1.
    chance
        Score of a guess, subtracted from all three.

    Returns
    -------
    Value, interval and the number of replicates without a ratio. Such a replicate could have had any gain, so it
    counts as minus infinity in the lower bound and as plus infinity in the upper one.

    Raises
    ------
    InputError
        The scores are not three finite vectors of one length, `level` is outside (0, 1), or the best of the mean
        unimodal scores is not above chance.
    """
    scores = _scores(joint, first, second)
    if scores[0].ndim != 1 or scores[0].size == 0:
        raise InputError(f"The scores have shape {scores[0].shape}; pass one score a replicate, at least one.")
    if not 0 < level < 1:
        raise InputError(f"The level is {level}; pass a coverage between 0 and 1.")
    value = float(sis_gain(*(s.mean() for s in scores), chance=chance))
    defined = np.maximum(scores[1], scores[2]) > chance
    gains = np.atleast_1d(sis_gain(*(s[defined] for s in scores), chance=chance)) if defined.any() else np.empty(0)
    n_undefined = int((~defined).sum())
    tail = (1 - level) / 2
    low = np.quantile(np.concatenate([gains, np.full(n_undefined, -np.inf)]), tail, method="lower")
    high = np.quantile(np.concatenate([gains, np.full(n_undefined, np.inf)]), 1 - tail, method="higher")
    return SisGain(value, float(low), float(high), level, len(defined), n_undefined)


def verbal_level(gain: float) -> str:
    """Verbal level that the published code gives to a gain.

    Parameters
    ----------
    gain
        The gain, without unit.

    Returns
    -------
    `High` above 0.1, `Moderate` above 0, otherwise `Low`.

    Raises
    ------
    InputError
        The gain is NaN.
    """
    if np.isnan(gain):
        raise InputError("The gain is NaN and has no verbal level; pass a number.")
    if gain > HIGH_GAIN:
        return "High"
    return "Moderate" if gain > 0 else "Low"
