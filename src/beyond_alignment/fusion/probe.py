"""The one probe that every representation is scored with: linear, its penalty chosen on training groups."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold

Kind = Literal["classification", "regression"]

PENALTIES = (1e-2, 1e-1, 1.0, 10.0)
FLOOR = 1e-6


def log_likelihood(model: LogisticRegression, x: NDArray[np.floating], y: NDArray[np.object_]) -> float:
    """Return the mean log2 probability that a classifier gives to the true class, in bits.

    A class that the classifier never saw counts as having probability ``FLOOR``.
    """
    probability = model.predict_proba(x)
    column = {label: i for i, label in enumerate(model.classes_)}
    given = [probability[row, column[label]] if label in column else FLOOR for row, label in enumerate(y)]
    return float(np.mean(np.log2(np.maximum(given, FLOOR))))


def fit_probe(
    z: NDArray[np.floating],
    y: ArrayLike,
    *,
    kind: Kind = "classification",
    groups: ArrayLike | None = None,
    n_inner: int = 3,
    seed: int = 0,
) -> BaseEstimator:
    """Fit a linear probe: logistic regression by log-likelihood, or ridge regression by squared error.

    The penalty is chosen by cross-validation inside the training spots, by group where groups are given, from
    ``PENALTIES`` (the inverse weight of the ridge term, relative to the number of training spots).

    Parameters
    ----------
    z
        Representation (spot, feature).
    y
        Labels (spot,) or targets (spot, target).
    kind
        ``classification`` or ``regression``.
    groups
        (spot,), for instance the section.
    n_inner
        Inner folds at most.
    seed
        Of the inner folds where there are no groups.
    """
    labels = np.asarray(y)
    n_groups = 0 if groups is None else len(np.unique(np.asarray(groups)))
    folds = GroupKFold(min(n_inner, n_groups)) if n_groups > 1 else KFold(n_inner, shuffle=True, random_state=seed)
    strength = 1 / (np.array(PENALTIES) * len(z))
    model: BaseEstimator = LogisticRegression(solver="newton-cg", max_iter=200)
    grid: dict[str, list[float]] = {"C": list(strength)}
    if kind == "regression":
        model, grid = Ridge(), {"alpha": list(1 / strength)}
    scorer = "neg_mean_squared_error" if kind == "regression" else log_likelihood
    if not _can_select(labels, folds, groups, kind):
        return model.set_params(**{name: values[1] for name, values in grid.items()}).fit(z, labels)
    search = GridSearchCV(model, grid, scoring=scorer, cv=folds).fit(z, labels, groups=groups if n_groups > 1 else None)
    return search.best_estimator_


def _can_select(labels: NDArray, folds: GroupKFold | KFold, groups: ArrayLike | None, kind: Kind) -> bool:
    """Say whether every inner training part can be fitted at all."""
    if len(labels) < 2 * folds.get_n_splits():
        return False
    units = None if isinstance(folds, KFold) else groups
    parts = [train for train, _ in folds.split(np.zeros(len(labels)), labels, units)]
    smallest = min(len(np.unique(labels[train], axis=0)) for train in parts)
    return kind == "regression" or smallest > 1
