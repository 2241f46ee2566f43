"""How sure a probe may be: every method rehearses without some training groups, and its probe is judged on them.

A representation that was trained on the labels of some spots separates these spots too well: a penalty that is chosen
on them leaves a probe far too sure elsewhere. So the whole method, reductions and training included, is fitted anew
without a group, and the penalty, the temperature and the weight of its probe are those that predict the group best. The
same holds for every method, whether it sees labels, pairs or nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import GroupKFold, KFold

from beyond_alignment.fusion.logistic import LogisticData, LogisticModel, fit_logistic
from beyond_alignment.fusion.ridge import ridge_path

Kind = Literal["classification", "regression"]
Fold = tuple[NDArray[np.intp], NDArray[np.intp]]

N_INNER = 3
PENALTIES = (1e-2, 1e-1, 1.0, 10.0)
TEMPERATURES = (1.0, 1.5, 2.0, 3.0, 5.0, 8.0)
WEIGHTS = np.linspace(0, 1, 11)
SMOOTHING = 0.5


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """A representation that was fitted on some training spots, and what it makes of the others.

    Attributes
    ----------
    z
        Of the spots that it was fitted on (spot, feature).
    y
        Their labels (spot,) or targets (spot, target).
    z_out
        Of the spots that were held out (spot, feature).
    y_out
        Their labels or targets.
    """

    z: NDArray[np.floating]
    y: NDArray
    z_out: NDArray[np.floating]
    y_out: NDArray


@dataclass(frozen=True)
class ProbeSettings:
    """What is chosen for a probe.

    Attributes
    ----------
    penalty
        Weight of the ridge term, relative to the number of spots and to the mean variance of the features.
    weight
        Of the probe's answer, against the class frequencies or the mean target, from 0 to 1.
    temperature
        By which logits are divided, 1 or more.
    """

    penalty: float = PENALTIES[1]
    weight: float = 1.0
    temperature: float = 1.0


@dataclass(frozen=True)
class Choice:
    """The settings that do best on held-out spots.

    Attributes
    ----------
    settings
        What is chosen.
    score
        Mean log-likelihood there, nats, or minus the squared error in units of the variance; minus infinity where
        nothing could be held out.
    """

    settings: ProbeSettings = ProbeSettings()
    score: float = -np.inf


def inner_folds(n: int, groups: ArrayLike | None, *, n_inner: int = N_INNER, seed: int = 0) -> list[Fold]:
    """Split training spots again, by group where there are two groups or more.

    Parameters
    ----------
    n
        Number of training spots; a single one cannot be split.
    groups
        (spot,), or None.
    n_inner
        Folds at most.
    seed
        Of the folds where there are no groups.
    """
    if n < 2:
        return []
    values = None if groups is None else np.asarray(groups)
    n_groups = 0 if values is None else len(np.unique(values))
    if n_groups > 1:
        return list(GroupKFold(min(n_inner, n_groups)).split(np.zeros(n), groups=values))
    return list(KFold(min(n_inner, n), shuffle=True, random_state=seed).split(np.zeros(n)))


def smoothed(counts: ArrayLike) -> NDArray[np.float64]:
    """Return frequencies of counts with half a count added to each: a class never seen keeps a finite cost."""
    padded = np.asarray(counts, dtype=np.float64) + SMOOTHING
    return padded / padded.sum(axis=-1, keepdims=True)


def spread(z: NDArray[np.floating]) -> float:
    """Return the mean variance of features (spot, feature), the unit of a penalty; 1 where none varies."""
    found = float(np.asarray(z, dtype=np.float64).var(axis=0).mean())
    return found if found > 0 and np.isfinite(found) else 1.0


def choose(rehearsals: Sequence[Sequence[Rehearsal]], kinds: Sequence[Kind], *, device: str = "cpu") -> list[Choice]:
    """Return for each method what does best over its rehearsals, all logistic regressions side by side.

    A rehearsal that shows one class alone is left out. The arithmetic is in double precision: what is chosen must not
    depend on company.

    Parameters
    ----------
    rehearsals
        Of each method, of the same kind of labels.
    kinds
        ``classification`` or ``regression``, one a method.
    device
        Where the logistic regressions are computed.
    """
    usable = [
        [one for one in some if kind == "regression" or len(np.unique(one.y)) > 1]
        for some, kind in zip(rehearsals, kinds, strict=True)
    ]
    data = [
        LogisticData(one.z, np.unique(one.y, return_inverse=True)[1], penalties_of(one.z))
        for some, kind in zip(usable, kinds, strict=True)
        if kind == "classification"
        for one in some
    ]
    fits = iter(fit_logistic(data, device=device))
    return [
        Choice()
        if not some
        else _choose_class(some, [next(fits) for _ in some])
        if kind == "classification"
        else _choose_ridge(some)
        for some, kind in zip(usable, kinds, strict=True)
    ]


def penalties_of(z: NDArray[np.floating]) -> tuple[float, ...]:
    """Return all penalties in the unit of a representation (spot, feature)."""
    unit = spread(z)
    return tuple(penalty * unit for penalty in PENALTIES)


def _choose_class(rehearsals: Sequence[Rehearsal], fits: Sequence[Sequence[LogisticModel]]) -> Choice:
    """Choose by log-likelihood; ``fits`` are by rehearsal and penalty."""
    classes = np.unique(np.concatenate([np.r_[one.y, one.y_out] for one in rehearsals]))
    held, before = [], []
    for one, models in zip(rehearsals, fits, strict=True):
        n, codes, truth = len(one.y), np.searchsorted(classes, one.y), np.searchsorted(classes, one.y_out)
        before.append(smoothed(np.bincount(codes, minlength=len(classes)))[truth])
        given = np.zeros((len(TEMPERATURES), len(models), len(truth), len(classes)))
        for i, temperature in enumerate(TEMPERATURES):
            given[i][..., np.unique(codes)] = [model.predict_proba(one.z_out, temperature) for model in models]
        right = given[..., np.arange(len(truth)), truth]  # (temperature, penalty, spot)
        held.append((right * n + SMOOTHING) / (n + SMOOTHING * len(classes)))
    given, frequency = np.concatenate(held, axis=-1), np.concatenate(before)
    scores = np.stack([np.log(w * given + (1 - w) * frequency).mean(axis=-1) for w in WEIGHTS], axis=1)
    t, w, p = np.unravel_index(np.argmax(scores), scores.shape)
    return Choice(ProbeSettings(PENALTIES[p], float(WEIGHTS[w]), TEMPERATURES[t]), float(scores[t, w, p]))


def _choose_ridge(rehearsals: Sequence[Rehearsal]) -> Choice:
    """Choose by squared error."""
    errors, power = np.zeros((len(PENALTIES), len(WEIGHTS))), 0.0
    for one in rehearsals:
        y, truth = (np.asarray(values, dtype=np.float64) for values in (one.y, one.y_out))
        for row, (coefficients, constant) in zip(errors, ridge_path(one.z, y, penalties_of(one.z)), strict=True):
            level = y.mean(axis=0)
            moved = one.z_out @ coefficients.T + constant - level
            row += [np.sum((w * moved + level - truth) ** 2) for w in WEIGHTS]
        power += float(np.sum((truth - y.mean(axis=0)) ** 2))
    p, w = np.unravel_index(np.argmin(errors), errors.shape)
    score = -float(errors[p, w]) / (power if power > 0 else 1.0)
    return Choice(ProbeSettings(PENALTIES[p], float(WEIGHTS[w])), score)
