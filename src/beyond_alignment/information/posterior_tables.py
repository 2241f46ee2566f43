"""Informations from out-of-fold posteriors: quantised to a few states each, counted, and taken apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from beyond_alignment.information.discrete import information
from beyond_alignment.information.stacking import blend
from beyond_alignment.information.union import union_information

MOST_STATES = 32
REPLICATE_TOLERANCE = 1e-4
MOST_CLUSTERED = 50_000
BLENDS = ("first", "second", "additive", "joint")
COLUMNS = ("I1", "I2", "union", "joint", "interaction")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TableInformations:
    """Plug-in informations of the sample, in row 0, and of its bootstrap replicates.

    Attributes
    ----------
    values
        (1 + replicate, information): I(X1; Y), I(X2; Y), the union information, I(X1, X2; Y) and the interaction
        synergy, bits; the order of `COLUMNS`.
    gap
        Certified distance of the first union information to its minimum, bits.
    """

    values: Floats
    gap: float


def blended(posteriors: Floats, y: NDArray[np.integer], folds: NDArray[np.integer]) -> Floats:
    """Calibrate posteriors across folds, the additive and the joint one with those that they contain.

    Parameters
    ----------
    posteriors
        Out-of-fold log posteriors (head, sample, class), in the order of `HEADS`.
    y
        Classes (sample,).
    folds
        Fold of each sample (sample,).

    Returns
    -------
    Log posteriors (blend, sample, class), in the order of `BLENDS`.
    """
    contained = ([0], [1], [2, 3, 0, 1], [4, 2, 3, 0, 1])
    return np.stack([blend([posteriors[k] for k in heads], y, folds, start=0) for heads in contained])


def n_states(n: int, n_classes: int) -> int:
    """Return the number of states of a posterior: as the square root of the samples, so that counts suffice.

    Parameters
    ----------
    n
        Number of samples.
    n_classes
        Number of classes.
    """
    return int(min(2 + np.sqrt(n * (n_classes - 1)) / 6, MOST_STATES))


def quantise(log_posterior: Floats, k: int, *, seed: int) -> NDArray[np.int64]:
    """Return the state (sample,) of each posterior: k-means of the square roots of its probabilities.

    Labels take no part. On square roots the Euclidean distance is Hellinger's, so that states are narrow where a small
    difference of probabilities is much information.

    Parameters
    ----------
    log_posterior
        (sample, class).
    k
        States.
    seed
        Of k-means, and of the 50,000 samples that it is fitted on where there are more.
    """
    roots = np.exp(0.5 * log_posterior)
    fitted = roots
    if len(roots) > MOST_CLUSTERED:
        fitted = roots[np.random.default_rng(seed).choice(len(roots), MOST_CLUSTERED, replace=False)]
    k = min(k, len(np.unique(fitted.round(6), axis=0)))
    means = KMeans(k, n_init=1, random_state=seed).fit(fitted)
    return np.asarray(means.predict(roots), dtype=np.int64)


def count(
    log_posteriors: Floats,
    y: NDArray[np.integer],
    units: NDArray[np.integer],
    unit_weights: NDArray[np.integer],
    *,
    seed: int,
) -> TableInformations:
    """Quantise the posteriors and compute the informations of the sample and of its replicates.

    The interaction synergy is no difference of counts: the states of an additive posterior can tell more than any
    additive model does (where y is x1 + x2 in {1, 2}, they tell all). It is the share of the joint posterior's
    log-likelihood that the additive one does not reach.

    Parameters
    ----------
    log_posteriors
        (blend, sample, class), in the order of `BLENDS`.
    y
        Classes (sample,).
    units
        Unit of the bootstrap of each sample (sample,).
    unit_weights
        How often each unit counts (replicate, unit); no row for the sample itself.
    seed
        Of k-means.
    """
    n, n_classes = log_posteriors.shape[1:]
    k = n_states(n, n_classes)
    heads = [BLENDS.index(name) for name in ("first", "second", "joint")]
    states = [quantise(log_posteriors[head], k, seed=seed) for head in heads]
    first, second, joint = (_tables(state, y, units, unit_weights, k) for state in states)
    exact = union_information(first[:1], second[:1])
    union = exact.value
    if len(first) > 1:
        union = np.concatenate([union, union_information(first[1:], second[1:], tolerance=REPLICATE_TOLERANCE).value])
    both = information(joint)
    interaction = both * _interaction_share(log_posteriors, y, units, unit_weights)
    values = np.stack([information(first), information(second), union, both, interaction], axis=1)
    return TableInformations(values, float(exact.gap[0]))


def _interaction_share(
    log_posteriors: Floats, y: NDArray[np.integer], units: NDArray[np.integer], unit_weights: NDArray[np.integer]
) -> Floats:
    """Share of what the joint posterior gains in log-likelihood over the class shares that the additive one misses."""
    chosen = np.arange(len(y))
    logs = [log_posteriors[BLENDS.index(head)][chosen, y] for head in ("joint", "additive")]
    before = np.log(np.bincount(y) / len(y))[y]
    joint, additive = (_means(told - before, units, unit_weights) for told in logs)
    missed = np.divide(joint - additive, joint, out=np.zeros_like(joint), where=joint > 0)
    return np.clip(missed, 0.0, 1.0)


def _means(values: Floats, units: NDArray[np.integer], unit_weights: NDArray[np.integer]) -> Floats:
    """Mean over the samples, and over those of each replicate (1 + replicate,)."""
    sums, sizes = np.bincount(units, weights=values), np.bincount(units)
    found: Floats = (unit_weights @ sums) / (unit_weights @ sizes)
    return np.concatenate([[values.mean()], found])


def _tables(
    state: NDArray[np.int64],
    y: NDArray[np.integer],
    units: NDArray[np.integer],
    unit_weights: NDArray[np.integer],
    k: int,
) -> Floats:
    """Joint distribution of state and class, of the sample and of each replicate (1 + replicate, state, class)."""
    n_classes, n_units = int(y.max()) + 1, int(units.max()) + 1
    cell = state * n_classes + y
    if n_units == len(y):  # single samples: counting by cell directly spares a large table
        order = np.argsort(units)
        cells = cell[order]
        rows = [np.bincount(cells, weights=w, minlength=k * n_classes) for w in unit_weights]
        counts = np.stack([np.bincount(cell, minlength=k * n_classes), *rows]).astype(np.float64)
    else:
        by_unit = np.bincount(units * (k * n_classes) + cell, minlength=n_units * k * n_classes)
        by_unit = by_unit.reshape(n_units, k * n_classes).astype(np.float64)  # (unit, state and class)
        counts = np.concatenate([by_unit.sum(axis=0, keepdims=True), unit_weights @ by_unit])
    return (counts / counts.sum(axis=1, keepdims=True)).reshape(-1, k, n_classes)
