"""How much information about each label a representation keeps within reach of a linear probe."""

import warnings
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold
from threadpoolctl import threadpool_limits

from beyond_alignment.alignment.probes import class_frequencies, probe_probabilities
from beyond_alignment.checks import codes, finite_matrix, paired
from beyond_alignment.errors import InputError
from beyond_alignment.information.exact import class_entropy
from beyond_alignment.resampling import percentile_interval

Representation = ArrayLike | tuple[ArrayLike, ArrayLike]
MIN_GROUPS = 3
N_BOOTSTRAP = 1000


def _folds(
    views: tuple[NDArray[np.float64], ...],
    groups: NDArray[np.int64],
    transformer: TransformerMixin | None,
    n_splits: int,
    seed: int,
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]]:
    """Yield train rows, test rows and their features, the transformer fitted on the training rows alone."""
    splitter = GroupKFold(n_splits=n_splits, shuffle=True, random_state=seed)
    for train, test in splitter.split(views[0], groups=groups):
        parts = [tuple(view[rows] for view in views) for rows in (train, test)]
        if transformer is None:
            x_train, x_test = (np.concatenate(part, axis=1) for part in parts)
        else:
            inputs = [part if len(part) > 1 else part[0] for part in parts]
            fitted = clone(transformer).fit(inputs[0])
            x_train, x_test = (np.asarray(fitted.transform(part)) for part in inputs)
        yield train, test, x_train, x_test


def _group_interval(
    gains: NDArray[np.float64], groups: NDArray[np.int64], rng: np.random.Generator
) -> tuple[float, float]:
    """95 % interval of the mean gain under resampling of whole groups."""
    sums, sizes = np.bincount(groups, weights=gains), np.bincount(groups)
    draws = rng.integers(0, len(sizes), (N_BOOTSTRAP, len(sizes)))
    return percentile_interval(sums[draws].sum(axis=1) / sizes[draws].sum(axis=1))


def information_told(
    representation: Representation,
    labels: Mapping[str, ArrayLike],
    groups: ArrayLike,
    *,
    transformer: TransformerMixin | None = None,
    n_splits: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    """Cross-fitted information of a representation about each label, in bits and as a share of the label's entropy.

    The information is the fall in log-loss on held-out groups from the training class frequencies to a linear
    probe: a lower bound of the mutual information, up to sampling error, and one that depends on the probe.

    Parameters
    ----------
    representation
        Embedding (sample, feature), or a pair of embeddings. A pair is concatenated unless there is a transformer.
    labels
        Name -> label (sample,) of any type, of at least two classes.
    groups
        Donor or section (sample,), at least three; no group is on both sides of a fold.
    transformer
        Unfitted transformer of the representation, such as `CanonicalCorrelation`; fitted anew on the training rows
        of every fold.
    n_splits
        Number of folds; as many as there are groups where they are fewer.
    seed
        Seed of folds, probe and intervals.

    Returns
    -------
    One row a label: `label`, `bits`, `fraction` of the label's entropy, `low` and `high` (95 %
    interval of the fraction over resampled groups, for the probe as fitted), `fold_sd` (of the fraction), `entropy` in
    bits, `n`, `n_groups`, `n_folds`.

    Raises
    ------
    InputError
        The representation is not finite, lengths differ, a label has one class or a missing value, or there are too
        few groups.
    """
    views = (
        paired(*representation)
        if isinstance(representation, tuple)
        else (finite_matrix(representation, name="x", min_rows=3),)
    )
    n = len(views[0])
    group_codes, found = codes(groups, n=n, name="groups")
    n_groups = len(found)
    if n_groups < MIN_GROUPS or n_splits < 2:
        raise InputError(
            f"There are {n_groups} groups for {n_splits} folds; pass at least {MIN_GROUPS} groups and 2 folds."
        )
    if not labels:
        raise InputError("There is no label to read; pass one or more by name.")
    targets = {name: codes(values, n=n, name=f"label {name!r}")[0] for name, values in labels.items()}
    constant = [name for name, y in targets.items() if y.max() == 0]
    if constant:
        raise InputError(f"The label {constant[0]!r} has one class and holds no information; drop it.")

    n_folds = min(n_splits, n_groups)
    gains = {name: np.zeros(n) for name in targets}
    fold_of = np.zeros(n, dtype=np.int64)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for fold, (train, test, x_train, x_test) in enumerate(_folds(views, group_codes, transformer, n_folds, seed)):
            fold_of[test] = fold
            for name, gain in gains.items():
                y, n_classes = targets[name], int(targets[name].max()) + 1
                p = probe_probabilities(x_train, y[train], group_codes[train], x_test, n_classes=n_classes, seed=seed)
                before = class_frequencies(y[train], n_classes)[y[test]]
                gain[test] = np.log2(p[np.arange(len(test)), y[test]] / before)
    rows = []
    for name, gain in gains.items():
        entropy = class_entropy(targets[name])
        by_fold = np.array([gain[fold_of == fold].mean() for fold in range(n_folds)])
        low, high = _group_interval(gain, group_codes, np.random.default_rng(seed))
        rows.append(
            {
                "label": name,
                "bits": float(gain.mean()),
                "fraction": float(gain.mean()) / entropy,
                "low": low / entropy,
                "high": high / entropy,
                "fold_sd": float(by_fold.std(ddof=1)) / entropy,
                "entropy": entropy,
                "n": n,
                "n_groups": n_groups,
                "n_folds": n_folds,
            }
        )
    return pd.DataFrame(rows)
