"""Blends log posteriors into one that is calibrated on samples that no blended model was trained on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

SHRINKAGE = 1e-3
Floats = NDArray[np.float64]


def blend(
    posteriors: Sequence[NDArray[np.floating]], y: NDArray[np.integer], folds: NDArray[np.integer], *, start: int
) -> Floats:
    """Return log posteriors proportional to exp(b_y + sum_k w_k log p_k(y | x)), fitted across folds.

    A blend of additive models is additive, and a blend that holds the posterior of a single source falls back on it
    where the others learnt nothing. Weights of a fold are fitted on the out-of-fold posteriors of the others.

    Parameters
    ----------
    posteriors
        Out-of-fold log posteriors p_k (sample, class).
    y
        Classes (sample,).
    folds
        Fold of each sample (sample,).
    start
        The posterior that the weights are drawn to where the samples say little.

    Returns
    -------
    Blended log posteriors (sample, class).
    """
    features = np.stack([np.asarray(p, dtype=np.float64) for p in posteriors])  # (posterior, sample, class)
    features = np.maximum(features, -20.0)
    target = np.zeros(len(features))
    target[start] = 1.0
    blended = np.empty(features.shape[1:])
    for fold in np.unique(folds):
        held_out = folds == fold
        weights, offsets = _fit(features[:, ~held_out], y[~held_out], target)
        blended[held_out] = log_softmax(np.tensordot(weights, features[:, held_out], axes=1) + offsets, axis=1)
    return blended


def _fit(features: Floats, y: NDArray[np.integer], target: Floats) -> tuple[Floats, Floats]:
    """Weights of the posteriors and offsets of the classes that maximise the log-likelihood."""
    n_posteriors, n_samples, n_classes = features.shape
    truth = np.zeros((n_samples, n_classes))
    truth[np.arange(n_samples), y] = 1.0

    def loss(parameters: Floats) -> tuple[float, Floats]:
        weights, offsets = parameters[:n_posteriors], parameters[n_posteriors:]
        logs = log_softmax(np.tensordot(weights, features, axes=1) + offsets, axis=1)
        surplus = (np.exp(logs) - truth) / n_samples
        pull = np.concatenate([weights - target, offsets])
        slope = np.concatenate([np.tensordot(features, surplus, axes=2), surplus.sum(axis=0)])
        return -float((logs * truth).sum()) / n_samples + SHRINKAGE * float(pull @ pull), slope + 2 * SHRINKAGE * pull

    begin = np.concatenate([target, np.zeros(n_classes)])
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": 100}).x
    return found[:n_posteriors], found[n_posteriors:]
