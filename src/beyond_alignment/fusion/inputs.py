"""Checks of paired embeddings before anything is computed from them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beyond_alignment.errors import InputError


def embedding(x: ArrayLike, *, name: str, min_rows: int = 3) -> NDArray[np.float64]:
    """Return an embedding as a finite float matrix.

    Parameters
    ----------
    x
        Embedding (sample, feature).
    name
        What to call it in an error.
    min_rows
        Fewest samples that will do.

    Returns
    -------
    The embedding as float64 (sample, feature).

    Raises
    ------
    InputError
        It is not a finite matrix with a column and `min_rows` rows.
    """
    matrix = np.asarray(x, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise InputError(f"{name} has shape {matrix.shape}; pass a matrix (sample, feature) with a feature.")
    if len(matrix) < min_rows:
        raise InputError(f"{name} has {len(matrix)} rows and {min_rows} are needed; pass more samples.")
    if not np.isfinite(matrix).all():
        raise InputError(f"{name} holds NaN or infinity; drop or fill those samples first.")
    return matrix


def paired(x1: ArrayLike, x2: ArrayLike, *, min_rows: int = 3) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two embeddings of the same samples as finite float matrices.

    Parameters
    ----------
    x1, x2
        Embeddings (sample, feature), row by row of the same samples.
    min_rows
        Fewest samples that will do.

    Returns
    -------
    Both as float64 (sample, feature).

    Raises
    ------
    InputError
        One of them is not a finite matrix, or they differ in their number of rows.
    """
    first, second = embedding(x1, name="x1", min_rows=min_rows), embedding(x2, name="x2", min_rows=min_rows)
    if len(first) != len(second):
        raise InputError(f"x1 has {len(first)} rows and x2 has {len(second)}; pass embeddings of the same samples.")
    return first, second
