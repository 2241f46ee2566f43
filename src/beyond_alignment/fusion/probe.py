"""The one probe that every representation is scored with: linear, penalty and confidence set on training groups."""

from collections.abc import Iterator
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold

Kind = Literal["classification", "regression"]
Fold = tuple[NDArray[np.intp], NDArray[np.intp]]

PENALTIES = (1e-2, 1e-1, 1.0, 10.0)
WEIGHTS = np.linspace(0, 1, 11)
SMOOTHING = 0.5


def inner_folds(n: int, groups: ArrayLike | None, *, n_inner: int, seed: int) -> list[Fold]:
    """Split training spots again, by group where there are two groups or more.

    Parameters
    ----------
    n
        Number of training spots.
    groups
        (spot,), or None.
    n_inner
        Folds at most.
    seed
        Of the folds where there are no groups.
    """
    values = None if groups is None else np.asarray(groups)
    n_groups = 0 if values is None else len(np.unique(values))
    if n_groups > 1:
        return list(GroupKFold(min(n_inner, n_groups)).split(np.zeros(n), groups=values))
    return list(KFold(min(n_inner, n), shuffle=True, random_state=seed).split(np.zeros(n)))


def smoothed(counts: ArrayLike) -> NDArray[np.float64]:
    """Return frequencies of counts with half a count added to each: a class never seen keeps a finite cost."""
    padded = np.asarray(counts, dtype=np.float64) + SMOOTHING
    return padded / padded.sum(axis=-1, keepdims=True)


class ClassProbe(BaseEstimator):
    """Logistic regression, its penalty and its confidence chosen by log-likelihood on held-out training groups.

    The prediction is w p(y | z) + (1 - w) p(y): a probe that learnt nothing which holds in another group falls back on
    the class frequencies, instead of being charged for its confidence.

    Parameters
    ----------
    n_inner
        Inner folds at most.
    seed
        Of the inner folds where there are no groups.

    Attributes
    ----------
    classes_
        Labels (class,).
    penalty_
        Chosen weight of the ridge term, relative to the number of training spots.
    weight_
        w, from 0 (class frequencies) to 1.
    frequencies_
        p(y), smoothed frequencies of the training labels (class,).
    coef_, intercept_
        Of the logistic regression.
    """

    def __init__(self, *, n_inner: int = 3, seed: int = 0) -> None:
        self.n_inner = n_inner
        self.seed = seed

    def fit(self, z: NDArray[np.floating], y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit on training spots: representation (spot, feature), labels (spot,), and groups (spot,)."""
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        self.n_train_ = len(z)
        held_out, frequencies = [], []
        folds = inner_folds(len(z), groups, n_inner=self.n_inner, seed=self.seed)
        for train, test in folds:
            counts = np.bincount(codes[train], minlength=len(self.classes_))
            if (counts > 0).sum() > 1:
                frequencies.append(smoothed(counts)[codes[test]])
                held_out.append(np.stack(list(self._given(z, codes, train, test))))  # (penalty, spot)
        self.penalty_, self.weight_ = PENALTIES[1], 1.0
        if held_out:
            given, before = np.concatenate(held_out, axis=1), np.concatenate(frequencies)
            mixtures = [np.log(w * given + (1 - w) * before).mean(axis=1) for w in WEIGHTS]
            best_weight, best_penalty = np.unravel_index(np.argmax(mixtures), (len(WEIGHTS), len(PENALTIES)))
            self.penalty_, self.weight_ = PENALTIES[best_penalty], float(WEIGHTS[best_weight])
        self.frequencies_ = smoothed(np.bincount(codes))
        self.model_ = _logistic(self.penalty_, len(z)).fit(z, codes)
        self.coef_, self.intercept_ = self.model_.coef_, self.model_.intercept_
        return self

    def _given(
        self, z: NDArray[np.floating], codes: NDArray[np.intp], train: NDArray[np.intp], test: NDArray[np.intp]
    ) -> Iterator[NDArray[np.float64]]:
        """Yield, penalty by penalty, the probability of the true class of held-out spots (spot,)."""
        for penalty in PENALTIES:
            model = _logistic(penalty, len(train)).fit(z[train], codes[train])
            p = np.zeros((len(test), len(self.classes_)))
            p[:, model.classes_] = model.predict_proba(z[test])
            yield smoothed(p * len(train))[np.arange(len(test)), codes[test]]

    def predict_proba(self, z: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the probability of each class (spot, class)."""
        p = smoothed(self.model_.predict_proba(z) * self.n_train_)
        return self.weight_ * p + (1 - self.weight_) * self.frequencies_

    def predict(self, z: NDArray[np.floating]) -> NDArray:
        """Return the class that the logistic regression finds most probable (spot,), whatever its confidence."""
        return self.classes_[np.argmax(self.model_.predict_proba(z), axis=1)]


def _logistic(penalty: float, n: int) -> LogisticRegression:
    """Return an unfitted logistic regression with a penalty relative to the number of spots."""
    return LogisticRegression(C=1 / (penalty * n), solver="newton-cg", max_iter=200)


def fit_probe(
    z: NDArray[np.floating],
    y: ArrayLike,
    *,
    kind: Kind = "classification",
    groups: ArrayLike | None = None,
    n_inner: int = 3,
    seed: int = 0,
) -> BaseEstimator:
    """Fit a linear probe: :class:`ClassProbe`, or ridge regression whose penalty is chosen by squared error.

    Parameters
    ----------
    z
        Representation (spot, feature).
    y
        Labels (spot,) or targets (spot, target).
    kind
        ``classification`` or ``regression``.
    groups
        (spot,), for instance the section: kept whole inside.
    n_inner
        Inner folds at most.
    seed
        Of the inner folds where there are no groups.
    """
    if kind == "classification":
        return ClassProbe(n_inner=n_inner, seed=seed).fit(z, y, groups=groups)
    alphas = [penalty * len(z) for penalty in PENALTIES]
    if len(z) < 2:
        return Ridge(alpha=alphas[1]).fit(z, y)
    folds = inner_folds(len(z), groups, n_inner=n_inner, seed=seed)
    search = GridSearchCV(Ridge(), {"alpha": alphas}, scoring="neg_mean_squared_error", cv=folds)
    return search.fit(z, np.asarray(y)).best_estimator_
