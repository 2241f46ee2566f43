"""Recomputes the frozen-embedding release from raw data, for some spots, and compares."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import ArrayLike

from beyond_alignment import keys, project
from beyond_alignment.datasets import read_release
from beyond_alignment.datasets.release import write_release
from beyond_alignment.errors import InputError
from beyond_alignment.experts.compute import Device
from beyond_alignment.experts.morphology import FrozenModel
from beyond_alignment.experts.released import embed_released
from beyond_alignment.tasks.release import FIELDS_UM, PREPARE, build_release

Mode = Literal["verify", "write"]

# Lowest cosine similarity of a spot's embedding: float16 in the file, sums in another order on other machines.
LOWEST_COSINE = 0.999
# Lowest share of spots with the same label: k-means may move a spot between two clusters where arithmetic differs.
LOWEST_LABELS = 0.99


def provide_release(
    mode: Mode, *, names: Sequence[str] = tuple(PREPARE), device: Device = "auto", seed: int = 0, progress: bool = True
) -> list[str]:
    """Build and write the releases that a page is to write: all of them, or those that are missing.

    Parameters
    ----------
    mode
        ``"write"``: all; ``"verify"``: only those without a file in ``data/``.
    names
        Data sets.
    device
        Where the image expert runs.
    seed
        Of everything that draws.
    progress
        Show what is done and the time to go.

    Returns
    -------
    list of str
        What was written.

    Raises
    ------
    InputError
        If the mode is unknown, or raw data of a release to be written cannot be had.
    """
    if mode not in ("verify", "write"):
        msg = f"There is no mode {mode!r}: choose verify or write."
        raise InputError(msg)
    folder = project.root() / "data"
    wanted = [name for name in names if mode == "write" or not (folder / f"{name}.h5ad").is_file()]
    for name in wanted:
        write_release(build_release(name, device=device, seed=seed, progress=progress), name)
    return wanted


def verify_release(
    name: str,
    *,
    n_spots: int = 6,
    device: Device = "auto",
    seed: int = 0,
    models: Sequence[FrozenModel] | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Recompute a release from raw data and compare: every label and expression embedding, and patches of some spots.

    Parameters
    ----------
    name
        ``her2st``, ``mob`` or ``crc_visium``; its raw data have to be at hand.
    n_spots
        Spots of each section, drawn at random, whose patches are cut and embedded again.
    device
        Where the image expert runs.
    seed
        Of what the release was made with, and of the draw.
    models
        The image experts; those of the release when None.
    progress
        Show the time to go.

    Returns
    -------
    pandas.DataFrame
        As :func:`compare_embeddings` and :func:`compare_labels` return it, with the data set in front.

    Raises
    ------
    InputError
        If the release or raw data cannot be had.
    """
    released = read_release(name)
    prepared = PREPARE[name](seed=seed, progress=progress)
    some = prepared[draw_spots(prepared, n_spots=n_spots, seed=seed)].copy()
    embed_released(some, fields_um=FIELDS_UM[name], models=models, device=device, progress=progress)
    rows = [compare_embeddings(released, part) for part in (prepared, some)] + [compare_labels(released, prepared)]
    table = pd.concat(rows, ignore_index=True).drop_duplicates("what", ignore_index=True)
    table.insert(0, "data_set", name)
    return table


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
