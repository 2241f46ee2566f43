"""The nested choice of training hyper-parameters: the same few trials for every network, none of them on test spots."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from sklearn.base import clone

from beyond_alignment.fusion.base import Fusion, TrainingSet
from beyond_alignment.fusion.neural import NeuralFusion
from beyond_alignment.fusion.rehearsal import Rehearsal, choose
from beyond_alignment.fusion.together import (
    Failure,
    InnerSets,
    Play,
    Progress,
    device_of_probes,
    fit_heads,
    rehearse_all,
    train_all,
)

Trial = Mapping[str, float]
TRIALS: tuple[Trial, ...] = tuple(
    {"learning_rate": rate, "weight_decay": decay} for rate in (1e-3, 5e-3) for decay in (1e-2, 1.0)
)
SHARED_SEED = 0


def fit_tuned(
    estimators: Sequence[Fusion],
    sets: Sequence[TrainingSet],
    *,
    trials: Sequence[Trial] = TRIALS,
    share_seeds: bool = True,
    progress: Progress | None = None,
) -> list[Fusion | Failure]:
    """Choose each network's trial and fit it with that, for all estimators at once.

    The trials are compared on the first inner fold of the training spots; the best one is rehearsed on the others too,
    and the penalty, temperature and weight of the probe are those that do best over all inner folds. A method without
    hyper-parameters is rehearsed on the same folds. What comes out for an estimator does not depend on the others.

    Parameters
    ----------
    estimators
        Unfitted; left as they are.
    sets
        One an estimator; pass the same object where estimators share one.
    trials
        Values of parameters of :class:`NeuralFusion`.
    share_seeds
        Whether trial and probe settings are chosen once for all seeds, with seed 0, so that seeds differ in what they
        draw alone; else each seed chooses for itself.
    progress
        Called with the number of network updates that were made since the last call.

    Returns
    -------
    list
        Fitted copies; in the place of one that cannot be fitted or diverges, why. The others go on.
    """
    inner = InnerSets()
    chosen, done = _choose_trials(estimators, sets, trials, 1, inner, share_seeds=share_seeds, progress=progress)
    asked = [_question(one, given, share_seeds=share_seeds) for one, given in zip(chosen, sets, strict=True)]
    plays: list[Play] = []
    known: dict[Hashable, list[Rehearsal]] = {}
    for question, one, given, first in zip(asked, chosen, sets, done, strict=True):
        if question not in known:
            known[question] = first
            leader = _leader(one, share_seeds=share_seeds)
            folds = inner.of(given, leader.seed)[1 if isinstance(one, NeuralFusion) else 0 :]
            plays += [Play(question, clone(leader), *pair) for pair in folds]
    n = len(chosen)
    failures = train_all(
        [*chosen, *(play.estimator for play in plays)], [*sets, *(play.inner for play in plays)], progress=progress
    )
    lost = {number - n for number in failures if number >= n}
    found = rehearse_all([play for number, play in enumerate(plays) if number not in lost])
    rehearsals = [[*known[question], *found.get(question, [])] for question in asked]
    return fit_heads(chosen, sets, rehearsals, {i: failure for i, failure in failures.items() if i < n})


def tune(
    estimators: Sequence[Fusion],
    sets: Sequence[TrainingSet],
    *,
    trials: Sequence[Trial] = TRIALS,
    n_folds: int = 1,
    share_seeds: bool = True,
    progress: Progress | None = None,
) -> list[Fusion]:
    """Choose each network's trial on the groups of its training spots, all trials of all estimators at once.

    A trial is fitted on the other inner groups and scored on the held-out one by what the common probe predicts there,
    under the penalty, temperature and weight that do best there: mean log-likelihood, or minus the squared error. A
    trial that diverges loses.

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
        As in :func:`fit_tuned`.
    progress
        Called with the number of network updates that were made since the last call.

    Returns
    -------
    list
        Unfitted copies with the chosen values; methods without a network as they are.
    """
    return _choose_trials(estimators, sets, trials, n_folds, InnerSets(), share_seeds=share_seeds, progress=progress)[0]


def _choose_trials(
    estimators: Sequence[Fusion],
    sets: Sequence[TrainingSet],
    trials: Sequence[Trial],
    n_folds: int,
    inner: InnerSets,
    *,
    share_seeds: bool,
    progress: Progress | None,
) -> tuple[list[Fusion], list[list[Rehearsal]]]:
    """Return each estimator with the values of its best trial, and the rehearsals of that trial."""
    asked = [
        _question(one, given, share_seeds=share_seeds) if isinstance(one, NeuralFusion) else None
        for one, given in zip(estimators, sets, strict=True)
    ]
    leaders = {question: i for i, question in reversed(list(enumerate(asked))) if question is not None}
    plays: list[Play] = []
    owners: list[tuple[Hashable, int, int]] = []  # question, trial, fold
    for question, i in leaders.items():
        leader = _leader(estimators[i], share_seeds=share_seeds)
        for number, pair in enumerate(inner.of(sets[i], leader.seed)[:n_folds]):
            for j, trial in enumerate(trials):
                owners.append((question, j, number))
                plays.append(Play(owners[-1], clone(leader).set_params(**trial), *pair))
    lost = train_all([play.estimator for play in plays], [play.inner for play in plays], progress=progress)
    found = rehearse_all([play for number, play in enumerate(plays) if number not in lost])
    kinds = [play.estimator.kind for play in plays]
    device = device_of_probes(play.estimator for play in plays)
    choices = choose([found.get(owner, []) for owner in owners], kinds, device=device)
    scores: dict[Hashable, list[float]] = {question: [0.0] * len(trials) for question in leaders}
    for (question, j, _), choice in zip(owners, choices, strict=True):
        scores[question][j] += choice.score
    best = {question: int(np.argmax(values)) for question, values in scores.items()}
    chosen, done = [], []
    for question, one in zip(asked, estimators, strict=True):
        chosen.append(clone(one) if question is None else clone(one).set_params(**trials[best[question]]))
        kept = [] if question is None else [found.get((question, best[question], k), []) for k in range(n_folds)]
        done.append([rehearsal for some in kept for rehearsal in some])
    return chosen, done


def _leader(estimator: Fusion, *, share_seeds: bool) -> Fusion:
    """Return the estimator that chooses for one."""
    return clone(estimator).set_params(seed=SHARED_SEED) if share_seeds else estimator


def _question(estimator: Fusion, given: TrainingSet, *, share_seeds: bool) -> Hashable:
    """Return what two estimators share when the choice for one is the choice for the other."""
    parameters = estimator.get_params(deep=False)
    if share_seeds:
        parameters.pop("seed")
    return id(given), type(estimator), repr(sorted(parameters.items(), key=lambda item: item[0]))
