"""The one boundary of all estimators: paired samples that can be estimated from, or one sentence that says why not."""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.checks import as_matrix, check_values, codes
from beyond_alignment.errors import InputError
from beyond_alignment.information.discrete import information
from beyond_alignment.information.leaks import check_label_not_in, check_rows_not_shared, count_repeats
from beyond_alignment.information.target import as_classes

MIN_SAMPLES = 200
MIN_PER_CLASS = 10
CHUNK_ROWS = 16_384
LEAST_WITHIN = 0.2
WORTH = 20.0
"""Samples that the spread over all groups counts for beside the spread of one group."""


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
        """I(group; class) in bits, less its mean excess over independence; 0 without groups."""
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
        sums (group, class, feature); of the other groups the class shares alone are used. What is subtracted is the same
        for all samples of a group, so it tells nothing in it.
        """
        if self.groups is None:
            return self
        n_groups, n_classes = counts.shape
        inside = counts[training]
        share = inside / inside.sum(axis=1, keepdims=True)
        within = np.diag(inside.sum(axis=0)) - share.T @ inside
        across = (sums[training] - share[:, :, None] * sums[training].sum(axis=1, keepdims=True)).sum(axis=0)
        effects = np.linalg.solve(within + np.eye(n_classes), across)  # (class, feature)
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
    min_samples: int = MIN_SAMPLES,
    min_per_class: int = MIN_PER_CLASS,
    n_folds: int = 5,
    n_classes: int | None = None,
    seed: int = 0,
    names: tuple[str, str, str] = ("x1", "x2", "y"),
) -> Samples:
    """Check paired samples of two sources and a target.

    Parameters
    ----------
    x1, x2
        Sources (sample, feature): arrays, sparse matrices or tables of real numbers.
    y
        Labels (sample,), numbers (sample,) which are cut at their quantiles, or a composition (sample, part), which is
        clustered; see `target.as_classes`.
    groups
        Donor, section or spatial block (sample,), kept whole by the folds.
    blocks
        Unit that the bootstrap resamples (sample,).
    min_samples
        Fewest samples that are supported.
    min_per_class
        Fewest samples of a class that are supported; never fewer than folds.
    n_folds
        Folds of the cross-fitting.
    n_classes
        Into how many classes numbers are made.
    seed
        Of the clusters of a composition.
    names
        What to call both sources and the target in an error.

    Returns
    -------
    The samples with classes, groups and blocks as codes.

    Raises
    ------
    InputError
        One sentence on the first of: a source that is no finite matrix, sources, labels or groups of different length,
        too few samples, a constant source, a missing label, one class, a class with too few samples or in one group
        alone, fewer groups than folds, a label that is a column of a source, rows repeated across groups.
    """
    _check_same_order(x1, x2, y, names=names)
    first, second = as_matrix(x1, name=names[0]), as_matrix(x2, name=names[1])
    n = len(first)
    if len(second) != n:
        raise InputError(f"{names[0]} has {n} rows and {names[1]} has {len(second)}; pass the same samples in both.")
    fewest = max(min_samples, 2)
    if n < fewest:
        raise InputError(f"There are {n} samples and at least {fewest} are supported; bring more.")
    check_values((first, second), names=names[:2])
    target = as_classes(y, n_classes=n_classes, seed=seed, name=names[2])
    if len(target.codes) != n:
        raise InputError(f"{names[2]} has {len(target.codes)} labels for {n} rows of {names[0]}; pass one a row.")
    _check_classes(target.codes, target.classes, names[2], needed=max(min_per_class, n_folds))
    group_codes, group_names = _codes(groups, n=n, name="groups")
    block_codes, block_names = _codes(blocks, n=n, name="blocks")
    if n_folds < 2:
        raise InputError(f"{n_folds} folds were asked for; ask for two or more.")
    if block_codes is not None and len(block_names) < 2:
        raise InputError("There is one block and a bootstrap needs two or more; give smaller blocks, or none.")
    if group_codes is not None:
        _check_groups(group_codes, group_names, target.codes, target.classes, n_folds=n_folds)
    for x, name in ((first, names[0]), (second, names[1])):
        check_label_not_in(x, target.codes, target.numbers, name=name)
    notes: list[str] = []
    if group_codes is not None:
        check_rows_not_shared(first, second, group_codes, names=group_names)
    else:
        notes.append("No groups were given, so folds are drawn by sample: neighbours or sisters on both sides leak.")
        if repeated := count_repeats(first, second):
            notes.append(f"{repeated} of {n} rows repeat an earlier one in both sources, so folds share them.")
    return Samples(first, second, target.codes, target.classes, group_codes, block_codes, target.note, tuple(notes), target.numbers)


def _check_same_order(*tables: object, names: tuple[str, str, str]) -> None:
    """Check that tables with the same row names have them in the same order."""
    held = [(t.index, name) for t, name in zip(tables, names, strict=True) if isinstance(t, pd.DataFrame | pd.Series)]
    for index, name in held[1:]:
        before = held[0][0]
        if len(index) == len(before) and not index.equals(before) and set(index) == set(before):
            raise InputError(f"{held[0][1]} and {name} have the same row names in another order; align them first.")


def _check_classes(labels: NDArray[np.int64], classes: tuple[str, ...], name: str, *, needed: int) -> None:
    """Check that there are two classes or more, each with enough samples."""
    if len(classes) < 2:
        raise InputError(f"{name} holds one class ({classes[0]!r}) in all {len(labels)} rows; two or more are needed.")
    counts = np.bincount(labels, minlength=len(classes))
    few = [(f"{classes[code]!r} ({counts[code]})") for code in np.flatnonzero(counts < needed)]
    if few:
        listed = ", ".join(few[:5]) + (f" and {len(few) - 5} more" if len(few) > 5 else "")
        raise InputError(
            f"{name} has classes with too few samples: {listed}; each needs {needed}: merge them or leave them out."
        )


def _codes(values: object, *, n: int, name: str) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Return numbers for the distinct values of a vector, in sorted order of their names."""
    if values is None:
        return None, ()
    numbered, found = codes(values, n=n, name=name)
    names, place = np.unique([str(value) for value in found], return_inverse=True)
    return place[numbered], tuple(map(str, names))


def _check_groups(
    groups: NDArray[np.int64],
    names: tuple[str, ...],
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
    *,
    n_folds: int,
) -> None:
    """Check that there is a group for every fold, and that every class can be learned from other groups."""
    if len(names) < 2:
        raise InputError(f"There is one group ({names[0]!r}) and folds need two or more; give finer ones, or blocks.")
    table = np.zeros((len(names), len(classes)), dtype=bool)
    table[groups, labels] = True
    alone = np.flatnonzero(table.sum(axis=0) < 2)
    if len(alone):
        listed = ", ".join(f"{classes[code]!r} (in {names[int(table[:, code].argmax())]!r})" for code in alone[:5])
        raise InputError(
            f"Classes that stand in one group alone cannot be learned from the others: {listed}; merge them, leave them"
            " out or give finer groups."
        )
