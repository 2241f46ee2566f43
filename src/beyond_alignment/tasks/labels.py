"""Writes labels into AnnData after the contract: values, and what they were made from."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from beyond_alignment import keys
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.registry import get_task

DOMINANT_TYPES = ("Epithelial", "Plasma Cells", "CAFs")
OTHER = "other"
REGIONS = {
    "invasive cancer": "cancer",
    "cancer in situ": "cancer",
    "connective tissue": "connective or adipose",
    "adipose tissue": "connective or adipose",
}


def set_labels(adata: AnnData, name: str, values: Sequence[object] | pd.Series, **definition: object) -> None:
    """Write classification labels and their origin.

    Parameters
    ----------
    adata
        Writes ``obs["task_<name>"]`` (categorical; missing where a spot has no label) and ``uns["task_<name>"]``.
    name
        A registered task.
    values
        One label a spot; None or NaN where there is none.
    **definition
        Constants of the definition, kept beside ``made_from``.
    """
    task = get_task(name)
    series = pd.Series(np.asarray(values, dtype=object), index=adata.obs_names)
    adata.obs[keys.task(name)] = pd.Categorical(series, categories=sorted(series.dropna().unique()))
    adata.uns[keys.task(name)] = {"made_from": task.made_from, "description": task.description, **definition}


def set_targets(adata: AnnData, name: str, values: pd.DataFrame, **definition: object) -> None:
    """Write regression targets, one column each, and their origin.

    Parameters
    ----------
    adata
        Writes ``obsm["task_<name>"]`` (spot, target) and ``uns["task_<name>"]``.
    name
        A registered task.
    values
        One row a spot.
    **definition
        Constants of the definition, kept beside ``made_from``.
    """
    task = get_task(name)
    adata.obsm[keys.task(name)] = values.loc[adata.obs_names]
    adata.uns[keys.task(name)] = {"made_from": task.made_from, "description": task.description, **definition}


def label_cell_type(adata: AnnData) -> None:
    """Label each spot with its dominant cell type; the types that seldom dominate are one class, ``other``.

    Reads ``obsm["composition"]``, which was estimated from the same counts: the label is made from expression.
    """
    dominant = adata.obsm[keys.COMPOSITION].idxmax(axis=1)
    set_labels(adata, "cell_type", dominant.where(dominant.isin(DOMINANT_TYPES), OTHER), types=list(DOMINANT_TYPES))


def label_composition(adata: AnnData) -> None:
    """Take the proportions of the cell types as regression targets; reads ``obsm["composition"]``."""
    set_targets(adata, "composition", adata.obsm[keys.COMPOSITION])


def label_region(adata: AnnData, *, section: str = "A1") -> None:
    """Label the spots of one section with the pathologist's tissue region.

    Reads ``obs["pathologist"]``. Two classes, cancer against connective or adipose tissue: the 21 spots of cancer in
    situ are one lesion, which no split with a buffer can both train and test. Undetermined spots and the two of an
    immune infiltrate carry no label.
    """
    drawn = adata.obs[keys.PATHOLOGIST].astype(object).map(REGIONS)
    set_labels(adata, "region", drawn.where(adata.obs[keys.SECTION] == section), section=section)


def label_bacteria(adata: AnnData, *, min_umis: int = 1) -> None:
    """Label each spot by whether it bears bacterial reads; reads ``obs["bacterial_umis"]``.

    The reads come from neither the host's expression nor the image.
    """
    bears = adata.obs[keys.BACTERIAL_UMIS].to_numpy() >= min_umis
    set_labels(adata, "bacteria", np.where(bears, "bacteria", "none"), min_umis=min_umis)


def absence(adata: AnnData, name: str) -> str:
    """Return why a data set cannot be scored on a task; nothing where it can.

    Parameters
    ----------
    adata
        A release, perhaps written before the task was defined.
    name
        Name of the task.
    """
    task, key = get_task(name), keys.task(name)
    if task.imputes and key in adata.uns and (key in adata.obsm or adata.X is not None):
        return ""
    if not task.imputes and key in (adata.obsm if task.kind == "regression" else adata.obs):
        return ""
    return f"The {task.data_set} data carry no labels of {name!r}: they were written before this task was defined."


def labelled(adata: AnnData, name: str) -> tuple[NDArray[np.intp], NDArray[np.object_] | NDArray[np.float64]]:
    """Return the positions of the spots that carry a label of a task, and those labels.

    Returns
    -------
    tuple
        Positions (spot,), and labels (spot,) for classification or targets (spot, target) for regression.

    Raises
    ------
    InputError
        If the data set does not carry the task.
    """
    key = keys.task(name)
    if get_task(name).kind == "regression":
        if key not in adata.obsm:
            msg = f"obsm[{key!r}] is missing: label the data set first."
            raise InputError(msg)
        targets = np.asarray(adata.obsm[key], dtype=np.float64)
        positions = np.flatnonzero(np.isfinite(targets).all(axis=1))
        return positions, targets[positions]
    if key not in adata.obs:
        msg = f"obs[{key!r}] is missing: label the data set first."
        raise InputError(msg)
    positions = np.flatnonzero(adata.obs[key].notna().to_numpy())
    return positions, adata.obs[key].to_numpy(dtype=object)[positions]
