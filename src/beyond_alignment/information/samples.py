"""The one boundary of all estimators: paired samples that can be estimated from, or one sentence that says why not."""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.checks import as_matrix, check_values, codes
from beyond_alignment.correlations import cross_correlations
from beyond_alignment.errors import InputError
from beyond_alignment.information.exact import information
from beyond_alignment.information.target import Target, as_classes

MIN_SAMPLES = 200
MIN_PER_CLASS = 10
MOST_LISTED = 5
CHUNK_ROWS = 16_384
LEAST_WITHIN = 0.2
WORTH = 20.0
"""Samples that the spread over all groups counts for beside the spread of one group."""
FIRST_LOOK = 2_000
SAME = 1 - 1e-9
DISCRETE_SHARE = 0.1
"""Kinds of rows a sample up to which sources are discrete."""


@dataclass(frozen=True)
class Samples:
    """Checked paired samples.

    Attributes
    ----------
    x1, x2
        Sources (sample, feature), finite, float32 or float64.
    codes
        Class of each sample (sample,), from 0.
    classes
        Names of the classes.
    groups
        Group of each sample (sample,), from 0, which folds keep whole; None where none were given.
    blocks
        Unit of the bootstrap of each sample (sample,), from 0; None where none were given.
    target_note
        How the target was made into classes.
    notes
        What a reader must know of the samples before trusting an answer; often empty.
    numbers
        Numbers (sample, target) that the classes were made from; None where labels came in.
    """

    x1: NDArray[np.floating]
    x2: NDArray[np.floating]
    codes: NDArray[np.int64]
    classes: tuple[str, ...]
    groups: NDArray[np.int64] | None
    blocks: NDArray[np.int64] | None
    target_note: str
    notes: tuple[str, ...]
    numbers: NDArray[np.float64] | None

    @property
    def group_codes(self) -> NDArray[np.int64]:
        """Group of each sample (sample,); all in one where none were given."""
        return np.zeros(self.n, dtype=np.int64) if self.groups is None else self.groups

    @property
    def group_information(self) -> float:
        """I(group; class) of the counts, in bits; 0 without groups."""
        table = np.zeros((max(self.n_groups, 1), len(self.classes)))
        np.add.at(table, (self.group_codes, self.codes), 1 / self.n)
        return float(information(table[None])[0])

    @property
    def n(self) -> int:
        """Number of samples."""
        return len(self.codes)

    @property
    def n_groups(self) -> int:
        """Number of groups; 0 where none were given."""
        return 0 if self.groups is None else int(self.groups.max()) + 1


class Centred:
    """A source seen from within its group: less the group's mean, over the spread of the group. No label is looked at.

    Without groups the source as it is.
    """

    def __init__(self, x: NDArray[np.floating], groups: NDArray[np.int64] | None) -> None:
        self.x, self.groups = x, groups
        if groups is None:
            return
        self.sizes = np.bincount(groups)[:, None].astype(np.float64)
        self.own_means = self.sums_by(groups, len(self.sizes)) / self.sizes
        squares = np.zeros_like(self.own_means)
        for rows in _chunks(len(x)):
            of = groups[rows]
            np.add.at(squares, of, (np.asarray(x[rows], dtype=np.float64) - self.own_means[of]) ** 2)
        self.variances = (squares + WORTH * squares.sum(axis=0) / len(x)) / (self.sizes + WORTH)
        self._centre(self.own_means, self.variances)

    def sums_by(self, cells: NDArray[np.int64], n_cells: int) -> NDArray[np.float64]:
        """Return the sums (cell, feature) of the samples of each cell."""
        sums = np.zeros((n_cells, self.x.shape[1]))
        for rows in _chunks(len(self.x)):
            np.add.at(sums, cells[rows], np.asarray(self.x[rows], dtype=np.float64))
        return sums

    def _centre(self, means: NDArray[np.float64], variances: NDArray[np.float64]) -> None:
        """Take means and spreads (group, feature); a feature that does not vary in a group says 0 in it."""
        flat = np.sqrt(self.variances) <= 1e-6 * (1 + np.abs(self.own_means))
        self.means = means.astype(np.float32)
        self.spread = np.where(flat, np.inf, np.sqrt(variances)).astype(np.float32)

    def at_common_shares(
        self, counts: NDArray[np.float64], sums: NDArray[np.float64], training: NDArray[np.int64]
    ) -> "Centred":
        """Return the source as if all groups had the same class shares: a group's mean moves with its shares.

        What a class adds to the mean of a group is fitted within the training groups, from counts (group, class) and
        sums (group, class, feature); of the other groups the class shares alone are used. What is subtracted is the
        same for all samples of a group, so it tells nothing in it.
        """
        if self.groups is None:
            return self
        inside = counts[training]
        share = inside / inside.sum(axis=1, keepdims=True)
        within = np.diag(inside.sum(axis=0)) - share.T @ inside
        across = (sums[training] - share[:, :, None] * sums[training].sum(axis=1, keepdims=True)).sum(axis=0)
        effects = np.linalg.solve(within + np.eye(counts.shape[1]), across)  # (class, feature)
        overall = inside.sum(axis=0) / inside.sum()
        own = counts / counts.sum(axis=1, keepdims=True)
        between = own @ effects**2 - (own @ effects) ** 2
        common = overall @ effects**2 - (overall @ effects) ** 2
        other = copy(self)
        variances = np.maximum(self.variances - between, LEAST_WITHIN * self.variances) + common
        other._centre(self.own_means - (own - overall) @ effects, variances)
        return other

    def __getitem__(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return some rows."""
        values = np.asarray(self.x[rows], dtype=np.float32)
        if self.groups is None:
            return values
        of = self.groups[rows]
        return np.asarray((values - self.means[of]) / self.spread[of], dtype=np.float32)


def _chunks(n: int) -> Iterator[slice]:
    """Yield the rows of a source a few thousand at a time."""
    for start in range(0, n, CHUNK_ROWS):
        yield slice(start, start + CHUNK_ROWS)


def check_samples(
    x1: object,
    x2: object,
    y: object,
    groups: object = None,
    *,
    blocks: object = None,
    n_classes: int | None = None,
    seed: int = 0,
    names: tuple[str, str, str] = ("x1", "x2", "y"),
) -> Samples:
    """Check paired samples of two sources (sample, feature) and a target that `as_classes` makes into classes.

    The first fault is one sentence: a source that is no finite matrix or constant, sources, labels or groups of
    different length, too few samples, a missing label or group, one class, a class with too few samples or in one group
    alone, a label that the group gives away, a label that is a column of a source, rows repeated across groups. `names`
    are those of both sources and the target in it.
    """
    _check_same_order(x1, x2, y, names=names)
    first, second = as_matrix(x1, name=names[0]), as_matrix(x2, name=names[1])
    n = len(first)
    if len(second) != n:
        raise InputError(f"{names[0]} has {n} rows and {names[1]} has {len(second)}; pass the same samples in both.")
    if n < MIN_SAMPLES:
        raise InputError(f"There are {n} samples and at least {MIN_SAMPLES} are supported; bring more.")
    check_values((first, second), names=names[:2])
    target = as_classes(y, n_classes=n_classes, seed=seed, name=names[2])
    if len(target.codes) != n:
        raise InputError(f"{names[2]} has {len(target.codes)} labels for {n} rows of {names[0]}; pass one a row.")
    _check_classes(target.codes, target.classes, names[2])
    group_codes, group_names = _codes(groups, n=n, name="groups")
    block_codes, block_names = _codes(blocks, n=n, name="blocks")
    if block_codes is not None and len(block_names) < 2:
        raise InputError("There is one block and a bootstrap needs two or more; give smaller blocks, or none.")
    if group_codes is not None:
        _check_groups(group_codes, group_names, target.codes, target.classes, names[2])
    for x, name in ((first, names[0]), (second, names[1])):
        _check_label_not_in(x, target, name=name)
    notes: list[str] = []
    if group_codes is not None:
        _check_rows_not_shared(first, second, group_codes, names=group_names)
    else:
        by = "by sample: neighbours or sisters on both sides leak" if block_codes is None else "by block"
        notes.append(f"No groups were given, so folds are drawn {by}.")
        if repeated := _count_repeats(first, second):
            notes.append(f"{repeated} of {n} rows repeat an earlier one in both sources, so folds share them.")
    return Samples(
        first, second, target.codes, target.classes, group_codes, block_codes, target.note, tuple(notes), target.numbers
    )


def _check_same_order(*tables: object, names: tuple[str, str, str]) -> None:
    """Check that tables with the same row names have them in the same order."""
    held = [(t.index, name) for t, name in zip(tables, names, strict=True) if isinstance(t, pd.DataFrame | pd.Series)]
    for index, name in held[1:]:
        before = held[0][0]
        if len(index) == len(before) and not index.equals(before) and set(index) == set(before):
            raise InputError(f"{held[0][1]} and {name} have the same row names in another order; align them first.")


def _check_classes(labels: NDArray[np.int64], classes: tuple[str, ...], name: str) -> None:
    """Check that there are two classes or more, each with enough samples."""
    if len(classes) < 2:
        raise InputError(f"{name} holds one class ({classes[0]!r}) in all {len(labels)} rows; two or more are needed.")
    counts = np.bincount(labels, minlength=len(classes))
    few = [(f"{classes[code]!r} ({counts[code]})") for code in np.flatnonzero(counts < MIN_PER_CLASS)]
    if few:
        listed = ", ".join(few[:MOST_LISTED]) + (
            f" and {len(few) - MOST_LISTED} more" if len(few) > MOST_LISTED else ""
        )
        raise InputError(
            f"{name} has classes with too few samples: {listed}; each needs {MIN_PER_CLASS}: merge them or leave them"
            " out."
        )


def _codes(values: object, *, n: int, name: str) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Return numbers for the distinct values of a vector, in sorted order of their names."""
    if values is None:
        return None, ()
    numbered, found = codes(values, n=n, name=name)
    names, place = np.unique([str(value) for value in found], return_inverse=True)
    return place[numbered], tuple(map(str, names))


def _check_groups(
    groups: NDArray[np.int64], names: tuple[str, ...], labels: NDArray[np.int64], classes: tuple[str, ...], label: str
) -> None:
    """Check that the label varies within groups, and that every class can be learned from other groups."""
    if len(names) < 2:
        raise InputError(f"There is one group ({names[0]!r}) and folds need two or more; give finer ones, or blocks.")
    table = np.zeros((len(names), len(classes)), dtype=bool)
    table[groups, labels] = True
    of_class, of_group = table.sum(axis=0), table.sum(axis=1)
    if (of_group == 1).all():
        what = (
            f"groups and {label} say the same: each class is one group"
            if (of_class == 1).all()
            else f"{label} is the same in all samples of a group, in each of the {len(names)} groups"
        )
        raise InputError(f"{what}, so within groups nothing is left to tell; give groups in which the label varies.")
    alone = np.flatnonzero(of_class < 2)
    if len(alone):
        listed = [f"{classes[code]!r} (in {names[int(table[:, code].argmax())]!r})" for code in alone]
        more = f" and {len(listed) - MOST_LISTED} more" if len(listed) > MOST_LISTED else ""
        raise InputError(
            "Classes that stand in one group alone cannot be learned from the others:"
            f" {', '.join(listed[:MOST_LISTED])}{more}; merge them, leave them out or give finer groups."
        )


# ------------------------------------------------------------------------------- what makes an answer too good


def _check_label_not_in(x: NDArray[np.floating], target: Target, *, name: str) -> None:
    """Check that no column is one value in each class and another in each, or the label's number in another unit."""
    column = _column_of_classes(x, target.codes)
    if column is None and target.numbers is not None:
        column = _column_of_numbers(x, target.numbers)
    if column is not None:
        raise InputError(f"Column {column} of {name} is identical to the label: remove it, or choose another label.")


def _check_rows_not_shared(
    x1: NDArray[np.floating], x2: NDArray[np.floating], groups: NDArray[np.int64], *, names: tuple[str, ...]
) -> None:
    """Check that no sample stands in two groups; sources of few kinds of rows are discrete and may repeat."""
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


def _count_repeats(x1: NDArray[np.floating], x2: NDArray[np.floating]) -> int:
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
