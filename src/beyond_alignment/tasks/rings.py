"""Composition of rings of growing distance around a spot: from local to long-range."""

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from beyond_alignment import keys
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.labels import set_targets
from beyond_alignment.tasks.registry import RING_EDGES_UM, ring_name
from beyond_alignment.tasks.splits import microns

MIN_NEIGHBOURS = 3


def distances_within(adata: AnnData, radius_um: float) -> sparse.csr_matrix:
    """Return the distances in microns between spots of one section that are at most a radius apart (spot, spot).

    Reads coordinates, their scale and sections. No spot is its own neighbour.

    Raises
    ------
    InputError
        If two spots of a section lie at the same place.
    """
    places, sections = microns(adata), adata.obs[keys.SECTION].astype(str).to_numpy()
    rows, columns, values = [], [], []
    for section in np.unique(sections):
        inside = np.flatnonzero(sections == section)
        pairs = cKDTree(places[inside]).query_pairs(radius_um, output_type="ndarray")
        apart = np.linalg.norm(places[inside[pairs[:, 0]]] - places[inside[pairs[:, 1]]], axis=1)
        if (apart == 0).any():
            msg = f"Two spots of section {section} lie at the same place: remove one."
            raise InputError(msg)
        rows += [inside[pairs[:, 0]], inside[pairs[:, 1]]]
        columns += [inside[pairs[:, 1]], inside[pairs[:, 0]]]
        values += [apart, apart]
    where = (np.concatenate(rows), np.concatenate(columns))
    return sparse.csr_matrix((np.concatenate(values), where), shape=(adata.n_obs, adata.n_obs))


def ring_mean(
    distances: sparse.csr_matrix, values: NDArray[np.floating], *, inner_um: float, outer_um: float
) -> NDArray[np.float64]:
    """Average a quantity over the spots of a ring.

    Parameters
    ----------
    distances
        From :func:`distances_within`, with a radius of at least the outer edge.
    values
        (spot, quantity).
    inner_um, outer_um
        Edges in microns; a spot on the inner edge belongs to the next ring inwards.

    Returns
    -------
    NDArray[np.float64]
        (spot, quantity); NaN where fewer than three spots lie in the ring.
    """
    inside = (distances.data > inner_um) & (distances.data <= outer_um)
    shape = (inside.astype(np.float64), distances.indices, distances.indptr)
    ring = sparse.csr_matrix(shape, shape=distances.shape)
    count = np.asarray(ring.sum(axis=1)).ravel()
    means = (ring @ values) / np.maximum(count, 1)[:, None]
    means[count < MIN_NEIGHBOURS] = np.nan
    return means


def label_rings(adata: AnnData, data_set: str, composition: pd.DataFrame) -> None:
    """Take the mean composition of each ring around a spot as regression targets, one task a ring.

    Parameters
    ----------
    adata
        Reads coordinates, their scale and sections; writes the tasks ``[<data set>_]ring_<outer edge>um``.
    data_set
        A key of :data:`RING_EDGES_UM`.
    composition
        What each spot is made of (spot, kind), rows summing to 1.
    """
    edges = RING_EDGES_UM[data_set]
    distances = distances_within(adata, max(edges))
    own = composition.loc[adata.obs_names].to_numpy(dtype=np.float64)
    for inner, outer in zip((0, *edges), edges, strict=False):
        means = ring_mean(distances, own, inner_um=inner, outer_um=outer)
        table = pd.DataFrame(means, index=adata.obs_names, columns=composition.columns)
        set_targets(adata, ring_name(data_set, outer), table, inner_um=inner, outer_um=outer)


def expression_clusters(
    normalised: AnnData, *, n_clusters: int = 6, n_components: int = 20, seed: int = 0
) -> pd.DataFrame:
    """Return which expression cluster each spot belongs to (spot, cluster), 0 or 1, for tissue without cell types.

    The clusters are defined on all spots at once, as drawn regions would be; no model that is scored sees the fit.

    Parameters
    ----------
    normalised
        Log-normalised counts in ``X``; reads ``obs["section"]``, whose means are taken off.
    n_clusters
        Number of clusters, the largest one first.
    n_components
        Principal components that are clustered, at most.
    seed
        Of PCA and k-means.
    """
    values = pd.DataFrame(normalised.X.toarray() if sparse.issparse(normalised.X) else np.asarray(normalised.X))
    values -= values.groupby(normalised.obs[keys.SECTION].astype(str).to_numpy()).transform("mean")
    kept = min(n_components, *values.shape)
    components = PCA(n_components=kept, random_state=seed).fit_transform(values.to_numpy())
    found = KMeans(n_clusters=n_clusters, n_init=10, random_state=seed).fit_predict(components)
    order = np.argsort(-np.bincount(found, minlength=n_clusters), kind="stable")
    names = [f"cluster {number}" for number in range(1, n_clusters + 1)]
    return pd.DataFrame(np.eye(n_clusters)[found][:, order], index=normalised.obs_names, columns=names)
