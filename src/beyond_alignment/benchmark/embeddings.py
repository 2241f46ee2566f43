"""Finds the embedding of an expert in AnnData."""

from collections.abc import Sequence

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from beyond_alignment import keys
from beyond_alignment.datasets import normalise
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.imputation import other_genes

COUNTS_EXPERT = "pca"


def embedding(adata: AnnData, expert: str) -> NDArray[np.float32]:
    """Return the embedding of an expert (spot, feature).

    Reads ``obsm["X_<expert>"]``. Where ``pca`` has no frozen embedding it stands for log-normalised counts, which every
    method reduces to principal components fitted on its training spots.

    Raises
    ------
    InputError
        If the data set carries neither.
    """
    key = keys.embedding(expert)
    if key in adata.obsm:
        return np.asarray(adata.obsm[key], dtype=np.float32)
    if expert == COUNTS_EXPERT and adata.X is not None:
        return np.asarray(normalise(AnnData(adata.X)).X.toarray(), dtype=np.float32)
    held = sorted(name for name in adata.obsm if name.startswith("X_"))
    msg = f"obsm[{key!r}] is missing; this data set holds {', '.join(held) or 'no embedding'}."
    raise InputError(msg)


def imputation_input(adata: AnnData, expert: str, genes: Sequence[str]) -> NDArray[np.float32]:
    """Return what an expression expert may see where some genes are to be imputed: the other genes alone.

    Reads ``obsm["other_genes"]`` (frozen components of the other genes), else the counts in ``X``.

    Raises
    ------
    InputError
        If the expert is another than ``pca``: its embedding was made from all genes.
    """
    if expert != COUNTS_EXPERT:
        msg = f"{expert!r} has seen the genes that are to be imputed: use {COUNTS_EXPERT!r}."
        raise InputError(msg)
    if keys.OTHER_GENES in adata.obsm:
        return np.asarray(adata.obsm[keys.OTHER_GENES], dtype=np.float32)
    return np.asarray(other_genes(adata, genes).X.toarray(), dtype=np.float32)
