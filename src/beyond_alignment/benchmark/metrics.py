"""Scores of out-of-fold predictions, with replicates that resample tiles of tissue."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import entropy

from beyond_alignment.benchmark.predictions import Predictions
from beyond_alignment.resampling import percentile_interval

MAIN_METRIC = {"classification": "macro_f1", "regression": "r2"}
N_MOMENTS = 7


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

    def interval(self) -> tuple[float, float]:
        """Return the percentile interval of the replicates."""
        return percentile_interval(self.replicates)


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


@dataclass(frozen=True)
class Statistics:
    """What the scores of one method need, unit by unit: sums over disjoint units add up to those of any union.

    Attributes
    ----------
    classes
        Number of classes; 0 for regression.
    values
        Flattened statistics (unit, number).
    names
        Units in sorted order (unit,).
    """

    classes: int
    values: NDArray[np.float64]
    names: NDArray[np.str_]

    def scores(self, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return every score when each unit counts as often as its weight says: name -> (replicate,).

        Parameters
        ----------
        weights
            (replicate, unit).
        """
        return self.read(weights @ self.values)

    def read(self, total: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return every score of summed statistics (replicate, number)."""
        return _read_classes(total, self.classes) if self.classes else _read_targets(total)


def statistics(predictions: Predictions, units: ArrayLike | None = None) -> Statistics:
    """Sum up predictions unit by unit.

    Classification: counts of true and predicted class, and the sum of log2 p(y | x). Regression: number, sums, squares
    and products of target and prediction, and squared errors, target by target, over the spots where it is scored.

    Parameters
    ----------
    predictions
        Out-of-fold predictions of one method.
    units
        Unit of each spot (spot,); its tile when None.
    """
    names, unit = np.unique(np.asarray(predictions.tiles if units is None else units).astype(str), return_inverse=True)
    if not predictions.classes:
        scored = np.isfinite(predictions.truth)
        y, p = (np.where(scored, values, 0.0) for values in (predictions.truth, predictions.probability))
        moments = np.stack([scored, y, p, y * y, p * p, y * p, (y - p) ** 2], axis=1)  # (spot, moment, target)
        return Statistics(0, _per_tile(moments, unit, len(names)).reshape(len(names), -1), names)
    n_classes, truth = len(predictions.classes), predictions.truth.astype(np.intp)
    confusion = np.zeros((len(names), n_classes, n_classes))
    np.add.at(confusion, (unit, truth, predictions.guess), 1)
    likelihood = np.log2(predictions.probability[np.arange(len(truth)), truth])
    parts = [confusion.reshape(len(names), -1), _per_tile(likelihood, unit, len(names))[:, None]]
    return Statistics(n_classes, np.hstack(parts), names)


def _read_classes(total: NDArray[np.float64], n_classes: int) -> dict[str, NDArray[np.float64]]:
    """Read macro-F1, accuracy and bits off summed statistics (replicate, number)."""
    counts = total[:, :-1].reshape(-1, n_classes, n_classes)  # (replicate, true class, predicted class)
    hits = np.diagonal(counts, axis1=1, axis2=2)
    true, predicted = counts.sum(axis=2), counts.sum(axis=1)
    f1 = _ratio(2 * hits, true + predicted)
    present = true > 0
    macro = _ratio((f1 * present).sum(axis=1), present.sum(axis=1).astype(float))
    count = true.sum(axis=1)
    share = np.divide(true, count[:, None], out=np.full_like(true, 1 / n_classes), where=count[:, None] > 0)
    bits = np.where(count > 0, entropy(share, base=2, axis=1), 0) + _ratio(total[:, -1], count)
    return {"macro_f1": macro, "accuracy": _ratio(hits.sum(axis=1), count), "bits": bits}


def _read_targets(total: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Read R2 and Pearson r off summed statistics (replicate, number)."""
    n, sy, sp, syy, spp, syp, error = np.moveaxis(total.reshape(len(total), N_MOMENTS, -1), 1, 0)
    n = np.maximum(n, 1)
    variance_y, variance_p, covariance = syy - sy**2 / n, spp - sp**2 / n, syp - sy * sp / n
    varies = variance_y > 1e-12
    r2 = np.where(varies, 1 - _ratio(error, variance_y), 0).mean(axis=1)
    pearson = np.where(varies, _ratio(covariance, np.sqrt(np.maximum(variance_y * variance_p, 0))), 0).mean(axis=1)
    return {"r2": r2, "pearson": pearson}


def score(predictions: Predictions, weights: NDArray[np.float64]) -> dict[str, Score]:
    """Score predictions.

    Classification: macro-F1, accuracy and ``bits``, H(Y) - CE: the entropy of the scored labels less the mean of
    -log2 p(y | x). Its expectation is a lower bound of the mutual information of embedding and label (Barber & Agakov
    2003), and it is negative for a model that is worse than knowing the class frequencies. Regression: R2 and
    Pearson r, each averaged over targets; a constant target counts as 0, and one that is NaN in some spots is scored on
    the others.

    Parameters
    ----------
    predictions
        Out-of-fold predictions of one method.
    weights
        From :func:`tile_weights` (replicate, tile).
    """
    found = statistics(predictions).scores(weights)
    return {name: Score(name, float(values[0]), values[1:]) for name, values in found.items()}
