"""Fits many estimators as one computation, each to what its own ``fit`` would give."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.experts.compute import resolve_device
from beyond_alignment.fusion.base import Fusion, TrainingSet
from beyond_alignment.fusion.batches import SpotSet
from beyond_alignment.fusion.neural import NeuralFusion, Reducer
from beyond_alignment.fusion.probe import ProbeProblem, fit_probes
from beyond_alignment.fusion.reduction import Reduction
from beyond_alignment.fusion.training import train_together

EXPECTED = (InputError, FloatingPointError, np.linalg.LinAlgError)


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
    estimators: Sequence[Fusion],
    sets: Sequence[TrainingSet],
    *,
    progress: Callable[[int], None] | None = None,
) -> list[Fusion | Failure]:
    """Fit estimators in place, each on its own training set.

    Networks of one kind train side by side, every reduction of the same spots is computed once, and all probes are
    fitted at once. Pass the same :class:`TrainingSet` object where estimators share one.

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
    failures: dict[int, Failure] = {}
    reductions = _Reductions()
    spots: dict[int, SpotSet] = {}
    kinds: defaultdict[Hashable, dict[int, NeuralFusion]] = defaultdict(dict)
    for i, (estimator, given) in enumerate(zip(estimators, sets, strict=True)):
        with _guarded(failures, [i]):
            if isinstance(estimator, NeuralFusion):
                estimator.plan()
                spots[i] = estimator.prepare(given, reductions.of(given))
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
    problems: dict[int, list[ProbeProblem]] = {}
    for i, (estimator, given) in enumerate(zip(estimators, sets, strict=True)):
        with _guarded(failures, [i]):
            if i not in failures:
                neural = isinstance(estimator, NeuralFusion)
                z = estimator.represent_spots(spots[i]) if neural else estimator.represent_training(given)
                problems[i] = estimator.head_problems(z, given)
    fitted = iter(fit_probes([problem for some in problems.values() for problem in some]))
    for i, some in problems.items():
        estimators[i].take_heads([next(fitted) for _ in some])
    return [failures.get(i, estimator) for i, estimator in enumerate(estimators)]


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


class _Reductions:
    """Reductions by what they were fitted on: a training set, a modality, a number of components and a seed."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Reduction] = {}

    def of(self, given: TrainingSet) -> Reducer:
        """Return what fits a reduction on a training set, unless it was fitted before."""

        def reduce(modality: int, x: NDArray[np.float64], n_components: int, seed: int) -> Reduction:
            key = id(given.pair[modality]), n_components, seed
            if key not in self._kept:
                self._kept[key] = Reduction(n_components=n_components, seed=seed).fit(x)
            return self._kept[key]

        return reduce
