"""Clusters of tile embeddings: whether they hold together in space, and how finely they tell genes apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scanpy as sc
import torch
from anndata import AnnData
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.cluster_measures import coherence, variance_between
from beyond_alignment.tokens.folds import TileFold
from beyond_alignment.tokens.tiles import Tiles

N_COMPONENTS, N_CLUSTERS, N_NEIGHBOURS = 10, 6, 10
_TRIES = 25


@dataclass(frozen=True)
class TileClusters:
    """Clusters of the tiles of one field.

    Attributes
    ----------
    labels
        Cluster of a tile (tile,).
    coherence
        From :func:`~beyond_alignment.tokens.cluster_measures.coherence`.
    molecular
        From :func:`~beyond_alignment.tokens.cluster_measures.variance_between`.
    """

    labels: NDArray[np.int64]
    coherence: float
    molecular: float


def cluster_tiles(
    embedding: NDArray[np.floating],
    centre_um: NDArray[np.floating],
    targets: NDArray[np.floating],
    *,
    tile_um: float,
    n_clusters: int = N_CLUSTERS,
    seed: int = 0,
) -> TileClusters:
    """Cluster tiles by Leiden (Traag et al. 2019) on principal components, as many for every embedding.

    The resolution is moved until there are as many clusters as asked for, or as near as it comes.

    Parameters
    ----------
    embedding
        (tile, feature).
    centre_um
        (tile, axis), microns.
    targets
        log1p counts (tile, gene).
    tile_um
        Width of a tile, microns.
    n_clusters
        Equal numbers make embeddings comparable.
    seed
        Of PCA and Leiden.

    Raises
    ------
    InputError
        If there are too few tiles or features for the components, a value is not finite, or no two tiles adjoin.
    """
    least = min(len(embedding) - 1, embedding.shape[1])
    if least < N_COMPONENTS or len(embedding) <= N_NEIGHBOURS:
        shape = f"{len(embedding)} tiles with {embedding.shape[1]} features"
        raise InputError(f"{shape} have no {N_COMPONENTS} components: ask for at most {least}, or give more tiles.")
    if not (np.isfinite(embedding).all() and np.isfinite(targets).all()):
        raise InputError("An embedding or a count is not finite: leave those tiles out.")
    components = PCA(N_COMPONENTS, random_state=seed).fit_transform(StandardScaler().fit_transform(embedding))
    graph = AnnData(components.astype(np.float32))
    threads = torch.get_num_threads()
    sc.pp.neighbors(graph, n_neighbors=N_NEIGHBOURS, use_rep="X", random_state=seed)
    torch.set_num_threads(threads)  # numba, when it starts, sets those of all that share its OpenMP
    labels = _leiden(graph, n_clusters, seed)
    return TileClusters(
        labels=labels,
        coherence=coherence(labels, centre_um, tile_um=tile_um),
        molecular=variance_between(labels, targets),
    )


def compare_clusters(
    tiles: Tiles,
    embeddings: Mapping[str, Sequence[NDArray[np.floating]]],
    folds: Sequence[TileFold],
    *,
    seed: int = 0,
) -> pd.DataFrame:
    """Cluster the held-out tiles of each field by the embedding of each arm, which never saw them.

    Parameters
    ----------
    tiles
        The data set.
    embeddings
        Of a ``Comparison``: arm -> (test tile, feature) of each fold.
    folds
        As they were run.
    seed
        As in :func:`cluster_tiles`.

    Returns
    -------
    pandas.DataFrame
        A row an arm, fold and field: arm, fold, group, n_tiles, n_clusters, coherence, molecular.

    Raises
    ------
    InputError
        As :func:`cluster_tiles`.
    """
    rows = []
    for arm, parts in embeddings.items():
        for fold, embedding in zip(folds, parts, strict=True):
            fields = tiles.group[fold.test]
            for group in np.unique(fields):
                mine, chosen = fields == group, fold.test[fields == group]
                there = {"centre_um": tiles.centre_um[chosen], "targets": tiles.targets[chosen]}
                found = cluster_tiles(embedding[mine], **there, tile_um=tiles.tile_um, seed=seed)
                sizes = {"n_tiles": len(chosen), "n_clusters": len(np.unique(found.labels))}
                measured = {"coherence": found.coherence, "molecular": found.molecular}
                rows.append({"arm": arm, "fold": fold.name, "group": str(group), **sizes, **measured})
    return pd.DataFrame(rows)


def _leiden(graph: AnnData, n_clusters: int, seed: int) -> NDArray[np.int64]:
    """Return clusters of a graph of neighbours (tile,), as near to a number of them as bisection comes."""
    low, high = np.log(0.02), np.log(20.0)
    best: NDArray[np.int64] | None = None
    for _ in range(_TRIES):
        middle = (low + high) / 2
        sc.tl.leiden(graph, resolution=float(np.exp(middle)), flavor="igraph", n_iterations=-1, random_state=seed)
        labels = graph.obs["leiden"].astype(int).to_numpy()
        found = len(np.unique(labels))
        if best is None or abs(found - n_clusters) < abs(len(np.unique(best)) - n_clusters):
            best = labels
        if found == n_clusters:
            break
        low, high = (middle, high) if found < n_clusters else (low, middle)
    return np.asarray(best)
