"""The clustering estimator of Liang et al. (2023), "CVX", as a comparison."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.cluster import KMeans

from beyond_alignment.information.discrete import information
from beyond_alignment.information.field_estimate import Informations, estimate, leading_components
from beyond_alignment.information.pairwise import pairwise_information
from beyond_alignment.information.pid import PIDEstimate
from beyond_alignment.information.samples import check_samples
from beyond_alignment.information.union import union_information
from beyond_alignment.resampling import bootstrap_weights, default_units

REPLICATE_TOLERANCE = 1e-4
"""Bits; far below the spread of any replicate."""


def cvx_pid(
    x1: ArrayLike,
    x2: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    blocks: ArrayLike | None = None,
    seed: int = 0,
    n_bootstrap: int = 200,
    level: float = 0.95,
    n_clusters: int = 20,
    n_components: int = 10,
) -> PIDEstimate:
    """Estimate the decomposition as that of the counts of clusters.

    Each source is standardised, brought to its leading components and cut into clusters by k-means; the decomposition
    is the exact one (Bertschinger et al. 2014) of the table of counts. As published, everything is fitted on all
    samples and nothing is corrected: counts of n samples in k1 * k2 cells exaggerate the joint information, and with it
    the synergy, by about (k1 * k2 - 1) * (classes - 1) / (2 n ln 2) bits; what does not vary with the clusters is lost.
    The publication reports natural units where this reports bits, and no intervals. Those given here take off the
    exaggeration only where the pairs of clusters hold ten samples or more.

    Parameters
    ----------
    x1, x2
        Sources (sample, feature).
    y
        Classes (sample,), or what `check_samples` makes into classes.
    groups
        Group of each sample (sample,), the unit of the bootstrap where there are at least ten.
    blocks
        Block of each sample (sample,), the unit of the bootstrap where given.
    seed
        Of components, clusters and the bootstrap.
    n_bootstrap
        Replicates, with the clusters held fixed.
    level
        Coverage of the intervals.
    n_clusters
        Clusters of each source; fewer where it has fewer distinct points. Published: 20 to 30.
    n_components
        Leading components kept of each source. Published: 5 to 10.

    Returns
    -------
    The estimate; `pid.gap` is certified for the table of counts.

    Raises
    ------
    InputError
        As `check_samples`.

    Notes
    -----
    Source: Liang et al., NeurIPS 2023; written anew.
    """
    samples = check_samples(x1, x2, y, groups, blocks=blocks, n_folds=2, seed=seed)
    units = default_units(samples.groups, samples.blocks, samples.n)
    first, second = (_clusters(x, n_components, n_clusters, seed) for x in (samples.x1, samples.x2))
    shape = (int(first.max()) + 1, int(second.max()) + 1, len(samples.classes))
    cell = np.ravel_multi_index((first, second, samples.codes), shape)
    weights = bootstrap_weights(units, n_bootstrap=n_bootstrap, seed=seed)
    counts = np.stack([np.bincount(cell, weight, np.prod(shape)) for weight in [np.ones(samples.n), *weights]])
    found = _informations((counts / counts.sum(axis=1, keepdims=True)).reshape(-1, *shape))
    per_cell = samples.n / (shape[0] * shape[1])
    few = f"There are {per_cell:.1f} samples for each pair of clusters: the synergy is exaggerated."
    return estimate(found, samples, units, method="cvx", level=level, warnings=(few,) if per_cell < 50 else ())


def _clusters(x: ArrayLike, n_components: int, n_clusters: int, seed: int) -> NDArray[np.intp]:
    """Cluster of each sample, numbered without gaps."""
    points = leading_components(x, n_components, seed=seed)
    kinds, kind = np.unique(points.round(6), axis=0, return_inverse=True)
    if len(kinds) <= n_clusters:
        return kind.reshape(-1)
    found = KMeans(n_clusters, n_init=5, random_state=seed).fit_predict(points)
    return np.unique(found, return_inverse=True)[1]


def _informations(tables: NDArray[np.float64]) -> Informations:
    """Informations of tables (1 + replicate, first cluster, second cluster, class), in bits."""
    first, second = tables.sum(axis=2), tables.sum(axis=1)
    union = union_information(first[:1], second[:1])
    pairwise = pairwise_information(tables[:1])
    unions = union_information(first[1:], second[1:], tolerance=REPLICATE_TOLERANCE)
    pairwises = pairwise_information(tables[1:], tolerance=REPLICATE_TOLERANCE)
    both = information(tables.reshape(len(tables), -1, tables.shape[3]))
    return Informations(
        information(first),
        information(second),
        both,
        np.concatenate([union.value, unions.value]),
        both - np.concatenate([pairwise.value, pairwises.value]),
        float(union.gap[0]),
    )
