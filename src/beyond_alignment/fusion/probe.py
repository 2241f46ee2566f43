"""The one probe that every representation is read with: linear, its penalty and confidence set on held-out groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from beyond_alignment.errors import InputError
from beyond_alignment.fusion.logistic import LogisticData, fit_logistic
from beyond_alignment.fusion.rehearsal import (
    PENALTIES,
    TEMPERATURES,
    WEIGHTS,
    Fold,
    Kind,
    ProbeSettings,
    Rehearsal,
    choose,
    inner_folds,
    smoothed,
    spread,
)
from beyond_alignment.fusion.ridge import ridge_path

__all__ = ["PENALTIES", "TEMPERATURES", "WEIGHTS", "Fold", "Kind", "inner_folds", "smoothed"]

FINAL_TOLERANCE = 1e-11


class ClassProbe(BaseEstimator):
    """Logistic regression whose penalty and confidence are those that predict held-out training groups best.

    The prediction is w p(y | z)^(1/T) / Z + (1 - w) p(y), with a temperature T and a weight w: a probe that learnt
    nothing which holds in another group falls back on the class frequencies, instead of being charged for its
    confidence. How the held-out groups come about is said in :mod:`beyond_alignment.fusion.rehearsal`.

    Attributes
    ----------
    classes_
        Labels (class,).
    penalty_
        Chosen weight of the ridge term, relative to the number of training spots and to the mean variance of ``z``.
    temperature_
        T, 1 or more.
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

    def predict_proba(self, z: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the probability of each class (spot, class)."""
        p = smoothed(self.model_.predict_proba(z, self.temperature_) * self.n_train_)
        return self.weight_ * p + (1 - self.weight_) * self.frequencies_

    def predict(self, z: NDArray[np.floating]) -> NDArray:
        """Return the class that the logistic regression finds most probable (spot,), whatever its confidence."""
        return self.classes_[np.argmax(self.model_.predict_proba(z), axis=1)]


class RidgeProbe(BaseEstimator):
    """Ridge regression whose penalty and weight are those that predict held-out training groups best.

    The prediction is w f(z) + (1 - w) times the mean target.

    Attributes
    ----------
    penalty_
        Chosen weight of the ridge term, relative to the number of training spots and to the mean variance of ``z``.
    weight_
        w, from 0 (the mean of the training targets) to 1.
    coef_
        (target, feature), or (feature,) for targets without an axis; the weight is in them.
    intercept_
        (target,), or one number.
    """

    def settle(self, problem: "ProbeProblem", settings: ProbeSettings) -> Self:
        """Fit with settings that were chosen."""
        targets = np.asarray(problem.y, dtype=np.float64)
        self.penalty_, self.weight_ = settings.penalty, settings.weight
        unit = self.penalty_ * spread(problem.z)
        coefficients, constant = ridge_path(problem.z, targets, (unit,))[0]
        self.coef_ = self.weight_ * coefficients
        self.intercept_ = self.weight_ * constant + (1 - self.weight_) * targets.mean(axis=0)
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
    seed
        Of the inner folds where there are no groups.
    rehearsals
        Representations of the same method, fitted without some of the groups, which the settings are chosen on. None
        for a representation that nothing was fitted for: ``z`` itself is split by the groups.
    settings
        Where they are known; nothing is chosen then.
    """

    z: NDArray[np.floating]
    y: NDArray
    kind: Kind = "classification"
    groups: ArrayLike | None = None
    seed: int = 0
    rehearsals: Sequence[Rehearsal] | None = None
    settings: ProbeSettings | None = None

    def held_out(self) -> Sequence[Rehearsal]:
        """Return what the settings are chosen on."""
        if self.rehearsals is not None or self.settings is not None:
            return self.rehearsals or ()
        folds = inner_folds(len(self.z), self.groups, seed=self.seed)
        return [Rehearsal(self.z[train], self.y[train], self.z[test], self.y[test]) for train, test in folds]


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
    probes: list[Probe] = [ClassProbe() if one.kind == "classification" else RidgeProbe() for one in problems]
    triples = []
    for probe, one, chosen in zip(probes, problems, _settled(problems, device), strict=True):
        if isinstance(probe, RidgeProbe):
            probe.settle(one, chosen)
        else:
            triples.append((probe, one, chosen))
    _fit_classes(triples, device)
    return probes


def _settled(problems: Sequence[ProbeProblem], device: str) -> list[ProbeSettings]:
    """Return the settings of each problem, known or chosen."""
    for one in problems:
        if one.kind == "classification" and len(np.unique(one.y)) < 2:
            msg = f"Only one class among {len(one.z)} training spots: a classifier needs two or more."
            raise InputError(msg)
    found = choose([one.held_out() for one in problems], [one.kind for one in problems], device=device)
    return [one.settings or choice.settings for one, choice in zip(problems, found, strict=True)]


def _fit_classes(triples: Sequence[tuple[ClassProbe, ProbeProblem, ProbeSettings]], device: str) -> None:
    """Fit classifiers in place, in double precision and to a tight end: company does not change what is predicted."""
    data = []
    for probe, one, settings in triples:
        probe.classes_, codes = np.unique(one.y, return_inverse=True)
        probe.penalty_, probe.weight_, probe.temperature_ = settings.penalty, settings.weight, settings.temperature
        probe.frequencies_, probe.n_train_ = smoothed(np.bincount(codes)), len(one.z)
        data.append(LogisticData(one.z, codes, (settings.penalty * spread(one.z),)))
    final = fit_logistic(data, device=device, tolerance=FINAL_TOLERANCE)
    for (probe, _, _), (model,) in zip(triples, final, strict=True):
        probe.model_, probe.coef_, probe.intercept_ = model, model.coef_, model.intercept_
