"""What an embedding is like apart from any task: how many directions it uses, and whom it calls neighbours."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.spatial import cKDTree
from sklearn.metrics import pairwise_distances

from beyond_alignment.errors import InputError

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


def nearest(
    values: ArrayLike, *, k: int, near: sparse.csr_array | None = None, groups: ArrayLike | None = None
) -> NDArray[np.intp]:
    """Return the k nearest neighbours (Euclidean) of each spot, itself left out: (spot, k), in no order.

    Parameters
    ----------
    values
        (spot, feature).
    k
        Neighbours a spot.
    near
        Pairs that may not be neighbours, from :func:`near_pairs`.
    groups
        Neighbours are sought among the spots of one group, a section for instance (spot,); among all where None.

    Raises
    ------
    InputError
        If some spot has fewer than k others to choose from.
    """
    x = _checked(values)
    free = int(choices(len(x), near, groups).min())
    if not 1 <= k <= free:
        msg = f"k = {k} neighbours, but some spot has only {free} others to choose from: use a smaller k."
        raise InputError(msg)
    found = np.empty((len(x), k), dtype=np.intp)
    for members in _members(len(x), groups):
        for start in range(0, len(members), CHUNK):
            rows = members[start : start + CHUNK]
            distance = pairwise_distances(x[rows], x[members])
            distance[rows[:, None] == members[None, :]] = np.inf
            if near is not None:
                distance[near[rows][:, members].nonzero()] = np.inf
            found[rows] = members[np.argpartition(distance, k - 1, axis=1)[:, :k]]
    return found


def choices(n: int, near: sparse.csr_array | None, groups: ArrayLike | None) -> NDArray[np.float64]:
    """Return how many spots each spot's neighbours are chosen from (spot,)."""
    left = np.empty(n)
    for members in _members(n, groups):
        left[members] = len(members) - 1 - (0 if near is None else near[members][:, members].sum(axis=1))
    return left


def _members(n: int, groups: ArrayLike | None) -> list[NDArray[np.intp]]:
    """Return the spots of each group."""
    names = np.zeros(n) if groups is None else np.asarray(groups).astype(str)
    return [np.flatnonzero(names == name) for name in np.unique(names)]


def agreement(
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    *,
    near: sparse.csr_array | None = None,
    groups: ArrayLike | None = None,
) -> dict[str, float]:
    """Compare the neighbours that two embeddings of the same spots name.

    Patches that overlap look alike to any image expert: without ``near`` part of the agreement is the tissue's map. Two
    experts that both see the slide agree through that alone: without ``groups`` part of it is the slide.

    Parameters
    ----------
    first, second
        From :func:`nearest`, with the same ``near`` and ``groups``.
    near, groups
        As there.

    Returns
    -------
    dict
        agreement (mean share of the k nearest of a spot that are the same in both), chance (the same for unrelated
        embeddings), error (standard error of the mean, were spots independent).

    Raises
    ------
    InputError
        If the numbers of spots differ.
    """
    if first.shape != second.shape:
        msg = f"The embeddings have {len(first)} and {len(second)} spots: give two of the same spots."
        raise InputError(msg)
    n, k = first.shape
    overlap = (first[:, :, None] == second[:, None, :]).any(axis=2).mean(axis=1)
    chance = float(np.mean(k / choices(n, near, groups)))
    return {"agreement": float(overlap.mean()), "chance": chance, "error": float(overlap.std() / np.sqrt(n))}
