"""Recomputes the frozen-embedding release from raw data, for some spots, and compares."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import ArrayLike

from beyond_alignment import keys
from beyond_alignment.errors import InputError

# Lowest cosine similarity of a spot's embedding: float16 in the file, sums in another order on other machines.
LOWEST_COSINE = 0.999
# Lowest share of spots with the same label: k-means may move a spot between two clusters where arithmetic differs.
LOWEST_LABELS = 0.99


def draw_spots(adata: AnnData, *, n_spots: int, seed: int) -> list[str]:
    """Return the names of some spots of each section, drawn without replacement, in the order of the data."""
    rng = np.random.default_rng(seed)
    chosen: set[str] = set()
    for section in adata.obs[keys.SECTION].astype(str).unique():
        names = adata.obs_names[(adata.obs[keys.SECTION] == section).to_numpy()].to_numpy()
        chosen.update(rng.choice(names, size=min(n_spots, len(names)), replace=False))
    return [name for name in adata.obs_names if name in chosen]


def compare_embeddings(released: AnnData, recomputed: AnnData) -> pd.DataFrame:
    """Compare the embeddings that both hold, on the spots of ``recomputed``.

    Parameters
    ----------
    released
        Reads ``obsm["X_<name>"]``.
    recomputed
        Some or all of its spots; reads the same.

    Returns
    -------
    pandas.DataFrame
        what, spots, max_difference and spread (in the units of the embedding), agreement (the lowest cosine
        similarity of a spot's two vectors), tolerance, agrees.

    Raises
    ------
    InputError
        If a spot of ``recomputed`` is not in the release.
    """
    if unknown := [spot for spot in recomputed.obs_names if spot not in released.obs_names]:
        msg = f"The release has no spot {unknown[0]}: it was made from other data; write it again."
        raise InputError(msg)
    same = released[recomputed.obs_names]
    rows = []
    for key in sorted(set(released.obsm) & set(recomputed.obsm)):
        if key.startswith(keys.embedding("")):
            name = key.removeprefix(keys.embedding(""))
            rows.append({"what": name, **_difference(same.obsm[key], recomputed.obsm[key])})
    return pd.DataFrame(rows)


def compare_labels(released: AnnData, recomputed: AnnData) -> pd.DataFrame:
    """Compare the class labels that both hold: agreement is the share of spots with the same label, or both without.

    Parameters
    ----------
    released, recomputed
        The same spots; read ``obs["task_<name>"]``.

    Returns
    -------
    pandas.DataFrame
        Columns as in :func:`compare_embeddings`, differences empty.
    """
    rows = []
    for column in released.obs.columns:
        if column.startswith(keys.task("")) and column in recomputed.obs:
            mine = released.obs[column].astype(object).reindex(recomputed.obs_names)
            other = recomputed.obs[column].astype(object)
            share = float(((mine == other) | (mine.isna() & other.isna())).mean())
            rows.append(
                {"what": column, "spots": len(other), "agreement": share, "tolerance": LOWEST_LABELS}
                | {"agrees": share >= LOWEST_LABELS}
            )
    return pd.DataFrame(rows)


def _difference(released: ArrayLike, recomputed: ArrayLike) -> Mapping[str, object]:
    """Compare two (spot, feature) embeddings."""
    first, second = np.asarray(released, dtype=np.float64), np.asarray(recomputed, dtype=np.float64)
    norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    cosine = np.divide((first * second).sum(axis=1), norms, out=np.ones(len(first)), where=norms > 0)
    return {
        "spots": len(first),
        "max_difference": float(np.abs(first - second).max()),
        "spread": float(first.std(axis=0).mean()),
        "agreement": float(cosine.min()),
        "tolerance": LOWEST_COSINE,
        "agrees": bool(cosine.min() >= LOWEST_COSINE),
    }
