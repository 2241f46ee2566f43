"""Decomposition of jointly Gaussian variables, as a comparison estimator."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beyond_alignment.information.discrete import class_entropy
from beyond_alignment.information.field_estimate import Informations, estimate, leading_components
from beyond_alignment.information.gaussian_union import gaussian_union
from beyond_alignment.information.pid import PIDEstimate
from beyond_alignment.information.samples import check_samples
from beyond_alignment.information.target import as_classes
from beyond_alignment.resampling import bootstrap_weights, default_units

RIDGE = 1e-6


def gaussian_pid(
    x1: ArrayLike,
    x2: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    blocks: ArrayLike | None = None,
    seed: int = 0,
    n_bootstrap: int = 200,
    level: float = 0.95,
    n_components: int = 50,
) -> PIDEstimate:
    """Estimate the decomposition as if both sources and the target were jointly Gaussian.

    The informations are the closed forms of the sample's covariances; so is the union information for two classes or a
    single number as target, where it is the larger of both (Barrett 2015). For more it is solved for (Venkatesh et al.
    2023). Classes enter as one-hot columns treated as Gaussian: only what means can tell is seen (XOR has none), and
    the informations may exceed the entropy of the classes. The model log p(y | x1, x2) of Gaussian variables is
    additive, so the whole synergy is additive and its interaction part 0 by assumption, without a p-value. Nothing is
    cross-fitted or corrected: the bias of I(X; Y) is about features times targets / (2 n ln 2) bits.

    Parameters
    ----------
    x1, x2
        Sources (sample, feature).
    y
        Classes (sample,), or numbers (sample,) or (sample, target), which are used as they are.
    groups
        Group of each sample (sample,), the unit of the bootstrap where there are at least ten.
    blocks
        Block of each sample (sample,), the unit of the bootstrap where given.
    seed
        Of the components and the bootstrap.
    n_bootstrap
        Replicates, with the components held fixed.
    level
        Coverage of the intervals.
    n_components
        Leading components kept of each source.

    Returns
    -------
    The estimate; `pid.gap` is certified.

    Raises
    ------
    InputError
        As `check_samples`.
    """
    samples = check_samples(x1, x2, y, groups, blocks=blocks, n_folds=2, seed=seed)
    units = default_units(samples.groups, samples.blocks, samples.n)
    numbers = as_classes(y, seed=seed).numbers
    target = np.eye(len(samples.classes))[samples.codes, 1:] if numbers is None else numbers
    parts = [
        leading_components(samples.x1, n_components, whiten=True, seed=seed),
        leading_components(samples.x2, n_components, whiten=True, seed=seed),
        leading_components(target, target.shape[1], whiten=True, seed=seed),
    ]
    weights = bootstrap_weights(units, n_bootstrap=n_bootstrap, seed=seed)
    covariances = _covariances(np.concatenate(parts, axis=1), weights)
    found = _informations(covariances, *(part.shape[1] for part in parts))
    warnings = []
    if numbers is None:
        entropy = class_entropy(samples.codes)
        if found.both[0] > entropy:
            warnings.append(
                f"I(X1, X2; Y) is {found.both[0]:.2f} bits, above the entropy {entropy:.2f} of the classes: they are"
                " not Gaussian."
            )
    estimated = estimate(found, samples, units, method="gaussian", level=level, warnings=tuple(warnings))
    return replace(estimated, p_interaction=float("nan"))


def _covariances(values: NDArray[np.float64], weights: NDArray[np.int32]) -> NDArray[np.float64]:
    """Covariances of the sample itself and of each replicate: (1 + replicate, variable, variable)."""
    n_variables = values.shape[1]
    found = np.empty((1 + len(weights), n_variables, n_variables))
    for place, weight in enumerate([np.ones(len(values)), *weights]):
        share = weight / weight.sum()
        centred = values - share @ values
        found[place] = centred.T @ (centred * share[:, None])
    # Keeps the information of a target that a source determines finite.
    return found + RIDGE * np.eye(n_variables)


def _informations(covariances: NDArray[np.float64], d1: int, d2: int, n_targets: int) -> Informations:
    """Compute the closed forms and the solved union information, in bits."""
    sources = [np.arange(d1), np.arange(d1, d1 + d2), np.arange(d1 + d2)]
    target = np.arange(d1 + d2, d1 + d2 + n_targets)
    ratios = [_signal_to_noise(covariances, source, target) for source in sources]
    first, second, both = (np.linalg.slogdet(np.eye(n_targets) + ratio)[1] / np.log(4) for ratio in ratios)
    if n_targets == 1:
        union, gap = np.maximum(first, second), 0.0
    else:
        solved = gaussian_union(ratios[0], ratios[1])
        union, gap = solved.value, max(float(solved.gap[0]), 0.0)
    return Informations(first, second, both, union, np.zeros_like(both), gap)


def _signal_to_noise(
    covariances: NDArray[np.float64], source: NDArray[np.intp], target: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Signal-to-noise matrices (problem, target, target) of a source about the target scaled to covariance 1."""
    within = covariances[:, source[:, None], source]
    across = covariances[:, source[:, None], target]
    root = np.linalg.cholesky(covariances[:, target[:, None], target])
    # Explained share of the target, whose root makes it the identity; what is not explained is 1 less that.
    scaled = np.linalg.solve(root, across.swapaxes(-1, -2))
    explained = scaled @ np.linalg.solve(within, scaled.swapaxes(-1, -2))
    unexplained = np.eye(len(target)) - explained
    ratio = np.linalg.inv(unexplained) - np.eye(len(target))
    symmetric: NDArray[np.float64] = (ratio + ratio.swapaxes(-1, -2)) / 2
    return symmetric
