"""Niche labels: what surrounds a spot, the spot itself left out."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import entropy
from sklearn.cluster import KMeans

from beyond_alignment import keys
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.labels import set_labels

EPITHELIAL = ("Epithelial",)
IMMUNE = ("B-cells", "T-cells", "Myeloid", "Plasma Cells")
TERTILES = ("low", "middle", "high")


def neighbour_mean(adata: AnnData, values: NDArray[np.floating], *, min_neighbours: int = 3) -> NDArray[np.float64]:
    """Average a quantity over the neighbours of each spot, without the spot.

    Parameters
    ----------
    adata
        Reads ``obsp["spatial_connectivities"]`` (no self edges).
    values
        (spot, quantity).
    min_neighbours
        A spot with fewer gets NaN.

    Returns
    -------
    NDArray[np.float64]
        (spot, quantity).

    Raises
    ------
    InputError
        If the graph is missing or has self edges.
    """
    if keys.CONNECTIVITIES not in adata.obsp:
        msg = f"obsp[{keys.CONNECTIVITIES!r}] is missing: call spatial_graph first."
        raise InputError(msg)
    graph = sparse.csr_matrix(adata.obsp[keys.CONNECTIVITIES] > 0, dtype=np.float64)
    if graph.diagonal().any():
        msg = "The spatial graph has self edges: a niche leaves the spot itself out; build it without them."
        raise InputError(msg)
    degree = np.asarray(graph.sum(axis=1)).ravel()
    means = np.full(values.shape, np.nan)
    enough = degree >= min_neighbours
    means[enough] = (graph[enough] @ values) / degree[enough, None]
    return means


def neighbour_composition(adata: AnnData) -> pd.DataFrame:
    """Return the mean cell-type composition of the neighbours (spot, cell type); NaN where there are too few.

    Reads ``obsm["composition"]`` and the spatial graph; writes ``obsm["neighbour_composition"]``.
    """
    own = adata.obsm[keys.COMPOSITION]
    around = pd.DataFrame(neighbour_mean(adata, own.to_numpy()), index=own.index, columns=own.columns)
    adata.obsm[keys.NEIGHBOUR_COMPOSITION] = around
    return around


def shares(around: pd.DataFrame) -> pd.DataFrame:
    """Return epithelial share, immune share and mixing (entropy, bits) of the neighbourhoods: (spot, 3)."""
    return pd.DataFrame(
        {
            "niche_epithelial": around[list(EPITHELIAL)].sum(axis=1, skipna=False),
            "niche_immune": around[list(IMMUNE)].sum(axis=1, skipna=False),
            "niche_mixing": entropy(around.to_numpy().T, base=2),
        },
        index=around.index,
    )


@dataclass(frozen=True)
class NicheDefinition:
    """What counts as which niche, fixed on donors that are scored nowhere.

    Attributes
    ----------
    cell_types
        Columns of a composition, in order.
    centres
        Cluster centres of the neighbours' composition (cluster, cell type), the most epithelial first.
    """

    cell_types: tuple[str, ...]
    centres: NDArray[np.float64]


def fit_niches(around: pd.DataFrame, *, n_niches: int = 4, seed: int = 0) -> NicheDefinition:
    """Define niches by k-means on neighbours' compositions.

    Parameters
    ----------
    around
        (spot, cell type) of reference donors.
    n_niches
        Number of clusters.
    seed
        Of k-means.
    """
    known = around.dropna()
    model = KMeans(n_clusters=n_niches, n_init=20, random_state=seed).fit(known.to_numpy())
    order = np.argsort(-model.cluster_centers_[:, list(known.columns).index(EPITHELIAL[0])])
    return NicheDefinition(tuple(known.columns), model.cluster_centers_[order])


def label_niches(adata: AnnData, definition: NicheDefinition) -> None:
    """Label each spot with its niche and with the tertile of each share of its niche.

    The niche is the nearest centre of the definition. A tertile is low, middle or high among the spots of the same
    donor: with cuts common to all, two of the three donors would fall almost whole into one class, and to know the
    donor would be to know the label.

    Writes the tasks ``niche``, ``niche_epithelial``, ``niche_immune`` and ``niche_mixing``; spots with too few
    neighbours carry no label.
    """
    around = neighbour_composition(adata)[list(definition.cell_types)]
    known = around.notna().all(axis=1)
    distance = ((around.to_numpy()[:, None, :] - definition.centres) ** 2).sum(axis=2)  # (spot, niche)
    names = niche_names(definition)
    nearest = np.array(names, dtype=object)[np.argmin(np.nan_to_num(distance), axis=1)]
    set_labels(adata, "niche", np.where(known, nearest, None), names=list(names))
    for name, column in shares(around).items():
        set_labels(adata, str(name), within_donor_tertiles(adata, column), tertile_within="donor")


def within_donor_tertiles(adata: AnnData, values: pd.Series) -> pd.Series:
    """Return low, middle or high among the spots of the same donor (spot,); None where the value is missing.

    Parameters
    ----------
    adata
        Reads ``obs["donor"]``.
    values
        One number a spot; ties are broken by the order of the spots.
    """
    known = values.dropna()
    donors = adata.obs[keys.DONOR].astype(str)[known.index]
    rank = known.groupby(donors).rank(method="first", pct=True)
    return pd.cut(rank, [0, 1 / 3, 2 / 3, 1], labels=list(TERTILES)).astype(object).reindex(adata.obs_names)


def niche_names(definition: NicheDefinition) -> tuple[str, ...]:
    """Name each niche after the two cell types that its centre holds most of, numbered from the most epithelial."""
    names = []
    for number, centre in enumerate(definition.centres, start=1):
        first, second = (definition.cell_types[i] for i in np.argsort(-centre)[:2])
        names.append(f"{number} {first}, {second}")
    return tuple(names)
