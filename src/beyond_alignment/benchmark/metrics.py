"""Scores of out-of-fold predictions, with replicates that resample tiles of tissue."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import entropy

from beyond_alignment.benchmark.predictions import Predictions
from beyond_alignment.information.resampling import percentile_interval


@dataclass(frozen=True)
class Score:
    """A score with its replicates.

    Attributes
    ----------
    metric
        ``macro_f1``, ``accuracy``, ``bits`` (classification), ``r2``, ``pearson`` (regression).
    value
        On all test spots.
    replicates
        The same under resampled tiles (replicate,).
    """

    metric: str
    value: float
    replicates: NDArray[np.float64]

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the percentile interval of the replicates."""
        return percentile_interval(self.replicates, level)


def tile_weights(tiles: ArrayLike, strata: ArrayLike, *, n_replicates: int, seed: int = 0) -> NDArray[np.float64]:
    """Draw how often each tile counts in each bootstrap replicate.

    Whole tiles are drawn with replacement within each stratum (Efron & Tibshirani 1993, section 8.6), because
    neighbouring spots are not independent. The first row is the sample itself. The same arguments give the same
    weights, so differences between methods are paired.

    Parameters
    ----------
    tiles
        Name of each spot's tile (spot,).
    strata
        Stratum of each spot, for instance its section (spot,).
    n_replicates
        B.
    seed
        Of the draws.

    Returns
    -------
    NDArray[np.float64]
        (1 + B, tile), tiles in sorted order of their names.
    """
    names, first = np.unique(np.asarray(tiles).astype(str), return_index=True)
    stratum = np.asarray(strata).astype(str)[first]
    weights = np.ones((n_replicates + 1, len(names)))
    rng = np.random.default_rng(seed)
    for name in np.unique(stratum):
        members = np.flatnonzero(stratum == name)
        share = np.full(len(members), 1 / len(members))
        weights[1:, members] = rng.multinomial(len(members), share, size=n_replicates)
    return weights


def _per_tile(values: NDArray[np.float64], tile: NDArray[np.intp], n_tiles: int) -> NDArray[np.float64]:
    """Sum (spot, ...) values over the spots of each tile: (tile, ...)."""
    sums = np.zeros((n_tiles, *values.shape[1:]))
    np.add.at(sums, tile, values)
    return sums


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide, with 0 where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def score_classification(predictions: Predictions, weights: NDArray[np.float64]) -> dict[str, Score]:
    """Score predicted probabilities: macro-F1, accuracy and bits.

    ``bits`` is H(Y) - CE: the entropy of the scored labels less the mean of -log2 p(y | x). Its expectation is a lower
    bound of the mutual information of embedding and label (Barber & Agakov 2003), and it is negative for a model that
    is worse than knowing the class frequencies.

    Parameters
    ----------
    predictions
        Out-of-fold predictions of one method.
    weights
        From :func:`tile_weights` (replicate, tile).
    """
    _, tile = np.unique(predictions.tiles, return_inverse=True)
    n_classes, truth = len(predictions.classes), predictions.truth.astype(np.intp)
    confusion = np.zeros((weights.shape[1], n_classes, n_classes))
    np.add.at(confusion, (tile, truth, predictions.guess), 1)
    total = np.tensordot(weights, confusion, axes=1)  # (replicate, true class, predicted class)
    hits = np.diagonal(total, axis1=1, axis2=2)
    true, predicted = total.sum(axis=2), total.sum(axis=1)
    f1 = _ratio(2 * hits, true + predicted)
    present = true > 0
    macro = _ratio((f1 * present).sum(axis=1), present.sum(axis=1).astype(float))
    likelihood = np.log2(predictions.probability[np.arange(len(truth)), truth])
    count = true.sum(axis=1)
    cross_entropy = -_ratio(weights @ _per_tile(likelihood, tile, weights.shape[1]), count)
    bits = entropy(true, base=2, axis=1) - cross_entropy
    found = {"macro_f1": macro, "accuracy": _ratio(hits.sum(axis=1), count), "bits": bits}
    return {name: Score(name, float(values[0]), values[1:]) for name, values in found.items()}


def score_regression(predictions: Predictions, weights: NDArray[np.float64]) -> dict[str, Score]:
    """Score predicted targets: R2 and Pearson r, each averaged over targets; a constant target counts as 0.

    A target that is NaN in some spots is scored on the others.

    Parameters
    ----------
    predictions
        Out-of-fold predictions of one method.
    weights
        From :func:`tile_weights` (replicate, tile).
    """
    _, tile = np.unique(predictions.tiles, return_inverse=True)
    scored = np.isfinite(predictions.truth)
    y, p = (np.where(scored, values, 0.0) for values in (predictions.truth, predictions.probability))
    moments = np.stack([scored, y, p, y * y, p * p, y * p, (y - p) ** 2], axis=1)  # (spot, moment, target)
    summed = np.tensordot(weights, _per_tile(moments, tile, weights.shape[1]), axes=1)  # (replicate, moment, target)
    n, sy, sp, syy, spp, syp, error = np.moveaxis(summed, 1, 0)
    n = np.maximum(n, 1)
    variance_y, variance_p, covariance = syy - sy**2 / n, spp - sp**2 / n, syp - sy * sp / n
    varies = variance_y > 1e-12
    r2 = np.where(varies, 1 - _ratio(error, variance_y), 0).mean(axis=1)
    pearson = np.where(varies, _ratio(covariance, np.sqrt(np.maximum(variance_y * variance_p, 0))), 0).mean(axis=1)
    return {name: Score(name, float(v[0]), v[1:]) for name, v in {"r2": r2, "pearson": pearson}.items()}


def score(predictions: Predictions, weights: NDArray[np.float64]) -> dict[str, Score]:
    """Score predictions of either kind."""
    scorer = score_classification if predictions.classes else score_regression
    return scorer(predictions, weights)
