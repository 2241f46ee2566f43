"""Finds what makes an answer too good: labels that stand in a source, and rows that stand in two groups."""

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.correlations import cross_correlations
from beyond_alignment.errors import InputError

FIRST_LOOK = 2_000
SAME = 1 - 1e-9
DISCRETE_SHARE = 0.1


def check_label_not_in(
    x: NDArray[np.floating],
    codes: NDArray[np.int64],
    numbers: NDArray[np.float64] | None,
    *,
    name: str,
) -> None:
    """Check that no column of a source is the label.

    Parameters
    ----------
    x
        Source (sample, feature).
    codes
        Classes (sample,).
    numbers
        Numbers (sample, target) that the classes were made from, where they were.
    name
        What to call the source in an error.

    Raises
    ------
    InputError
        A column is one value in each class, another in each; or the same as a number but for offset and unit.
    """
    column = _column_of_classes(x, codes)
    if column is None and numbers is not None:
        column = _column_of_numbers(x, numbers)
    if column is not None:
        raise InputError(f"Column {column} of {name} is identical to the label: remove it, or choose another label.")


def check_rows_not_shared(
    x1: NDArray[np.floating], x2: NDArray[np.floating], groups: NDArray[np.int64], *, names: tuple[str, ...]
) -> None:
    """Check that no sample stands in two groups.

    Sources of few kinds of rows (at most one for ten samples) are discrete, and their rows repeat as they should.

    Parameters
    ----------
    x1, x2
        Sources (sample, feature).
    groups
        Group of each sample (sample,).
    names
        Names of the groups.

    Raises
    ------
    InputError
        Both sources are identical in rows of different groups: how many, and the first two.
    """
    kinds = _kinds(x1, x2)
    n_kinds = int(kinds.max()) + 1
    if n_kinds <= DISCRETE_SHARE * len(kinds):
        return
    first = np.zeros(n_kinds, dtype=np.int64)
    first[kinds[::-1]] = np.arange(len(kinds))[::-1]
    elsewhere = groups != groups[first[kinds]]
    shared = np.isin(kinds, kinds[elsewhere])
    if elsewhere.any():
        later = int(np.flatnonzero(elsewhere)[0])
        earlier = int(first[kinds[later]])
        raise InputError(
            f"{int(shared.sum())} rows are identical in both sources to a row of another group (rows {earlier} of"
            f" {names[groups[earlier]]!r} and {later} of {names[groups[later]]!r}): the same spot on both sides of a"
            " fold leaks; remove the copies."
        )


def count_repeats(x1: NDArray[np.floating], x2: NDArray[np.floating]) -> int:
    """Count the rows that repeat an earlier one in both sources; 0 where the sources are discrete."""
    n_kinds = int(_kinds(x1, x2).max()) + 1
    return len(x1) - n_kinds if n_kinds > DISCRETE_SHARE * len(x1) else 0


def _kinds(x1: NDArray[np.floating], x2: NDArray[np.floating]) -> NDArray[np.int64]:
    """Give every kind of row of both sources together a number (sample,), in the order in which they first stand."""
    seen: dict[tuple[int, int], int] = {}
    kinds = np.empty(len(x1), dtype=np.int64)
    for number, (first, second) in enumerate(zip(x1, x2, strict=True)):
        # + 0.0 makes one zero of the two; a hash of each source keeps a million rows small
        row = (hash((first + 0.0).tobytes()), hash((second + 0.0).tobytes()))
        kinds[number] = seen.setdefault(row, len(seen))
    return kinds


def _column_of_classes(x: NDArray[np.floating], codes: NDArray[np.int64]) -> int | None:
    """Return the first column with one value in each class and another in each."""
    largest = np.flatnonzero(codes == np.bincount(codes).argmax())
    head = x[largest[:FIRST_LOOK]]
    for column in np.flatnonzero((head == head[0]).all(axis=0)):
        values = x[:, column]
        representative = np.array([values[np.argmax(codes == code)] for code in range(codes.max() + 1)])
        if len(np.unique(representative)) == len(representative) and (values == representative[codes]).all():
            return int(column)
    return None


def _column_of_numbers(x: NDArray[np.floating], numbers: NDArray[np.float64]) -> int | None:
    """Return the first column that is a number but for offset and unit, looked for in some rows and then in all."""
    some = np.unique(np.linspace(0, len(x) - 1, min(len(x), FIRST_LOOK)).astype(int))
    candidates = np.flatnonzero((np.abs(cross_correlations(x[some], numbers[some])) > SAME - 1e-6).any(axis=1))
    for column in candidates:
        if (np.abs(cross_correlations(x[:, [column]], numbers)) > SAME).any():
            return int(column)
    return None
