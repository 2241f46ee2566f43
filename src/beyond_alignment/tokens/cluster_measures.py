"""How well clusters of tiles hold together in space, and how much they tell of genes."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from beyond_alignment.errors import InputError


def coherence(labels: NDArray[np.integer], centre_um: NDArray[np.floating], *, tile_um: float) -> float:
    """Return how far adjoining tiles share a cluster beyond chance.

    The share of pairs of adjoining tiles in one cluster, less what shuffled labels give, over what they leave: 1 where
    all pairs agree, 0 by chance or where there is one cluster. Tiles that overlap are no pair.

    Parameters
    ----------
    labels
        (tile,).
    centre_um
        (tile, axis), microns.
    tile_um
        Width of a tile, microns: tiles one width apart adjoin.

    Raises
    ------
    InputError
        If no two tiles adjoin.
    """
    tree = cKDTree(centre_um)
    near = tree.query_pairs(1.05 * tile_um) - tree.query_pairs(0.95 * tile_um)
    if not near:
        raise InputError(f"No two tiles lie {tile_um:g} microns apart: give tiles whose stride divides their width.")
    first, second = np.array(sorted(near)).T
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    expected = float((shares**2).sum())
    if expected == 1.0:
        return 0.0
    return float(((labels[first] == labels[second]).mean() - expected) / (1.0 - expected))


def variance_between(labels: NDArray[np.integer], targets: NDArray[np.floating]) -> float:
    """Return the share of the variance of log1p counts between clusters: adjusted R², mean over genes that vary.

    Parameters
    ----------
    labels
        (tile,).
    targets
        log1p counts (tile, gene).

    Raises
    ------
    InputError
        If no gene varies or each tile is a cluster of its own.
    """
    values = pd.DataFrame(np.asarray(targets, dtype=np.float64))
    values = values.loc[:, values.std() > 0]
    n, k = len(values), len(np.unique(labels))
    if values.empty or k >= n:
        raise InputError(f"{n} tiles in {k} clusters say nothing of genes: give genes that vary and fewer clusters.")
    within = (values - values.groupby(labels).transform("mean")).pow(2).sum() / (n - k)
    return float((1.0 - within / values.var()).mean())
