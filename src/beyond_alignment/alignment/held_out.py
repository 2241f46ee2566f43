"""What of a cross-covariance holds on samples that the directions were not fitted on."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t
from sklearn.model_selection import GroupKFold, KFold

from beyond_alignment.alignment.nulls import centred_within
from beyond_alignment.alignment.shrinkage import Shrinkage, shrunk_whitening

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


def _split(
    n: int, n_folds: int, groups: NDArray[np.int64] | None, curve: NDArray[np.int64] | None, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Fold and independent unit of every sample: whole groups, stretches of the curve, or single samples."""
    fold = np.empty(n, dtype=np.int64)
    if groups is not None:
        splits = GroupKFold(min(n_folds, groups.max() + 1)).split(groups, groups=groups)
        for number, (_, test) in enumerate(splits):
            fold[test] = number
        return fold, groups
    if curve is not None:
        for number, (_, test) in enumerate(KFold(n_folds).split(curve)):
            fold[curve[test]] = number
        return fold, fold
    for number, (_, test) in enumerate(KFold(n_folds, shuffle=True, random_state=seed).split(fold)):
        fold[test] = number
    return fold, np.arange(n)


def _fitted(
    train: Pair, groups: NDArray[np.int64], regularisation: Shrinkage, rng: np.random.Generator
) -> tuple[Pair, NDArray[np.float64]]:
    """Directions of both embeddings and a weight of each, from the training samples alone."""
    left, right = (
        shrunk_whitening(x, regularisation=regularisation, name=f"{name} in a training fold")
        for x, name in zip(train, ("x1", "x2"), strict=True)
    )
    z1, z2 = left.apply(train[0]), right.apply(train[1])
    u, values, vt = np.linalg.svd(z1.T @ z2, full_matrices=False)
    order, shuffled = np.argsort(groups, kind="stable"), np.argsort(groups + rng.random(len(groups)))
    edge = np.linalg.norm(z1[order].T @ z2[shuffled], ord=2)
    kept = values > edge if values[0] > edge else np.ones(len(values), dtype=bool)
    weights = values[kept] / max(float(np.linalg.norm(values[kept])), np.finfo(np.float64).tiny)
    return (left.matrix @ u[:, kept], right.matrix @ vt[kept].T), weights


def held_out_ceiling(
    x1: NDArray[np.float64],
    x2: NDArray[np.float64],
    *,
    n_folds: int,
    regularisation: Shrinkage,
    groups: NDArray[np.int64] | None = None,
    curve: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> tuple[float, tuple[float, float]]:
    """Estimate from below the ceiling of the population, with directions fitted on other folds.

    Take directions a_k, b_k with weights w_k from whatever training samples. With the population's K and
    M = sum_k w_k S11^1/2 a_k b_k' S22^1/2, the inner product of both is c = sum_k w_k cov(a_k'x1, b_k'x2), so by Cauchy
    and Schwarz c^2 / |M|^2 is at most |K|^2, the ceiling, with equality where M is proportional to K. |M|^2 is the sum
    over k, l of w_k w_l cov(a_k'x1, a_l'x1) cov(b_k'x2, b_l'x2). Both are averaged over the held-out folds, and the
    quotient takes the sign of c. No whitening is fitted on held-out samples, so no d1 d2 / n enters; what remains of
    sampling noise is that of the single number c, about 1 / n.

    Two that look simpler are no bounds: fitted times held-out correlations grow with an overfit whitening, and the sum
    of squared held-out correlations counts a direction twice where two fitted ones overlap.

    Parameters
    ----------
    x1, x2
        Embeddings (sample, feature).
    n_folds
        Number of folds, at most the number of groups.
    regularisation
        Of the whitening in training; it decides how good the directions are, not whether the bound holds.
    groups
        Codes (sample,) from 0 of two or more groups: folds are made of whole groups, and covariances are taken within
        groups.
    curve
        Rows along a curve: folds are stretches of it. Ignored with groups.
    seed
        Of the folds, and of the re-pairing of training samples whose largest singular value a direction has to exceed
        to be kept (all are kept where none does).

    Returns
    -------
    The signed estimate, and its 95 % interval given the directions: Student over groups, stretches or samples, widened
    by sqrt 2 so that it holds its level where nothing is shared; it is too wide where much is.

    Raises
    ------
    InputError
        An embedding is constant in a training fold.
    """
    rng = np.random.default_rng(seed)
    n = len(x1)
    fold, unit = _split(n, n_folds, groups, curve, seed)
    centre = fold if groups is None else groups
    first, second = centred_within(x1, centre), centred_within(x2, centre)
    exchangeable = np.zeros(n, dtype=np.int64) if groups is None else groups
    products, squares = np.empty(n), np.empty(n)
    for number in range(fold.max() + 1):
        test = fold == number
        (a, b), weights = _fitted((first[~test], second[~test]), exchangeable[~test], regularisation, rng)
        p, q = first[test] @ a, second[test] @ b
        products[test] = (p * q) @ weights
        # The part of each sample in |M|^2 through the covariance of either side: |M|^2 twice on average.
        g1, g2, p, q = p.T @ p / len(p), q.T @ q / len(q), p * weights, q * weights
        squares[test] = ((p @ g2) * p + (q @ g1) * q).sum(axis=1)
    inner, norm = products.mean(), squares.mean() / 2
    if norm <= 0:
        return 0.0, (0.0, 0.0)
    root_ceiling = inner / np.sqrt(norm)
    influence = (products - inner) / np.sqrt(norm) - inner * (squares - 2 * norm) / (2 * norm**1.5)
    by_unit = np.bincount(unit, weights=influence)
    n_units = len(by_unit)
    error = np.sqrt((by_unit**2).sum() * n_units / (n_units - 1)) / n
    # Where nothing is shared, what one fold says of another enters twice, once with each as training.
    reach = float(np.sqrt(2) * t.ppf(0.975, n_units - 1)) * error
    most = float(min(x1.shape[1], x2.shape[1]))
    value, low, high = (
        float(np.clip(s * abs(s), -most, most)) for s in (root_ceiling, root_ceiling - reach, root_ceiling + reach)
    )
    return value, (low, high)
