"""The nested choice of training hyper-parameters: the same few trials for every network, none of them on test spots."""

from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np
from sklearn.base import clone

from beyond_alignment.fusion.base import Fusion, TrainingSet
from beyond_alignment.fusion.neural import NeuralFusion
from beyond_alignment.fusion.probe import inner_folds, smoothed
from beyond_alignment.fusion.together import Failure, fit_together

TRIALS: tuple[Mapping[str, float], ...] = tuple(
    {"learning_rate": rate, "weight_decay": decay} for rate in (1e-3, 5e-3) for decay in (1e-2, 1.0)
)
N_INNER = 3


def tune(
    estimators: Sequence[Fusion],
    sets: Sequence[TrainingSet],
    *,
    trials: Sequence[Mapping[str, float]] = TRIALS,
    n_folds: int = 1,
    share_seeds: bool = True,
    progress: Callable[[int], None] | None = None,
) -> list[Fusion]:
    """Choose each network's trial on the groups of its training spots, all trials of all estimators at once.

    A trial is fitted on the other inner groups and scored on the held-out one by what the common probe predicts there:
    mean log-likelihood, or minus the mean squared error of standardised targets. A trial that diverges loses.

    Parameters
    ----------
    estimators
        Unfitted; left as they are.
    sets
        One an estimator; pass the same object where estimators share one.
    trials
        Values of parameters of :class:`NeuralFusion`.
    n_folds
        Of the three inner folds, how many are held out in turn.
    share_seeds
        Whether estimators that differ in their seed alone share the choice of the first of them.
    progress
        Called with the number of network updates that were made since the last call.

    Returns
    -------
    list
        Unfitted copies with the chosen values; methods without a network as they are.
    """
    leaders: dict[Hashable, int] = {}
    for i, (estimator, given) in enumerate(zip(estimators, sets, strict=True)):
        if isinstance(estimator, NeuralFusion):
            leaders.setdefault(_question(estimator, given, share_seeds=share_seeds), i)
    folds: dict[tuple[int, int], list[tuple[TrainingSet, TrainingSet]]] = {}
    jobs: list[tuple[int, int, Fusion, TrainingSet, TrainingSet]] = []
    for i in leaders.values():
        estimator, given = estimators[i], sets[i]
        key = id(given), estimator.seed
        if key not in folds:
            folds[key] = _inner_sets(given, n_folds=n_folds, seed=estimator.seed)
        jobs += [
            (i, j, clone(estimator).set_params(**trial), inner, outer)
            for inner, outer in folds[key]
            for j, trial in enumerate(trials)
        ]
    fitted = fit_together([job[2] for job in jobs], [job[3] for job in jobs], progress=progress)
    scores = {i: np.zeros(len(trials)) for i in leaders.values()}
    for (i, j, _, inner, outer), model in zip(jobs, fitted, strict=True):
        scores[i][j] += _score(model, inner, outer)
    chosen: list[Fusion] = []
    for estimator, given in zip(estimators, sets, strict=True):
        if isinstance(estimator, NeuralFusion):
            best = scores[leaders[_question(estimator, given, share_seeds=share_seeds)]]
            chosen.append(clone(estimator).set_params(**trials[int(np.argmax(best))]))
        else:
            chosen.append(clone(estimator))
    return chosen


def _question(estimator: NeuralFusion, given: TrainingSet, *, share_seeds: bool) -> Hashable:
    """Return what two estimators share when the choice for one is the choice for the other."""
    parameters = estimator.get_params(deep=False)
    if share_seeds:
        parameters.pop("seed")
    return id(given), repr(sorted(parameters.items(), key=lambda item: item[0]))


def _inner_sets(given: TrainingSet, *, n_folds: int, seed: int) -> list[tuple[TrainingSet, TrainingSet]]:
    """Return what trials are fitted on and what they are scored on; nothing where a single spot cannot be split."""
    n = len(np.asarray(given.labels))
    if n < 2:
        return []
    folds = inner_folds(n, given.groups, n_inner=N_INNER, seed=seed)[:n_folds]
    return [(given.subset(train), given.subset(test)) for train, test in folds]


def _score(model: Fusion | Failure, inner: TrainingSet, outer: TrainingSet) -> float:
    """Return how well a fitted trial predicts held-out spots; minus infinity for one that failed there."""
    if isinstance(model, Failure):
        return -np.inf
    truth, known = np.asarray(outer.labels), np.asarray(inner.labels)
    try:
        if model.kind == "regression":
            error = (model.predict(outer.pair, neighbours=outer.neighbours) - truth) ** 2
            spread = known.var(axis=0)
            return -float(np.mean(error / np.where(spread > 0, spread, 1)))
        given = model.predict_proba(outer.pair, neighbours=outer.neighbours)
    except FloatingPointError:
        return -np.inf
    classes = np.union1d(known, truth)
    p = np.zeros((len(truth), len(classes)))
    p[:, np.searchsorted(classes, model.classes_)] = given
    p = smoothed(p * len(known)) if len(classes) > len(model.classes_) else p
    return float(np.mean(np.log(p[np.arange(len(truth)), np.searchsorted(classes, truth)])))
