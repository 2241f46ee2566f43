"""One fine-tuned expert on one fold: trained on a subset of the training spots, read on the test spots."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from beyond_alignment.benchmark.predictions import Arrays
from beyond_alignment.benchmark.problem import Problem, inner_groups
from beyond_alignment.benchmark.runner import predict_held_out
from beyond_alignment.errors import InputError
from beyond_alignment.experts.finetuning import FinetuneSettings, finetune, finetune_surrogate
from beyond_alignment.experts.finetuning.finetune import Finetuned
from beyond_alignment.experts.finetuning.loop import Diverged
from beyond_alignment.experts.finetuning.stages import Stages
from beyond_alignment.tasks.splits import Split


@dataclass(frozen=True, eq=False)
class _Reader:
    """A fine-tuned expert as the benchmark reads a method: it looks at one side of the pair."""

    found: Finetuned

    @property
    def classes_(self) -> NDArray[Any]:
        return self.found.targets.classes

    def predict_proba(self, pair: tuple[NDArray, NDArray]) -> NDArray[np.float64]:
        return self.found.predict_proba(pair[0])

    def predict(self, pair: tuple[NDArray, NDArray]) -> NDArray[Any]:
        return self.found.predict(pair[0])


@dataclass(frozen=True, eq=False)
class RawInput:
    """What a fine-tuned expert reads in one fold.

    Attributes
    ----------
    raw
        All spots of the problem (spot, ...): as the network reads them, or as they enter its last blocks.
    stages
        Network that the fold starts from; None for the surrogate, which is made from its training spots.
    seconds, operations
        What one spot took before it entered; 0 where nothing was run beforehand.
    """

    raw: NDArray
    stages: Stages | None
    seconds: float = 0.0
    operations: float = 0.0


def finetuned_cell(given: RawInput, problem: Problem, split: Split, settings: FinetuneSettings) -> Arrays:
    """Fine-tune on the training spots of one fold and predict its test spots.

    Parameters
    ----------
    given
        The spots and the network to start from.
    problem
        The labelled spots.
    split
        Training spots, a subset of the fold's, and its test spots. Inner splits keep whole the widest unit of which the
        training spots hold two, or every spot where they hold one alone.
    settings
        How.

    Returns
    -------
    dict
        Probability (spot, class) or targets (spot, target), guess (spot,), frequency, and ``spent``: seconds (training
        and test spots), floating-point operations (training spots), trained parameters, epochs and training spots;
        what a spot took beforehand is counted in every fit.

    Raises
    ------
    InputError
        If training diverges.
    """
    raw, rows, labels = given.raw, split.train, problem.labels[split.train]
    units = inner_groups(problem, rows)
    groups = np.arange(len(rows)) if units is None else units
    start = time.perf_counter()
    with threadpool_limits(1):
        try:
            if given.stages is None:
                found = finetune_surrogate(
                    raw[rows], labels, groups, kind=problem.kind, settings=settings, device="cpu"
                )
            else:
                found = finetune(given.stages, raw[rows], labels, groups, kind=problem.kind, settings=settings)
        except Diverged as error:
            raise InputError(f"{error} Leave this point out, or lower the learning rate.") from error
        held_out = raw[split.test], raw[split.test]
        predicted, guess, frequency = predict_held_out(_Reader(found), problem, held_out, rows)  # type: ignore[arg-type]
    seconds = time.perf_counter() - start + given.seconds * (len(rows) + len(split.test))
    operations = found.cost.flops + given.operations * len(rows)
    spent = [seconds, operations, float(found.n_parameters), float(found.chosen.epochs)]
    return {
        "probability": predicted,
        "guess": guess,
        "frequency": np.broadcast_to(np.asarray(frequency, dtype=np.float64), predicted.shape),
        "spent": np.array([*spent, float(len(rows))]),
    }
