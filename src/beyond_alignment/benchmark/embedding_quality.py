"""What an embedding is like apart from any task: how many directions it uses, and whom it calls neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.spatial import cKDTree
from sklearn.metrics import pairwise_distances

from beyond_alignment import keys
from beyond_alignment.benchmark.embeddings import embedding
from beyond_alignment.benchmark.expert_probes import experts_of, modality_read
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.splits import microns

CHUNK = 1024


def _checked(values: ArrayLike) -> NDArray[np.float64]:
    """Return (spot, feature), or refuse what is not finite or has no spots."""
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 2 or len(x) < 2 or not np.isfinite(x).all():
        msg = f"An embedding of shape {x.shape} must be (spot, feature), two spots or more, all values finite."
        raise InputError(msg)
    return x


def effective_rank(values: ArrayLike) -> float:
    """Return how many directions an embedding uses: exp(H(p)), p the singular values over their sum.

    Between 1 (one direction) and the smaller of spots and features (all alike). The mean is taken away first: what all
    spots share says nothing about any. It rises with the number of spots, so compare embeddings of the same ones.

    Parameters
    ----------
    values
        (spot, feature).

    Raises
    ------
    InputError
        If a value is not finite or all spots are the same.

    References
    ----------
    Roy & Vetterli (2007), The effective rank: a measure of effective dimensionality.
    """
    x = _checked(values)
    singular = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    singular = singular[singular > singular[0] * max(x.shape) * np.finfo(float).eps]
    if singular.size == 0:
        msg = "All spots have the same embedding, so it has no rank: give one that varies."
        raise InputError(msg)
    p = singular / singular.sum()
    return float(np.exp(-(p * np.log(p)).sum()))


@dataclass(frozen=True)
class Agreement:
    """How far two embeddings name the same neighbours.

    Attributes
    ----------
    value
        Mean share of the k nearest neighbours of a spot that are the same in both, 0 to 1.
    chance
        The same for unrelated embeddings: k over the number of spots that could be chosen.
    overlap
        The share, spot by spot (spot,).
    """

    value: float
    chance: float
    overlap: NDArray[np.float64]


def near_pairs(coordinates: ArrayLike, sections: ArrayLike, *, within_um: float) -> sparse.csr_array:
    """Mark the pairs of spots of a section whose patches may share pixels.

    Parameters
    ----------
    coordinates
        (spot, 2), microns.
    sections
        (spot,).
    within_um
        Pairs up to this far apart in x and in y, the field of view for instance.

    Returns
    -------
    scipy.sparse.csr_array
        (spot, spot), True for a pair; the diagonal is left out.
    """
    points, names = np.asarray(coordinates, dtype=np.float64), np.asarray(sections).astype(str)
    parts = []
    for name in np.unique(names):
        members = np.flatnonzero(names == name)
        pairs = cKDTree(points[members]).query_pairs(within_um, p=np.inf, output_type="ndarray")
        parts.append(members[pairs])
    first, second = np.concatenate(parts).T
    rows, columns = np.r_[first, second], np.r_[second, first]
    return sparse.csr_array((np.ones(len(rows), dtype=bool), (rows, columns)), shape=(len(names), len(names)))


def nearest(values: ArrayLike, *, k: int, near: sparse.csr_array | None = None) -> NDArray[np.intp]:
    """Return the k nearest neighbours (Euclidean) of each spot, itself left out: (spot, k), in no order.

    Parameters
    ----------
    values
        (spot, feature).
    k
        Neighbours a spot.
    near
        Pairs that may not be neighbours, from :func:`near_pairs`.

    Raises
    ------
    InputError
        If some spot has fewer than k others to choose from.
    """
    x = _checked(values)
    free = len(x) - 1 - (0 if near is None else int(near.sum(axis=1).max()))
    if not 1 <= k <= free:
        msg = f"k = {k} neighbours, but some spot has only {free} others to choose from: use a smaller k."
        raise InputError(msg)
    found = np.empty((len(x), k), dtype=np.intp)
    for start in range(0, len(x), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(x)))
        distance = pairwise_distances(x[rows], x)
        distance[np.arange(len(rows)), rows] = np.inf
        if near is not None:
            distance[near[rows].nonzero()] = np.inf
        found[rows] = np.argpartition(distance, k - 1, axis=1)[:, :k]
    return found


def neighbour_agreement(
    first: ArrayLike, second: ArrayLike, *, k: int = 10, near: sparse.csr_array | None = None
) -> Agreement:
    """Compare the neighbours that two embeddings of the same spots name.

    Patches that overlap look alike to any image expert: without ``near`` part of the agreement is the tissue's map.

    Parameters
    ----------
    first, second
        (spot, feature) each.
    k
        Neighbours a spot.
    near
        Pairs that may not be neighbours, from :func:`near_pairs`.

    Raises
    ------
    InputError
        If the numbers of spots differ or k does not fit.
    """
    return _agreement(nearest(first, k=k, near=near), nearest(second, k=k, near=near), near)


def _agreement(first: NDArray[np.intp], second: NDArray[np.intp], near: sparse.csr_array | None) -> Agreement:
    """Compare two tables of neighbours (spot, k)."""
    if first.shape != second.shape:
        msg = f"The embeddings have {len(first)} and {len(second)} spots: give two of the same spots."
        raise InputError(msg)
    n, k = first.shape
    overlap = (first[:, :, None] == second[:, None, :]).any(axis=2).mean(axis=1)
    taken = np.zeros(n) if near is None else near.sum(axis=1)
    return Agreement(float(overlap.mean()), float(np.mean(k / (n - 1 - taken))), overlap)


def agreement_matrix(
    tissue: AnnData,
    *,
    experts: Sequence[str] | None = None,
    k: int = 10,
    apart_um: float = 600.0,
    within: str | None = keys.SECTION,
) -> tuple[pd.DataFrame, float]:
    """Compare the neighbours of all pairs of experts, section by section, spots with overlapping patches left out.

    Two experts that both see the donor or the slide would agree through that alone, were neighbours sought in all
    sections.

    Parameters
    ----------
    tissue
        Reads ``obsm["X_<expert>"]``, sections and coordinates.
    experts
        Names; all that the tissue holds when None.
    k
        Neighbours a spot.
    apart_um
        Spots of a section up to this far apart, in x and y, are not neighbours; the widest field of view.
    within
        Column of ``obs`` whose groups neighbours are sought in; None for all spots.

    Returns
    -------
    tuple
        Agreement (expert, expert), the mean over spots, and chance.

    Raises
    ------
    InputError
        If some spot has fewer than k others to choose from.
    """
    names = tuple(experts or experts_of(tissue))
    near = near_pairs(microns(tissue), tissue.obs[keys.SECTION], within_um=apart_um)
    groups = np.zeros(tissue.n_obs) if within is None else tissue.obs[within].astype(str).to_numpy()
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    parts = [near[rows][:, rows] for rows in members]
    values = [embedding(tissue, name) for name in names]
    tables = [[nearest(x[rows], k=k, near=part) for rows, part in zip(members, parts, strict=True)] for x in values]
    size = np.array([len(rows) for rows in members])
    mean, chance = np.eye(len(names)), 0.0
    for i, j in combinations_with_replacement(range(len(names)), 2):
        found = [_agreement(*three) for three in zip(tables[i], tables[j], parts, strict=True)]
        mean[i, j] = mean[j, i] = np.average([part.value for part in found], weights=size)
        chance = float(np.average([part.chance for part in found], weights=size))
    return pd.DataFrame(mean, index=list(names), columns=list(names)), chance


def rank_table(tissue: AnnData, *, experts: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the effective rank of each expert: expert, reads, dimension, effective_rank, share, n.

    Parameters
    ----------
    tissue
        Reads ``obsm["X_<expert>"]``.
    experts
        Names; all that the tissue holds when None.
    """
    rows = []
    for name in tuple(experts or experts_of(tissue)):
        x = embedding(tissue, name)
        row = {"expert": name, "reads": modality_read(tissue, name), "dimension": x.shape[1]}
        rank = effective_rank(x)
        rows.append({**row, "effective_rank": rank, "share": rank / min(x.shape[1], len(x) - 1), "n": len(x)})
    return pd.DataFrame(rows)
