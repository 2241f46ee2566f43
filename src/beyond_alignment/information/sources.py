"""Checks of one source: a matrix of finite numbers, one row a sample."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from beyond_alignment.errors import InputError

LARGEST_DENSE_BYTES = 16 * 2**30
LARGEST_VALUE = 1e15
CHUNK_ROWS = 16_384


def as_matrix(x: Any, *, name: str) -> NDArray[np.floating]:
    """Return a source as a dense float matrix without looking at its values.

    Parameters
    ----------
    x
        Array, masked array, sparse matrix or DataFrame (sample, feature) of real numbers; a vector is one feature.
    name
        What to call it in an error.

    Returns
    -------
    The source (sample, feature), float32 where it came in single or half precision, otherwise float64. What is masked
    or missing becomes NaN.

    Raises
    ------
    InputError
        It does not hold real numbers, has another number of axes or no feature, or is too large to be made dense.
    """
    if sparse.issparse(x):
        size = int(np.prod(x.shape)) * 8
        if size > LARGEST_DENSE_BYTES:
            raise InputError(
                f"{name} is sparse and would take {size / 2**30:.0f} GiB as a dense matrix; reduce it to some hundred"
                " components first."
            )
        x = x.toarray()
    try:
        if isinstance(x, pd.DataFrame | pd.Series):
            matrix = x.to_numpy(dtype=np.float64, na_value=np.nan) if _nullable(x) else x.to_numpy()
        elif isinstance(x, np.ma.MaskedArray):
            matrix = np.where(np.ma.getmaskarray(x), np.nan, x.data)
        else:
            matrix = np.asarray(x)
        if matrix.dtype.kind == "c":
            raise TypeError("complex")
        if matrix.dtype.kind not in "fiub":
            matrix = matrix.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} does not hold real numbers in rows of one length; pass (sample, feature).") from error
    if matrix.ndim == 1:
        matrix = matrix[:, None]
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise InputError(f"{name} has shape {matrix.shape}; pass (sample, feature) with at least one feature.")
    small = matrix.dtype.kind == "f" and matrix.dtype.itemsize <= 4
    return np.ascontiguousarray(matrix, dtype=np.float32 if small else np.float64)


def check_values(matrices: Sequence[NDArray[np.floating]], *, names: Sequence[str]) -> None:
    """Check that sources are finite, of a size that can be squared, and not constant.

    Parameters
    ----------
    matrices
        Sources (sample, feature).
    names
        What to call them in an error.

    Raises
    ------
    InputError
        A value is NaN or infinite (how many, in how many rows, where the first one is), enormous, or all rows of a
        source are the same.
    """
    faults = [fault for x, name in zip(matrices, names, strict=True) if (fault := _not_finite(x, name))]
    if faults:
        raise InputError(f"{'; '.join(faults)}: drop or fill those rows.")
    for x, name in zip(matrices, names, strict=True):
        largest = max(abs(float(x.min())), abs(float(x.max())))
        if largest > LARGEST_VALUE:
            raise InputError(f"{name} holds values as large as {largest:.1e}, beyond {LARGEST_VALUE:.0e}; rescale it.")
        if (x.min(axis=0) == x.max(axis=0)).all():
            raise InputError(f"{name} is the same in all {len(x)} rows, so it can tell nothing; pass another source.")


def _nullable(x: pd.DataFrame | pd.Series) -> bool:
    """Whether a column can hold pandas' NA."""
    types = x.dtypes if isinstance(x, pd.DataFrame) else [x.dtype]
    return any(not isinstance(kind, np.dtype) or kind.kind == "O" for kind in types)


def _not_finite(x: NDArray[np.floating], name: str) -> str:
    """Say how many values are not finite and where; an empty string where there are none."""
    values, rows, first = 0, 0, ""
    for start in range(0, len(x), CHUNK_ROWS):
        bad = ~np.isfinite(x[start : start + CHUNK_ROWS])
        if bad.any():
            touched = np.flatnonzero(bad.any(axis=1))
            if not first:
                column = int(np.flatnonzero(bad[touched[0]])[0])
                first = f"row {start + touched[0]}, column {column}"
            values, rows = values + int(bad.sum()), rows + len(touched)
    return f"{name} holds {values} NaN or infinite values in {rows} of {len(x)} rows (first: {first})" if rows else ""
