"""Finds the embedding of an expert in AnnData."""

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from beyond_alignment import keys
from beyond_alignment.datasets import normalise
from beyond_alignment.errors import InputError

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
