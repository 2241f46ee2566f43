"""The one probe that every representation is scored with: linear, penalty and confidence set on training groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import GroupKFold, KFold

from beyond_alignment.errors import InputError
from beyond_alignment.fusion.logistic import LogisticData, LogisticModel, fit_logistic
from beyond_alignment.fusion.ridge import ridge_path

Kind = Literal["classification", "regression"]
Fold = tuple[NDArray[np.intp], NDArray[np.intp]]

PENALTIES = (1e-2, 1e-1, 1.0, 10.0)
WEIGHTS = np.linspace(0, 1, 11)
SMOOTHING = 0.5
FINAL_TOLERANCE = 1e-11


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
    n_train_
        Number of training spots.
    model_
        The logistic regression.
    coef_, intercept_
        Of the logistic regression.
    """

    def __init__(self, *, n_inner: int = 3, seed: int = 0) -> None:
        self.n_inner = n_inner
        self.seed = seed

    def fit(self, z: NDArray[np.floating], y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit on training spots: representation (spot, feature), labels (spot,), and groups (spot,)."""
        fit_class_probes([self], [ProbeProblem(z, np.asarray(y), groups=groups)])
        return self

    def predict_proba(self, z: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the probability of each class (spot, class)."""
        p = smoothed(self.model_.predict_proba(z) * self.n_train_)
        return self.weight_ * p + (1 - self.weight_) * self.frequencies_

    def predict(self, z: NDArray[np.floating]) -> NDArray:
        """Return the class that the logistic regression finds most probable (spot,), whatever its confidence."""
        return self.classes_[np.argmax(self.model_.predict_proba(z), axis=1)]


class RidgeProbe(BaseEstimator):
    """Ridge regression, its penalty chosen by squared error on held-out training groups.

    Parameters
    ----------
    n_inner
        Inner folds at most.
    seed
        Of the inner folds where there are no groups.

    Attributes
    ----------
    penalty_
        Chosen weight of the ridge term, relative to the number of training spots.
    coef_
        (target, feature), or (feature,) for targets without an axis.
    intercept_
        (target,), or one number.
    """

    def __init__(self, *, n_inner: int = 3, seed: int = 0) -> None:
        self.n_inner = n_inner
        self.seed = seed

    def fit(self, z: NDArray[np.floating], y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit on training spots: representation (spot, feature), targets (spot, target) or (spot,), groups (spot,)."""
        targets = np.asarray(y, dtype=np.float64)
        self.penalty_ = PENALTIES[1]
        if len(z) > 1:
            errors = []  # (fold, penalty)
            for train, test in inner_folds(len(z), groups, n_inner=self.n_inner, seed=self.seed):
                fits = ridge_path(z[train], targets[train], PENALTIES)
                errors.append([np.mean((z[test] @ coef.T + constant - targets[test]) ** 2) for coef, constant in fits])
            self.penalty_ = PENALTIES[int(np.argmin(np.mean(errors, axis=0)))]
        self.coef_, self.intercept_ = ridge_path(z, targets, (self.penalty_,))[0]
        return self

    def predict(self, z: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the predicted targets (spot, target), or (spot,)."""
        return z @ self.coef_.T + self.intercept_


Probe = ClassProbe | RidgeProbe


@dataclass(frozen=True, eq=False)
class ProbeProblem:
    """What one probe is fitted on.

    Attributes
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

    z: NDArray[np.floating]
    y: NDArray
    kind: Kind = "classification"
    groups: ArrayLike | None = None
    n_inner: int = 3
    seed: int = 0


def fit_probe(
    z: NDArray[np.floating],
    y: ArrayLike,
    *,
    kind: Kind = "classification",
    groups: ArrayLike | None = None,
    n_inner: int = 3,
    seed: int = 0,
) -> Probe:
    """Fit one probe on what :class:`ProbeProblem` names: :class:`ClassProbe` or :class:`RidgeProbe`."""
    return fit_probes([ProbeProblem(z, np.asarray(y), kind, groups, n_inner, seed)])[0]


def fit_probes(problems: Sequence[ProbeProblem], *, device: str = "cpu") -> list[Probe]:
    """Fit many probes, each as it would be alone; the logistic regressions are computed side by side.

    Parameters
    ----------
    problems
        Of any kinds and sizes.
    device
        Where the logistic regressions are computed.

    Raises
    ------
    InputError
        If a classification shows one class alone.
    """
    probes: list[Probe] = []
    for one in problems:
        make = ClassProbe if one.kind == "classification" else RidgeProbe
        probes.append(make(n_inner=one.n_inner, seed=one.seed))
    pairs = list(zip(probes, problems, strict=True))
    for probe, one in pairs:
        if isinstance(probe, RidgeProbe):
            probe.fit(one.z, one.y, groups=one.groups)
    classifiers = [(probe, one) for probe, one in pairs if isinstance(probe, ClassProbe)]
    fit_class_probes([probe for probe, _ in classifiers], [one for _, one in classifiers], device=device)
    return probes


def fit_class_probes(probes: Sequence[ClassProbe], problems: Sequence[ProbeProblem], *, device: str = "cpu") -> None:
    """Fit classifiers in place, first on all inner folds under all penalties, then on all spots under the chosen one.

    The last fit is in double precision and to a tighter end, so that company does not change what is predicted.

    Parameters
    ----------
    probes
        Unfitted.
    problems
        One a probe; only the representation, the labels and the groups are read.
    device
        Where to compute.
    """
    tasks = [_InnerFolds(probe, one) for probe, one in zip(probes, problems, strict=True)]
    fits = iter(fit_logistic([data for task in tasks for data in task.data], device=device))
    for task in tasks:
        task.choose([next(fits) for _ in task.data])
    whole = [
        LogisticData(one.z, task.codes, (probe.penalty_,))
        for probe, one, task in zip(probes, problems, tasks, strict=True)
    ]
    final = fit_logistic(whole, device=device, dtype=torch.float64, tolerance=FINAL_TOLERANCE)
    for probe, (model,) in zip(probes, final, strict=True):
        probe.model_, probe.coef_, probe.intercept_ = model, model.coef_, model.intercept_


class _InnerFolds:
    """The inner folds of one classifier, and what follows from its fits on them."""

    def __init__(self, probe: ClassProbe, problem: ProbeProblem) -> None:
        self.probe, self.z = probe, problem.z
        probe.classes_, self.codes = np.unique(np.asarray(problem.y), return_inverse=True)
        if len(probe.classes_) < 2:
            msg = f"Only one class among {len(problem.z)} training spots: a classifier needs two or more."
            raise InputError(msg)
        folds = inner_folds(len(problem.z), problem.groups, n_inner=probe.n_inner, seed=probe.seed)
        self.folds = [fold for fold in folds if len(np.unique(self.codes[fold[0]])) > 1]
        self.data = []
        for train, _ in self.folds:
            codes = np.unique(self.codes[train], return_inverse=True)[1]
            self.data.append(LogisticData(self.z[train], codes, PENALTIES))

    def choose(self, fits: Sequence[Sequence[LogisticModel]]) -> None:
        """Set penalty, weight and frequencies by held-out log-likelihood; ``fits`` are by fold and penalty."""
        probe, n_classes = self.probe, len(self.probe.classes_)
        held_out, frequencies = [], []
        for (train, test), models in zip(self.folds, fits, strict=True):
            seen, truth = np.unique(self.codes[train]), self.codes[test]
            frequencies.append(smoothed(np.bincount(self.codes[train], minlength=n_classes))[truth])
            given = np.zeros((len(models), len(test), n_classes))  # (penalty, spot, class)
            given[..., seen] = [model.predict_proba(self.z[test]) for model in models]
            held_out.append(smoothed(given * len(train))[:, np.arange(len(test)), truth])
        probe.penalty_, probe.weight_ = PENALTIES[1], 1.0
        if held_out:
            given, before = np.concatenate(held_out, axis=1), np.concatenate(frequencies)
            mixtures = [np.log(w * given + (1 - w) * before).mean(axis=1) for w in WEIGHTS]
            best_weight, best_penalty = np.unravel_index(np.argmax(mixtures), (len(WEIGHTS), len(PENALTIES)))
            probe.penalty_, probe.weight_ = PENALTIES[best_penalty], float(WEIGHTS[best_weight])
        probe.frequencies_ = smoothed(np.bincount(self.codes))
        probe.n_train_ = len(self.z)
