"""Fits many estimators as one computation, each to what its own ``fit`` would give."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sklearn.base import clone

from beyond_alignment.experts.compute import resolve_device
from beyond_alignment.fusion.base import EXPECTED, Fusion, TrainingSet
from beyond_alignment.fusion.batches import SpotSet
from beyond_alignment.fusion.neural import NeuralFusion
from beyond_alignment.fusion.probe import ProbeProblem, fit_probes
from beyond_alignment.fusion.rehearsal import Rehearsal
from beyond_alignment.fusion.training import train_together

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Failure:
    """Why an estimator has no answer.

    Attributes
    ----------
    reason
        One sentence.
    lasting
        Whether it would fail in the same way again.
    """

    reason: str
    lasting: bool = True


def failure_of(error: BaseException) -> Failure:
    """Return what an exception says; bad input and bad arithmetic fail again, anything else may not."""
    return Failure(" ".join(str(error).split()) or type(error).__name__, lasting=isinstance(error, EXPECTED))


def fit_together(
    estimators: Sequence[Fusion], sets: Sequence[TrainingSet], *, progress: Progress | None = None
) -> list[Fusion | Failure]:
    """Fit estimators in place, each on its own training set, its rehearsals included.

    Networks of one kind train side by side, and all probes are fitted at once. Pass the same :class:`TrainingSet`
    object where estimators share one.

    Parameters
    ----------
    estimators
        Unfitted, of any methods, kinds and seeds.
    sets
        One an estimator.
    progress
        Called with the number of network updates that were made since the last call.

    Returns
    -------
    list
        The fitted estimators; in the place of one that cannot be fitted or diverges, why. The others go on.
    """
    inner = InnerSets()
    plays = [
        Play(i, clone(estimator), *pair)
        for i, (estimator, given) in enumerate(zip(estimators, sets, strict=True))
        for pair in inner.of(given, estimator.seed)
    ]
    failures = train_all(
        [*estimators, *(play.estimator for play in plays)], [*sets, *(play.inner for play in plays)], progress=progress
    )
    n = len(estimators)
    lost = {number - n for number in failures if number >= n}
    rehearsals = rehearse_all([play for number, play in enumerate(plays) if number not in lost])
    own = {i: failure for i, failure in failures.items() if i < n}
    return fit_heads(estimators, sets, [rehearsals.get(i, []) for i in range(n)], own)


@dataclass(frozen=True, eq=False)
class Play:
    """A copy of an estimator that is to be fitted without one inner fold.

    Attributes
    ----------
    owner
        Whose rehearsal it is.
    estimator
        The copy.
    inner, outer
        What it is fitted on, and what is held out.
    """

    owner: Hashable
    estimator: Fusion
    inner: TrainingSet
    outer: TrainingSet


class InnerSets:
    """The inner folds of each training set, made once."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int], list[tuple[TrainingSet, TrainingSet]]] = {}

    def of(self, given: TrainingSet, seed: int) -> list[tuple[TrainingSet, TrainingSet]]:
        """Return for each fold what is left and what is held out; nothing where the set cannot be read at all."""
        key = id(given), seed
        if key not in self._made:
            try:
                self._made[key] = given.rehearsals(seed)
            except (ValueError, IndexError, TypeError):  # what is wrong with the set is said when it is fitted
                self._made[key] = []
        return self._made[key]


def rehearse_all(plays: Iterable[Play]) -> dict[Hashable, list[Rehearsal]]:
    """Return the rehearsals of each owner, in the order of the folds; one that is not finite is left out."""
    found: defaultdict[Hashable, list[Rehearsal]] = defaultdict(list)
    for play in plays:
        try:
            found[play.owner].append(play.estimator.rehearsed(play.inner, play.outer))
        except EXPECTED:
            continue
    return dict(found)


def train_all(
    estimators: Sequence[Fusion], sets: Sequence[TrainingSet], *, progress: Progress | None = None
) -> dict[int, Failure]:
    """Fit the representations of estimators in place, without probes.

    Returns
    -------
    dict
        Number of an estimator that cannot be fitted or diverges -> why.
    """
    failures: dict[int, Failure] = {}
    spots: dict[int, SpotSet] = {}
    kinds: defaultdict[Hashable, dict[int, NeuralFusion]] = defaultdict(dict)
    for i, (estimator, given) in enumerate(zip(estimators, sets, strict=True)):
        with _guarded(failures, [i]):
            if isinstance(estimator, NeuralFusion):
                estimator.plan()
                spots[i] = estimator.prepare(given)
                kinds[_kind(estimator)][i] = estimator
            else:
                estimator.train(given)
    for members in kinds.values():
        with _guarded(failures, members):
            outcomes = train_together(
                [one.network_ for one in members.values()],
                [spots[i] for i in members],
                [one.plan() for one in members.values()],
                device=resolve_device(next(iter(members.values())).device),
                progress=progress,
            )
            for (i, one), outcome in zip(members.items(), outcomes, strict=True):
                with _guarded(failures, [i]):
                    one.finish(outcome)
    return failures


def fit_heads(
    estimators: Sequence[Fusion],
    sets: Sequence[TrainingSet],
    rehearsals: Sequence[Sequence[Rehearsal]],
    failures: dict[int, Failure],
) -> list[Fusion | Failure]:
    """Fit the probes of estimators whose representations are fitted.

    Parameters
    ----------
    estimators
        With a fitted representation, but for those that failed.
    sets
        What each was fitted on.
    rehearsals
        What the settings of each one's probe are chosen on.
    failures
        By number of the estimator.

    Returns
    -------
    list
        The fitted estimators, or why there is none.
    """
    problems: dict[int, list[ProbeProblem]] = {}
    for i, (estimator, given, held) in enumerate(zip(estimators, sets, rehearsals, strict=True)):
        with _guarded(failures, [i]):
            if i not in failures:
                problems[i] = estimator.head_problems(estimator.represent_training(given), given, held)
    device = device_of_probes(estimators)
    fitted = iter(fit_probes([problem for some in problems.values() for problem in some], device=device))
    for i, some in problems.items():
        estimators[i].take_heads([next(fitted) for _ in some])
    return [failures.get(i, estimator) for i, estimator in enumerate(estimators)]


def device_of_probes(estimators: Iterable[Fusion]) -> str:
    """Return where the probes of estimators are fitted: on a GPU if any of them is trained there."""
    return resolve_device("auto").type if any(one.device != "cpu" for one in estimators) else "cpu"


@contextmanager
def _guarded(failures: dict[int, Failure], members: Iterable[int]) -> Iterator[None]:
    """Note an error as the failure of some estimators, so that the others go on."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 one of many must not end the others
        failures.update(dict.fromkeys(members, failure_of(error)))


def _kind(estimator: NeuralFusion) -> Hashable:
    """Return what networks must share to train side by side, besides their sizes."""
    return estimator.network, estimator.device, repr(sorted((estimator.options or {}).items()))
