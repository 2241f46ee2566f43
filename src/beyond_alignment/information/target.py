"""What is to be predicted, as classes: labels as they are, numbers by quantile, compositions by k-means."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from beyond_alignment.checks import LARGEST_VALUE, whole_number
from beyond_alignment.errors import InputError

QUANTILES = 4
CLUSTERS = 5
MOST_CODES = 50


@dataclass(frozen=True)
class Target:
    """Class of each sample from 0, the classes' names, how they were made (a clause), and the numbers they are from."""

    codes: NDArray[np.int64]
    classes: tuple[str, ...]
    note: str
    numbers: NDArray[np.float64] | None


def as_classes(y: Any, *, n_classes: int | None = None, seed: int = 0, name: str = "y") -> Target:
    """Make a target into classes.

    Strings, categories, truth values, and whole numbers of at most 50 kinds are classes as they are, and so is a matrix
    of zeros and ones with a single one in each row. Other numbers are cut at their quantiles. Several numbers a sample
    are clustered by k-means: their square roots where they are shares of a whole (the Hellinger distance), otherwise
    each number in units of its spread. What is missing or infinite is one sentence, and so is a shape without meaning.
    """
    if n_classes is not None:
        n_classes = whole_number(n_classes, "n_classes", least=2)
    columns = [str(column) for column in y.columns] if isinstance(y, pd.DataFrame) else []
    frame = _frame(y, name)
    if frame.shape[1] > 1:
        return _from_matrix(frame, columns, n_classes or CLUSTERS, seed, name)
    series = frame.iloc[:, 0]
    missing = np.flatnonzero(series.isna().to_numpy())
    if len(missing):
        raise InputError(
            f"{name} misses {len(missing)} of {len(series)} labels (first: row {missing[0]}); drop those rows."
        )
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series):
        values = _numbers(frame, name)[:, 0]
        distinct = np.unique(values)
        if len(distinct) > MOST_CODES or (distinct != np.round(distinct)).any():
            return _by_quantile(values, n_classes or QUANTILES)
        codes = np.searchsorted(distinct, values)
        return Target(codes, tuple(f"{value:.0f}" for value in distinct), "labels as they are", None)
    if series.dtype != "category" or not series.cat.categories.map(str).is_unique:
        series = pd.Series(pd.Categorical(series.astype(object).map(str)))
    held = series.cat.remove_unused_categories().cat
    names = tuple(str(category) for category in held.categories)
    return Target(held.codes.to_numpy(dtype=np.int64), names, "labels as they are", None)


def _frame(y: Any, name: str) -> pd.DataFrame:
    """Return any target as a table (sample, column)."""
    try:
        table = _table(y)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} is neither labels nor a matrix of numbers; pass one label a sample.") from error
    if table.shape[1] == 0:
        raise InputError(f"{name} has no column; pass (sample,) labels or (sample, target) numbers.")
    return table.reset_index(drop=True).infer_objects()


def _table(y: Any) -> pd.DataFrame:
    """Put any container into a table, missing entries kept missing."""
    if sparse.issparse(y):
        y = y.toarray()
    if isinstance(y, np.ma.MaskedArray):
        y = y.tolist()
    if isinstance(y, pd.DataFrame):
        return y
    if isinstance(y, pd.Series | pd.Categorical | pd.api.extensions.ExtensionArray | pd.Index):
        return pd.Series(y).to_frame()
    if isinstance(y, Sequence) and not isinstance(y, str) and (not y or np.isscalar(y[0]) or y[0] is None):
        return pd.Series(list(y)).to_frame()  # NumPy would make text of labels beside a None
    return pd.DataFrame(np.asarray(y))


def _numbers(frame: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Return the table as finite numbers."""
    try:
        values = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{name} has {frame.shape[1]} columns that are not all numbers; pass one label column."
        ) from error
    rows = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(rows):
        raise InputError(
            f"{name} is NaN or infinite in {len(rows)} of {len(values)} rows (first: row {rows[0]}); drop those rows."
        )
    if np.abs(values).max(initial=0) > LARGEST_VALUE:
        raise InputError(f"{name} holds numbers beyond {LARGEST_VALUE:.0e}; rescale them, or pass them as text.")
    return values


def _by_quantile(values: NDArray[np.float64], n_classes: int) -> Target:
    """Cut numbers at their quantiles; heavy ties make fewer classes."""
    edges = np.unique(np.quantile(values, np.arange(1, n_classes) / n_classes, method="inverted_cdf"))
    edges = edges[edges < values.max()]
    codes = np.searchsorted(edges, values, side="left")
    shown = next(s for d in (4, 8, 17) if len(set(s := [f"{edge:.{d}g}" for edge in edges])) == len(edges))
    middle = [f"{low} to {high}" for low, high in pairwise(shown)]
    names = (f"up to {shown[0]}", *middle, f"above {shown[-1]}") if shown else ("constant",)
    note = f"numbers, cut at their quantiles into {len(names)} classes"
    return Target(codes.astype(np.int64), names, note, values[:, None])


def _in_units_of_spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre each column and divide it by its standard deviation; a constant one is 0."""
    centred = values - values.mean(axis=0)
    spread = centred.std(axis=0)
    varies = spread > 1e-12 * np.abs(values).max(axis=0)
    return np.divide(centred, spread, out=np.zeros_like(centred), where=varies)


def _from_matrix(frame: pd.DataFrame, columns: list[str], n_classes: int, seed: int, name: str) -> Target:
    """Cluster the rows of several numbers; a matrix of zeros with a single one a row is labels already."""
    values = _numbers(frame, name)
    columns = columns or [f"column {number}" for number in range(values.shape[1])]
    total = values.sum(axis=1)
    if np.isin(values, (0, 1)).all() and (total == 1).all():
        used = np.flatnonzero(values.any(axis=0))
        codes = np.searchsorted(used, values.argmax(axis=1))
        return Target(codes, tuple(columns[number] for number in used), "labels as they are (one column each)", None)
    shares = (values >= 0).all() and np.allclose(total, 1, atol=1e-2)
    if np.ptp(values, axis=0).max(initial=0) == 0:
        return Target(np.zeros(len(values), dtype=np.int64), ("constant",), "constant", values)
    points = np.sqrt(values) if shares else _in_units_of_spread(values)
    kmeans = KMeans(min(n_classes, len(np.unique(points, axis=0))), n_init=10, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # points that rounding cannot tell apart: fewer classes
        found = kmeans.fit_predict(points)
    kinds, codes = np.unique(found, return_inverse=True)
    most = [columns[int(points[codes == kind].mean(axis=0).argmax())] for kind in range(len(kinds))]
    what = (
        "shares of a whole, clustered by k-means of their square roots" if shares else "numbers, clustered by k-means"
    )
    names = tuple(f"{number + 1}: most {column}" for number, column in enumerate(most))
    return Target(codes.astype(np.int64), names, f"{values.shape[1]} {what} into {len(kinds)} classes", values)
