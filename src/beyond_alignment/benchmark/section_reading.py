"""How well an embedding tells which section of a donor a spot is from: what slide, stain and day left in it.

Sections of one donor are neighbours in the tissue and hold much the same cells, so what tells them apart is mostly how
each was cut, stained, scanned and sequenced, and a probe that uses it will not carry over to another slide. Part of it
can be biology, since two sections are never the same; the number is therefore an upper bound of the batch effect that a
linear reader finds. Spots close to each other resemble each other whatever the section, and a random split would score
that resemblance; so the same region of every section is held out at once, with a buffer around it.
"""

from typing import Any

import numpy as np
from anndata import AnnData
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from beyond_alignment import keys
from beyond_alignment.benchmark.embeddings import embedding
from beyond_alignment.benchmark.expert_probes import modality_read
from beyond_alignment.benchmark.metrics import tile_weights
from beyond_alignment.errors import InputError
from beyond_alignment.fusion.probe import PENALTIES, inner_folds
from beyond_alignment.fusion.reduction import Reduction
from beyond_alignment.resampling import percentile_interval
from beyond_alignment.tasks.splits import Split, microns

TILE_UM = 1000.0


def matching_blocks(
    coordinates: ArrayLike, sections: ArrayLike, *, n_blocks: int, buffer_um: float, seed: int = 0
) -> tuple[tuple[Split, ...], NDArray[np.intp]]:
    """Hold out the same region of every section at once, with a buffer in each.

    Regions are k-means clusters of the coordinates, each section centred and scaled by its own spread. Had each section
    regions of its own, tissue that only one of them holds out would be taken for the other's.

    Parameters
    ----------
    coordinates
        (spot, 2), microns.
    sections
        (spot,).
    n_blocks
        Regions.
    buffer_um
        Training spots up to this far, in x and y, from a test spot of their section are dropped.
    seed
        Of k-means.

    Returns
    -------
    tuple
        The folds, and the region of each spot (spot,).

    Raises
    ------
    InputError
        If a section has no spot left to train or to test in some fold.
    """
    points, names = np.asarray(coordinates, dtype=np.float64), np.asarray(sections).astype(str)
    members = [np.flatnonzero(names == name) for name in np.unique(names)]
    shape = np.empty_like(points)
    for rows in members:
        centred = points[rows] - points[rows].mean(axis=0)
        shape[rows] = centred / max(centred.std(), 1e-12)
    blocks = KMeans(n_clusters=n_blocks, n_init=10, random_state=seed).fit_predict(shape)
    splits = []
    for block in range(n_blocks):
        kept = []
        for rows in members:
            test, others = rows[blocks[rows] == block], rows[blocks[rows] != block]
            near = cKDTree(points[test]).query(points[others], p=np.inf)[0] if len(test) else np.zeros(len(others))
            kept.append(others[near > buffer_um])
            if min(len(test), len(kept[-1])) < 2:
                msg = (
                    f"Section {names[rows[0]]} has {len(test)} test and {len(kept[-1])} training spots with {n_blocks} "
                    f"blocks and a buffer of {buffer_um} um: use other blocks or a narrower buffer."
                )
                raise InputError(msg)
        splits.append(Split(f"block {block + 1}", np.sort(np.concatenate(kept)), np.flatnonzero(blocks == block)))
    return tuple(splits), blocks


def section_leakage(
    values: ArrayLike,
    sections: ArrayLike,
    coordinates: ArrayLike,
    *,
    n_blocks: int = 4,
    buffer_um: float = 600.0,
    n_replicates: int = 500,
    seed: int = 0,
) -> dict[str, Any]:
    """Read the section of held-out spots from an embedding, among the sections of one donor.

    A logistic regression on at most fifty principal components, classes weighted alike, its penalty chosen on other
    regions of the training spots.

    Parameters
    ----------
    values
        (spot, feature).
    sections
        (spot,), of one donor.
    coordinates
        (spot, 2), microns.
    n_blocks
        Regions held out in turn, the same in every section.
    buffer_um
        Buffer around them, microns; at least the field of view.
    n_replicates
        Bootstrap replicates.
    seed
        Of the regions, the components and the replicates.

    Returns
    -------
    dict
        value (balanced accuracy: the mean over sections of the share of its spots that are given to it), low, high
        (95 %, tiles resampled), chance (1 / number of sections), excess (share of what lies between chance and
        certainty), n, n_sections.

    Raises
    ------
    InputError
        If there are fewer than two sections, or too few spots for the regions.
    """
    x, names = np.asarray(values, dtype=np.float32), np.asarray(sections).astype(str)
    classes, codes = np.unique(names, return_inverse=True)
    if len(classes) < 2:
        msg = f"Only section {classes[0]}: reading the section needs two or more of one donor."
        raise InputError(msg)
    points = np.asarray(coordinates, dtype=np.float64)
    splits, blocks = matching_blocks(points, names, n_blocks=n_blocks, buffer_um=buffer_um, seed=seed)
    guess = np.empty(len(x), dtype=np.intp)
    with threadpool_limits(1):
        for split in splits:
            guess[split.test] = _read(x, codes, blocks, split, seed=seed)
    tile = np.array([f"{s}:{i}:{j}" for s, (i, j) in zip(names, (points // TILE_UM).astype(int), strict=True)])
    weights = tile_weights(tile, names, n_replicates=n_replicates, seed=seed)
    drawn = balanced_accuracy(codes, guess, np.unique(tile, return_inverse=True)[1], weights)
    low, high = percentile_interval(drawn[1:])
    value, chance = float(drawn[0]), 1 / len(classes)
    found = {"value": value, "low": low, "high": high, "chance": chance, "excess": (value - chance) / (1 - chance)}
    return {**found, "n": len(x), "n_sections": len(classes)}


def _read(
    x: NDArray[np.float32], codes: NDArray[np.intp], blocks: NDArray[np.intp], split: Split, *, seed: int
) -> NDArray[np.intp]:
    """Return the section that each test spot of a fold is given to."""
    train = split.train
    reduction = Reduction(seed=seed).fit(x[train])
    z = reduction.transform(x[train])
    folds = inner_folds(len(train), blocks[train], n_inner=3, seed=seed)
    reader = LogisticRegression(class_weight="balanced", solver="newton-cholesky", max_iter=100)
    strengths = {"C": [1 / (penalty * len(train)) for penalty in PENALTIES]}
    search = GridSearchCV(reader, strengths, scoring="balanced_accuracy", cv=folds)
    return search.fit(z, codes[train]).predict(reduction.transform(x[split.test]))


def balanced_accuracy(
    truth: NDArray[np.intp], guess: NDArray[np.intp], tile: NDArray[np.intp], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean recall of the classes in each replicate (replicate,).

    Parameters
    ----------
    truth, guess
        Class of each spot, from 0 (spot,).
    tile
        Tile of each spot, from 0 (spot,).
    weights
        How often each tile counts (replicate, tile).
    """
    n_classes = int(truth.max()) + 1
    hits, size = (np.zeros((weights.shape[1], n_classes)) for _ in range(2))
    np.add.at(size, (tile, truth), 1)
    np.add.at(hits, (tile, truth), (truth == guess).astype(float))
    return ((weights @ hits) / np.maximum(weights @ size, 1)).mean(axis=1)


def donors_with_sections(tissue: AnnData) -> list[str]:
    """Return the donors of two sections or more.

    Raises
    ------
    InputError
        If there is none.
    """
    counts = tissue.obs.groupby(keys.DONOR, observed=True)[keys.SECTION].nunique()
    donors = [str(donor) for donor in counts.index[counts > 1]]
    if not donors:
        raise InputError("No donor has two sections or more, so the section cannot be read within a donor.")
    return donors


def read_section(tissue: AnnData, expert: str, donor: str, **options: Any) -> dict[str, Any]:
    """Read the section of a donor's spots from an expert, as :func:`section_leakage` does."""
    rows = np.flatnonzero(tissue.obs[keys.DONOR].astype(str) == donor)
    sections = tissue.obs[keys.SECTION].astype(str).to_numpy()[rows]
    found = section_leakage(embedding(tissue, expert)[rows], sections, microns(tissue)[rows], **options)
    return {"reads": modality_read(tissue, expert), **found}
