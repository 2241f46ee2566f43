"""One fusion method on draws of known truth: fitted on labels that stand for one term each, and read by both probes."""

import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from beyond_alignment.benchmark.captured_probes import PROBES, Reading, tell
from beyond_alignment.benchmark.predictions import Arrays
from beyond_alignment.fusion import FUSION_METHODS, Fusion, make_fusion
from beyond_alignment.fusion.baselines import LateAverage
from beyond_alignment.fusion.pairs import Means, TrainingSet
from beyond_alignment.fusion.together import Failure, failure_of, fit_together
from beyond_alignment.fusion.tuning import tune
from beyond_alignment.simulate import LinearEmbeddingTask, linear_embedding_task

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "redundancy": "redundant",
        "unique1": "unique1",
        "unique2": "unique2",
        "synergy_additive": "and",
        "synergy_interaction": "xor",
    }
)
"""Term of the decomposition -> label that stands for it: all that it holds, but for AND what comes on top of I1."""
SETTINGS = ("alone", "together")
TUNING_SEED = 1_000_000
N_PROBE, N_TEST = 8000, 8000
READ = ("bits", "chance", "spread")


class Cell(NamedTuple):
    """One label of one draw, read from one method's representation.

    Attributes
    ----------
    method
        Name of the fusion method.
    setting
        ``alone``: both embeddings hold the bits of this label; ``together``: those of all labels.
    term
        Key of :data:`LABELS`.
    seed
        Of the draw and of the method.
    """

    method: str
    setting: str
    term: str
    seed: int


@dataclass(frozen=True, eq=False)
class Draw:
    """Samples of one draw: the first fit methods, the next fit probes, the last are scored.

    Attributes
    ----------
    task
        All samples.
    sets
        Label -> what a method is fitted on; all share one pair of arrays.
    n
        Samples that fit a method.
    """

    task: LinearEmbeddingTask
    sets: Mapping[str, TrainingSet]
    n: int

    @property
    def unseen(self) -> Means:
        """Both embeddings of the samples of the probe (sample, feature)."""
        return self.task.x1[self.n :], self.task.x2[self.n :]

    def reading(self, label: str, z: NDArray[np.float64]) -> Reading:
        """Return a representation of the unseen samples with their labels."""
        y = self.task.labels[label][self.n :]
        return Reading(z[:N_PROBE], y[:N_PROBE], z[N_PROBE:], y[N_PROBE:], self.task.truths[label].sum(axis=(0, 1)))


def draw_cells(cells: Sequence[Cell], n: int) -> dict[Cell, Draw]:
    """Return the draw of each cell, the same object where it is the same draw.

    Parameters
    ----------
    cells
        Of any methods.
    n
        Samples that fit a method.
    """
    made: dict[tuple[str, int], Draw] = {}
    found = {}
    for cell in cells:
        kind = LABELS[cell.term] if cell.setting == "alone" else "every_term"
        if (kind, cell.seed) not in made:
            task = linear_embedding_task(kind, n=n + N_PROBE + N_TEST, seed=cell.seed)
            pair = task.x1[:n], task.x2[:n]
            sets = {label: TrainingSet(pair, y[:n]) for label, y in task.labels.items()}
            made[kind, cell.seed] = Draw(task, sets, n)
        found[cell] = made[kind, cell.seed]
    return found


def measure(cells: Sequence[Cell], *, n: int, tuned: bool) -> list[Arrays]:
    """Fit one method for cells of one setting side by side, and read them.

    A method that sees no label is fitted once for all labels of a draw, unless their trials differ.

    Parameters
    ----------
    cells
        Of one method and setting.
    n
        Samples that fit the method.
    tuned
        Choose each network's trial on a draw that is not measured.

    Returns
    -------
    list
        Cell by cell: bits, chance and spread (probe,), seconds (its share) and failure (a sentence, empty for none).
    """
    start = time.perf_counter()
    with threadpool_limits(1):
        draws = draw_cells(cells, n)
        chosen = _estimators(cells, n, tuned=tuned)
        models = _fit(cells, draws, chosen)
        answers, readings = {}, {}
        for cell, model in zip(cells, models, strict=True):
            try:
                if isinstance(model, Failure):
                    answers[cell] = _failed(model)
                else:
                    readings[cell] = draws[cell].reading(LABELS[cell.term], represent(model, draws[cell].unseen))
            except Exception as error:  # noqa: BLE001 one cell must not end the others
                answers[cell] = _failed(failure_of(error))
        told = {probe: dict(zip(readings, tell(probe, list(readings.values())), strict=True)) for probe in PROBES}
    share = np.array((time.perf_counter() - start) / len(cells))
    for cell in readings:
        values = {name: np.array([getattr(told[probe][cell], name) for probe in PROBES]) for name in READ}
        answers[cell] = values | {"failure": np.array("")}
    return [answers[cell] | {"seconds": share} for cell in cells]


def represent(model: Fusion, pair: Means) -> NDArray[np.float64]:
    """Return what leaves a fitted method (sample, feature): of late average its pooled probabilities.

    Parameters
    ----------
    model
        Fitted; a method that reads neighbours is given none.
    pair
        Both embeddings (sample, feature).
    """
    return model.predict_proba(pair) if isinstance(model, LateAverage) else model.transform(pair)


def _estimators(cells: Sequence[Cell], n: int, *, tuned: bool) -> list[Fusion]:
    """Return the unfitted estimator of each cell, its trial chosen once for a label."""
    first = {cell.term: cell._replace(seed=TUNING_SEED) for cell in cells}
    plain = {term: make_fusion(cell.method) for term, cell in first.items()}
    if tuned and FUSION_METHODS[cells[0].method].network is not None:
        draws = draw_cells(list(first.values()), n)
        sets = [draws[cell].sets[LABELS[term]] for term, cell in first.items()]
        plain = dict(zip(first, tune(list(plain.values()), sets), strict=True))
    return [clone(plain[cell.term]).set_params(seed=cell.seed) for cell in cells]


def _fit(cells: Sequence[Cell], draws: Mapping[Cell, Draw], estimators: Sequence[Fusion]) -> list[Fusion | Failure]:
    """Fit the estimators together; those that would come out the same are fitted once."""
    places: dict[Hashable, int] = {}
    blind = FUSION_METHODS[cells[0].method].trained_on != "labels"
    alike = []
    for i, (cell, estimator) in enumerate(zip(cells, estimators, strict=True)):
        parameters = repr(sorted(estimator.get_params(deep=False).items(), key=lambda item: item[0]))
        alike.append(places.setdefault((id(draws[cell]), parameters, None if blind else cell.term), i))
    distinct = sorted(set(alike))
    sets = [draws[cells[i]].sets[LABELS[cells[i].term]] for i in distinct]
    fitted = dict(zip(distinct, fit_together([estimators[i] for i in distinct], sets), strict=True))
    return [fitted[i] for i in alike]


def _failed(failure: Failure) -> Arrays:
    """Return the arrays of a cell without an answer."""
    nothing = {name: np.full(len(PROBES), np.nan) for name in READ}
    return nothing | {"failure": np.array(failure.reason)}
