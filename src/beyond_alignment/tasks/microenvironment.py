"""Labels of a spot's microenvironment: tumour beside immune cells, mixing, bacteria around."""

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy.stats import entropy

from beyond_alignment import keys
from beyond_alignment.tasks.labels import set_labels
from beyond_alignment.tasks.niche import EPITHELIAL, IMMUNE, neighbour_mean, within_donor_tertiles

BACTERIA_AROUND = ("none", "up to half", "most")


def label_interface(adata: AnnData) -> None:
    """Label each spot with the tertile, within its donor, of the contact of tumour and immune cells around it.

    Contact is the epithelial times the immune share of the neighbours' composition: the chance, up to a factor of two,
    that of two cells drawn around the spot one is a tumour cell and the other an immune cell. It is high at the
    interface and low in the core of either.

    Parameters
    ----------
    adata
        Reads ``obsm["neighbour_composition"]`` and ``obs["donor"]``; writes the task ``interface``.
    """
    around = adata.obsm[keys.NEIGHBOUR_COMPOSITION]
    tumour, immune = (around[list(types)].sum(axis=1, skipna=False) for types in (EPITHELIAL, IMMUNE))
    set_labels(adata, "interface", within_donor_tertiles(adata, tumour * immune), tertile_within="donor")


def label_mixing(adata: AnnData, name: str, composition: pd.DataFrame) -> None:
    """Label each spot with the tertile, within its donor, of the entropy of the neighbours' composition.

    Parameters
    ----------
    adata
        Reads the spatial graph and ``obs["donor"]``; writes the task.
    name
        The task.
    composition
        What each spot is made of (spot, kind).
    """
    around = neighbour_mean(adata, composition.loc[adata.obs_names].to_numpy(dtype=np.float64))
    mixing = pd.Series(entropy(around.T, base=2), index=adata.obs_names)
    set_labels(adata, name, within_donor_tertiles(adata, mixing), tertile_within="donor")


def label_bacteria_around(adata: AnnData, *, min_umis: int = 1) -> None:
    """Label each spot by how many of its neighbours bear bacterial reads: none, up to half, or most of them.

    Parameters
    ----------
    adata
        Reads ``obs["bacterial_umis"]`` and the spatial graph; writes the task ``bacteria_around``.
    min_umis
        Reads from which on a spot bears bacteria.
    """
    bears: NDArray[np.float64] = (adata.obs[keys.BACTERIAL_UMIS].to_numpy() >= min_umis).astype(np.float64)
    share = neighbour_mean(adata, bears[:, None]).ravel()
    named = np.select([share == 0, share <= 0.5, share > 0.5], BACTERIA_AROUND, default="").astype(object)
    named[np.isnan(share)] = None
    set_labels(adata, "bacteria_around", pd.Series(named), min_umis=min_umis)
