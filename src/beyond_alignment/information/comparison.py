"""Estimators of the field, as comparisons: clusters and counts (Liang et al. 2023), and jointly Gaussian variables."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from beyond_alignment.information.exact import class_entropy, information, pairwise_information, union_information
from beyond_alignment.information.informations import Informations
from beyond_alignment.information.samples import Centred, Samples
from beyond_alignment.resampling import Units

REPLICATE_TOLERANCE = 1e-4
"""Bits; far below the spread of any replicate."""
SPARSE_TABLE = "samples for each pair of clusters: the synergy is exaggerated"
RIDGE = 1e-6
LARGEST_STEP, N_STEPS = 50.0, 200
Floats = NDArray[np.float64]


def leading_components(x: Centred, n_components: int, *, whiten: bool = False, seed: int = 0) -> Floats:
    """Return the leading principal components (sample, component) of standardised features, fitted on all samples."""
    scaled = StandardScaler().fit_transform(x[np.arange(len(x.x))].astype(np.float64))
    found = PCA(min(n_components, *scaled.shape), random_state=seed).fit(scaled)
    varies = found.explained_variance_ > 1e-9 * found.explained_variance_[0]
    values = found.transform(scaled)[:, varies]
    return values / np.sqrt(found.explained_variance_[varies]) if whiten else values


def kmeans(
    samples: Samples,
    *,
    units: Units,
    weights: NDArray[np.integer],
    seed: int,
    n_clusters: int = 20,
    n_components: int = 10,
) -> Informations:
    """Estimate informations as those of the counts of clusters, in each group.

    Each source is standardised, brought to its leading components and cut into clusters by k-means; the union
    information is the exact one of the table of counts. As published, everything is fitted on all samples and nothing
    is corrected: counts of n samples in k1 * k2 cells exaggerate the joint information, and with it the synergy, by
    about (k1 * k2 - 1) * (classes - 1) / (2 n ln 2) bits; what does not vary with the clusters is lost. Given groups,
    which the publication does not know, sources are centred within them and every group has a table of its own, so
    that n is that of a group. Published: 20 to 30 clusters, 5 to 10 components, natural units, no intervals.
    """
    first, second = (
        _clusters(leading_components(Centred(x, samples.groups), n_components, seed=seed), n_clusters, seed)
        for x in (samples.x1, samples.x2)
    )
    shape = (int(first.max()) + 1, int(second.max()) + 1, len(samples.classes))
    cell, n_cells = np.ravel_multi_index((first, second, samples.codes), shape), int(np.prod(shape))
    every = np.vstack([np.ones(samples.n), weights[:, units.codes]])
    total = np.zeros((len(every), 5))
    gap = 0.0
    for group in np.unique(samples.group_codes):
        inside = samples.group_codes == group
        counts = np.stack([np.bincount(cell[inside], w, n_cells) for w in every[:, inside]])
        mass = counts.sum(axis=1)
        some = mass > 0
        tables = (counts[some] / mass[some, None]).reshape(-1, *shape)
        of_class = tables[0].sum(axis=(0, 1)) > 0
        tables = tables[:, tables[0].sum(axis=(1, 2)) > 0][:, :, tables[0].sum(axis=(0, 2)) > 0][..., of_class]
        values, own_gap = _of_tables(tables)
        share = mass[some] / every[some].sum(axis=1)
        total[some] += share[:, None] * values
        gap += share[0] * own_gap
    per_cell = samples.n / (shape[0] * shape[1] * max(samples.n_groups, 1))
    few = f"There are {per_cell:.1f} {SPARSE_TABLE}."
    return Informations(total, None, gap, True, (few,) if per_cell < 50 else ())


def _clusters(points: Floats, n_clusters: int, seed: int) -> NDArray[np.intp]:
    """Cluster of each sample, numbered without gaps."""
    kinds, kind = np.unique(points.round(6), axis=0, return_inverse=True)
    if len(kinds) <= n_clusters:
        return kind.reshape(-1)
    found = KMeans(n_clusters, n_init=5, random_state=seed).fit_predict(points)
    return np.unique(found, return_inverse=True)[1]


def _of_tables(tables: Floats) -> tuple[Floats, float]:
    """Informations of tables (1 + replicate, first cluster, second, class), and the gap of the first, in bits."""
    first, second = tables.sum(axis=2), tables.sum(axis=1)
    both = information(tables.reshape(len(tables), -1, tables.shape[3]))
    union, pairs = union_information(first[:1], second[:1]), pairwise_information(tables[:1])
    unions, pairwise = union.value, pairs.value
    if len(tables) > 1:
        more = union_information(first[1:], second[1:], tolerance=REPLICATE_TOLERANCE)
        unions = np.concatenate([unions, more.value])
        pairwise = np.concatenate([pairwise, pairwise_information(tables[1:], tolerance=REPLICATE_TOLERANCE).value])
    values = np.stack([information(first), information(second), unions, both, both - pairwise], axis=1)
    return values, float(union.gap[0])


def gaussian(
    samples: Samples, *, units: Units, weights: NDArray[np.integer], seed: int, n_components: int = 50
) -> Informations:
    """Estimate informations as if both sources and the target were jointly Gaussian, of one covariance in all groups.

    The informations are the closed forms of the sample's covariances within groups; so is the union information for two
    classes or a single number as target, where it is the larger of both (Barrett 2015). For more it is solved for
    (Venkatesh et al. 2023). Classes enter as one-hot columns treated as Gaussian: only what means can tell is seen (XOR
    has none), and the informations may exceed the entropy of the classes. The model log p(y | x1, x2) of Gaussian
    variables is additive, so the whole synergy is additive and its interaction part 0 by assumption. Nothing is
    cross-fitted or corrected: the bias of I(X; Y) is about features times targets / (2 n ln 2) bits.
    """
    target = np.eye(len(samples.classes))[samples.codes, 1:] if samples.numbers is None else samples.numbers
    parts = [
        leading_components(Centred(x, samples.groups), k, whiten=True, seed=seed)
        for x, k in ((samples.x1, n_components), (samples.x2, n_components))
    ] + [leading_components(Centred(target, None), target.shape[1], whiten=True, seed=seed)]
    every = np.vstack([np.ones(samples.n), weights[:, units.codes]])
    covariances = _covariances(np.concatenate(parts, axis=1), every, samples.group_codes)
    values, gap = _gaussian_informations(covariances, *(part.shape[1] for part in parts))
    entropy = class_entropy(samples.codes)
    off = samples.numbers is None and values[0, 3] > entropy
    told = f"I(X1, X2; Y) is {values[0, 3]:.2f} bits, above the entropy {entropy:.2f} of the classes: not Gaussian."
    return Informations(values, None, gap, True, (told,) if off else ())


def _covariances(values: Floats, weights: Floats, groups: NDArray[np.int64]) -> Floats:
    """Covariances within groups of the sample itself and of each replicate: (1 + replicate, variable, variable)."""
    n_variables = values.shape[1]
    found = np.empty((len(weights), n_variables, n_variables))
    member = csr_matrix((np.ones(len(groups)), (groups, np.arange(len(groups)))))  # (group, sample)
    for place, weight in enumerate(weights):
        share = weight / weight.sum()
        mass = member @ share
        means = member @ (values * share[:, None]) / np.where(mass > 0, mass, 1.0)[:, None]
        centred = values - means[groups]
        found[place] = centred.T @ (centred * share[:, None])
    # Keeps the information of a target that a source determines finite.
    return found + RIDGE * np.eye(n_variables)


def _gaussian_informations(covariances: Floats, d1: int, d2: int, n_targets: int) -> tuple[Floats, float]:
    """Compute the closed forms and the solved union information, in bits."""
    sources = [np.arange(d1), np.arange(d1, d1 + d2), np.arange(d1 + d2)]
    target = np.arange(d1 + d2, d1 + d2 + n_targets)
    ratios = [_signal_to_noise(covariances, source, target) for source in sources]
    first, second, both = (np.linalg.slogdet(np.eye(n_targets) + ratio)[1] / np.log(4) for ratio in ratios)
    union, gap = np.maximum(first, second), 0.0
    if n_targets > 1:
        union, gaps = gaussian_union(ratios[0], ratios[1])
        gap = max(float(gaps[0]), 0.0)
    return np.stack([first, second, union, both, np.zeros_like(both)], axis=1), gap


def _signal_to_noise(covariances: Floats, source: NDArray[np.intp], target: NDArray[np.intp]) -> Floats:
    """Signal-to-noise matrices (problem, target, target) of a source about the target scaled to covariance 1."""
    within = covariances[:, source[:, None], source]
    across = covariances[:, source[:, None], target]
    root = np.linalg.cholesky(covariances[:, target[:, None], target])
    # Explained share of the target, whose root makes it the identity; what is not explained is 1 less that.
    scaled = np.linalg.solve(root, across.swapaxes(-1, -2))
    explained = scaled @ np.linalg.solve(within, scaled.swapaxes(-1, -2))
    unexplained = np.eye(len(target)) - explained
    ratio = np.linalg.inv(unexplained) - np.eye(len(target))
    return np.asarray((ratio + ratio.swapaxes(-1, -2)) / 2)


def gaussian_union(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Least information that two Gaussian sources can have together, and its certified gap (problem,), in bits.

    Of signal-to-noise matrices (problem, target, target): the transposed signal times the signal, in units of the
    source's noise given Y, so that I = logdet(1 + first) / 2. Given Y of covariance 1, each source is a signal in white
    noise, and as many of its dimensions as Y has are enough. What is left free is the correlation S of the two noises,
    of spectral norm at most 1; the information is convex in S. It is minimised by sign-based gradient steps in
    coordinates that reach every S of norm below 1; the gap is that of Frank and Wolfe on the whole ball. With a single
    target this gives the larger of both informations (Barrett 2015). The measure is that of Venkatesh et al. (2023),
    the solver the project's own.
    """
    signal = torch.from_numpy(np.concatenate([_root(first), _root(second)], axis=-2))
    power = signal @ signal.mT
    free = torch.zeros(first.shape, dtype=torch.float64, requires_grad=True)
    # Sign-based steps are element by element, so the problems of a batch do not disturb each other.
    descent = torch.optim.Rprop([free], lr=0.1, step_sizes=(1e-9, LARGEST_STEP))
    best, correlation = torch.full(first.shape[:-2], torch.inf, dtype=torch.float64), torch.zeros_like(free)
    for _ in range(N_STEPS):
        descent.zero_grad()
        now, value = _coupled(free, power)
        value.sum().backward()
        better = value.detach() < best
        best = torch.where(better, value.detach(), best)
        correlation = torch.where(better[..., None, None], now.detach(), correlation)
        descent.step()
    return best.numpy() / np.log(2), _gap(correlation, power).numpy() / np.log(2)


def _root(matrix: Floats) -> Floats:
    """Symmetric square root of positive semidefinite matrices (..., target, target)."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))[..., None, :]) @ vectors.swapaxes(-1, -2))


def _noise(correlation: torch.Tensor) -> torch.Tensor:
    """Covariance of both noises."""
    one = torch.eye(correlation.shape[-1], dtype=correlation.dtype).expand_as(correlation)
    return torch.cat([torch.cat([one, correlation], -1), torch.cat([correlation.mT, one], -1)], -2)


def _coupled(free: torch.Tensor, power: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Correlation T (1 + T'T)^(-1/2) of free coordinates T, with a triangular root, and the information in nats."""
    one = torch.eye(free.shape[-1], dtype=free.dtype)
    root = torch.linalg.cholesky(one + free.mT @ free)
    correlation = torch.linalg.solve_triangular(root, free.mT, upper=False).mT
    # log det of the noise is -2 log det of the root.
    log_root = torch.log(torch.diagonal(root, dim1=-2, dim2=-1)).sum(-1)
    return correlation, torch.logdet(_noise(correlation) + power) / 2 + log_root


def _gap(correlation: torch.Tensor, power: torch.Tensor) -> torch.Tensor:
    """Largest decrease that the tangent allows on the ball of spectral norm 1, in nats."""
    n_targets = correlation.shape[-1]
    noise = _noise(correlation)
    slope = (torch.linalg.inv(noise + power) - torch.linalg.inv(noise))[..., :n_targets, n_targets:]
    return (slope * correlation).sum((-1, -2)) + torch.linalg.svdvals(slope).sum(-1)
