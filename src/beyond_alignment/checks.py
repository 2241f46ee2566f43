"""Checks of what is given, before anything is computed from it: finite matrices, the same rows, values a sample."""

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from beyond_alignment.errors import InputError

LARGEST_DENSE_BYTES = 16 * 2**30
LARGEST_VALUE = 1e15
CHUNK_ROWS = 16_384


def whole_number(value: Any, name: str, *, least: int) -> int:
    """Return a whole number, NumPy's as well, of at least `least`."""
    try:
        if isinstance(value, bool | np.bool_) or (number := index(value)) < least:
            raise TypeError
    except TypeError as error:
        raise InputError(f"{name} is {value}; give a whole number of at least {least}.") from error
    return number


def codes(values: object, *, n: int, name: str) -> tuple[NDArray[np.int64], tuple[Any, ...]]:
    """Return numbers (sample,) from 0 for the values of a vector, none missing, and the values in sorted order."""
    try:
        vector = pd.Series(values).to_numpy()
        numbered, found = pd.factorize(vector)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} is not a vector; pass one value a sample.") from error
    if len(vector) != n:
        raise InputError(f"{name} has {len(vector)} values for {n} samples; pass one value a sample.")
    missing = np.flatnonzero(numbered < 0)
    if len(missing):
        raise InputError(f"{name} misses {len(missing)} of {n} values (first: row {missing[0]}); drop those rows.")
    try:
        order = np.argsort(found)
    except TypeError:  # of several kinds
        order = np.argsort([str(value) for value in found])
    return np.argsort(order)[numbered], tuple(found[order])


def finite_matrix(x: ArrayLike, *, name: str, min_rows: int = 1) -> NDArray[np.float64]:
    """Return an embedding (sample, feature) as float64; a feature, `min_rows` rows and finite numbers are needed."""
    matrix = np.asarray(x, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise InputError(f"{name} has shape {matrix.shape}; pass a matrix (sample, feature) with a feature.")
    if len(matrix) < min_rows:
        raise InputError(f"{name} has {len(matrix)} rows and {min_rows} are needed; pass more samples.")
    if n_bad := matrix.size - int(np.isfinite(matrix).sum()):
        raise InputError(f"{name} holds {n_bad} NaN or infinite values: drop or fill those rows.")
    return matrix


def paired(x1: ArrayLike, x2: ArrayLike, *, min_rows: int = 3) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two embeddings of the same samples, each as :func:`finite_matrix`."""
    first, second = finite_matrix(x1, name="x1", min_rows=min_rows), finite_matrix(x2, name="x2", min_rows=min_rows)
    if len(first) != len(second):
        raise InputError(f"x1 has {len(first)} rows and x2 has {len(second)}; pass embeddings of the same samples.")
    return first, second


def as_matrix(x: Any, *, name: str) -> NDArray[np.floating]:
    """Return an array, sparse matrix or table of real numbers as a dense matrix (sample, feature).

    Values are not looked at. A vector is one feature; single and half precision become float32, all else float64,
    what is masked or missing NaN.
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
    """Check that matrices (sample, feature) are finite, of a size that can be squared, and not constant."""
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
