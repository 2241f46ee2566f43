"""A label that one modality tells of some spots and the other of the rest: what pooling leaves of it."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from beyond_alignment.benchmark.captured_cells import N_PROBE, N_TEST, TUNING_SEED, represent
from beyond_alignment.benchmark.captured_probes import PROBES, Reading, tell
from beyond_alignment.errors import InputError
from beyond_alignment.fusion import FUSION_METHODS, make_fusion
from beyond_alignment.fusion.pairs import TrainingSet
from beyond_alignment.fusion.together import Failure, fit_together
from beyond_alignment.fusion.tuning import tune
from beyond_alignment.information import PID
from beyond_alignment.simulate import LinearEmbeddingTask, decompose, linear_embedding_task, symbol_table
from beyond_alignment.study import each

RELEVANCE = ("constant", "varying")
POOLINGS = ("global_pooling", "attention_pooling")


def relevance_truth(relevance: str) -> PID:
    """Return the exact decomposition of a label, in bits.

    Parameters
    ----------
    relevance
        ``varying``: a bit that both modalities show says which of them holds the label; ``constant``: the first one
        always does.
    """
    sizes = dict.fromkeys(("s", "u1", "u2"), 2)
    return decompose(symbol_table(sizes, ("s", "u1"), ("s", "u2"), lambda s, u1, u2: _label(relevance, s, u1, u2)))


def relevance_study(
    methods: Sequence[str] = POOLINGS,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    n: int = 8000,
    tuned: bool = True,
) -> pd.DataFrame:
    """Measure what a representation holds of a label whose source is the same for all samples, or is not.

    Embeddings are those of ``linear_embedding_task`` with the bits of every term,
    most of which have nothing to do with the label. Methods are fitted at the common size, probes on other samples, and
    scored on others still, as in :func:`~beyond_alignment.benchmark.captured`.

    Parameters
    ----------
    methods
        Names of fusion methods.
    seeds
        Of the draws, their maps and the methods.
    n
        Samples that a method is fitted on.
    tuned
        Choose each network's trial on a draw that is not measured.

    Returns
    -------
    pandas.DataFrame
        One row a method, relevance, seed and probe: n, bits (told) and label_bits (the most there is).

    Raises
    ------
    InputError
        If a method is unknown, or cannot be fitted.
    """
    unknown = [name for name in methods if name not in FUSION_METHODS]
    if unknown:
        raise InputError(f"{', '.join(unknown)} is no fusion method; choose among {', '.join(FUSION_METHODS)}.")
    plan = [{"method": method, "relevance": relevance} for method in methods for relevance in RELEVANCE]
    found = dict(each(partial(_measure, seeds=tuple(seeds), n=n, tuned=tuned), plan, what="relevance"))
    most = {relevance: relevance_truth(relevance).I12 for relevance in RELEVANCE}
    return pd.DataFrame(
        row | {"seed": seed, "probe": probe, "n": n, "bits": bits, "label_bits": most[row["relevance"]]}
        for number, row in enumerate(plan)
        for seed, told in zip(seeds, found[number], strict=True)
        for probe, bits in zip(PROBES, told, strict=True)
    )


def _label(relevance: str, s: Any, u1: Any, u2: Any) -> Any:
    """Return the label: a bit of the first modality, or of the one that the shared bit names."""
    return u1 if relevance == "constant" else np.where(s, u2, u1)


def _labels(task: LinearEmbeddingTask, relevance: str) -> NDArray[np.int64]:
    """Return the label of each sample (sample,)."""
    bits = (task.labels[name] for name in ("redundant", "unique1", "unique2"))
    return np.asarray(_label(relevance, *bits), dtype=np.int64)


def _measure(method: str, relevance: str, *, seeds: tuple[int, ...], n: int, tuned: bool) -> list[list[float]]:
    """Fit one method on each draw, and return what each probe tells: bits (seed, probe)."""
    with threadpool_limits(1):
        draws = [linear_embedding_task("every_term", n=n + N_PROBE + N_TEST, seed=seed) for seed in seeds]
        sets = [TrainingSet((d.x1[:n], d.x2[:n]), _labels(d, relevance)[:n]) for d in draws]
        chosen = make_fusion(method)
        if tuned and FUSION_METHODS[method].network is not None:
            other = linear_embedding_task("every_term", n=n, seed=TUNING_SEED)
            chosen = tune([chosen], [TrainingSet((other.x1, other.x2), _labels(other, relevance))])[0]
        models = fit_together([clone(chosen).set_params(seed=seed) for seed in seeds], sets)
        readings = []
        for model, drawn in zip(models, draws, strict=True):
            if isinstance(model, Failure):
                raise InputError(f"{method} cannot be fitted on the label of {relevance} relevance: {model.reason}")
            z, y = represent(model, (drawn.x1[n:], drawn.x2[n:])), _labels(drawn, relevance)[n:]
            half = np.full(2, 0.5)
            readings.append(Reading(z[:N_PROBE], y[:N_PROBE], z[N_PROBE:], y[N_PROBE:], half))
        told = [tell(probe, readings) for probe in PROBES]
    return [[one.bits for one in of_seed] for of_seed in zip(*told, strict=True)]
