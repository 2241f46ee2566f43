"""What alignment and interaction hold of known truth, against the number of pairs and along the dial."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from beyond_alignment.benchmark.captured_probes import PROBES, Reading, _drawn, _linear, _perceptrons, _scaled, told
from beyond_alignment.benchmark.collapse_representations import CONTENDERS, represent_unseen
from beyond_alignment.benchmark.store import Arrays, PointStore
from beyond_alignment.experts.compute import Device
from beyond_alignment.information.discrete import joint_informations
from beyond_alignment.information.generators import LinearEmbeddingTask
from beyond_alignment.information.known_truth.dial import N_SHARED, dial_theory, dialled_task, n_shared

ALIGNMENT_CODE = (
    "alignment",
    "fusion",
    "information",
    "tasks",
    *(f"benchmark/collapse_{part}.py" for part in ("by_size", "representations")),
    *(f"benchmark/{part}.py" for part in ("captured_probes", "tissue_ceilings", "tissue_pairs", "tissue_retained")),
)
"""What the points of the alignment page depend on, for the store: ``open_store(profile, code=ALIGNMENT_CODE)``."""
N_PROBE, N_TEST = 8000, 8000
HALF = 0.5
WIDE, NOISY = 64, 0.35
"""Features and noise where size is varied: hard enough that a hundred pairs do not do."""
EASY, CALM = 16, 0.25
"""The same along the dial, where noise should not hide what theory predicts."""


class Setting(NamedTuple):
    """One draw of the dialled task, and how alignment is asked.

    Attributes
    ----------
    n
        Pairs that representations are fitted on.
    synergy_share
        Position of the dial.
    dim, noise
        Features of each embedding, and the standard deviation of their noise.
    n_directions
        Directions a side that alignment keeps.
    """

    n: int
    synergy_share: float
    dim: int
    noise: float
    n_directions: int = N_SHARED

    def draw(self, seed: int) -> LinearEmbeddingTask:
        """Return the samples that representations, probes and scores need."""
        n = self.n + N_PROBE + N_TEST
        return dialled_task(self.synergy_share, n=n, dim=self.dim, noise=self.noise, seed=seed)


def shares_by_size(
    contenders: Sequence[str],
    *,
    sizes: Sequence[int],
    seeds: Sequence[int],
    labels: Sequence[str] = ("redundant", "unique1", "and", "xor"),
    store: PointStore | None = None,
    device: Device = "auto",
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Measure the share of labels' information that representations hold, by the number of pairs they were fitted on.

    Probes are always fitted on 8,000 other samples and scored on 8,000 others still, so that what changes with n is the
    representation alone.

    Parameters
    ----------
    contenders
        Keys of :data:`~beyond_alignment.benchmark.CONTENDERS`.
    sizes
        Numbers of pairs n.
    seeds
        One draw and training each.
    labels
        Of :func:`~beyond_alignment.information.dialled_task`.
    store
        Where finished cells are kept.
    device
        Where training runs.
    n_jobs
        Processes, of one thread each. The answer does not depend on it.

    Returns
    -------
    pandas.DataFrame
        One row a contender, n, seed, label and probe: head, bits and share (of the label's entropy).
    """
    settings = [Setting(n, HALF, WIDE, NOISY) for n in sizes]
    return _cells(contenders, settings, seeds, labels, store, device, n_jobs)


def shares_by_directions(
    contenders: Sequence[str],
    *,
    directions: Sequence[int],
    n: int,
    seeds: Sequence[int],
    labels: Sequence[str] = ("redundant", "unique1", "and", "xor"),
    store: PointStore | None = None,
    device: Device = "auto",
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Measure the share of labels' information that aligned representations hold, by the directions a side they keep.

    Four directions are shared; those beyond them are any the objective is indifferent to.

    Parameters
    ----------
    contenders
        Keys of :data:`~beyond_alignment.benchmark.CONTENDERS`, of linear or nonlinear heads.
    directions
        Numbers of directions, up to 16.
    n, seeds, labels, store, device, n_jobs
        As in :func:`shares_by_size`.

    Returns
    -------
    pandas.DataFrame
        As :func:`shares_by_size`, with n_directions.
    """
    settings = [Setting(n, HALF, EASY, CALM, k) for k in directions]
    return _cells(contenders, settings, seeds, labels, store, device, n_jobs)


def shares_along_dial(
    contenders: Sequence[str],
    *,
    synergy_shares: Sequence[float],
    n: int,
    seeds: Sequence[int],
    store: PointStore | None = None,
    device: Device = "auto",
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Measure accuracy and bits of representations on a label that is turned from all redundant to all synergistic.

    Parameters
    ----------
    contenders
        Keys of :data:`~beyond_alignment.benchmark.CONTENDERS`.
    synergy_shares
        Positions of the dial, 0 to 1: S in bits, of one bit in all.
    n
        Pairs that representations are fitted on.
    seeds
        One draw and training each.
    store
        Where finished cells are kept.
    device
        Where training runs.
    n_jobs
        Processes, of one thread each. The answer does not depend on it.

    Returns
    -------
    pandas.DataFrame
        One row a contender, position, seed and probe: head, bits, accuracy, and what theory says of each: aligned_bits,
        joint_bits, aligned_accuracy, joint_accuracy.
    """
    settings = [Setting(n, share, EASY, CALM, n_shared(share)) for share in synergy_shares]
    table = _cells(contenders, settings, seeds, ["dialled"], store, device, n_jobs)
    theory = pd.DataFrame([dial_theory(share)._asdict() for share in table["synergy_share"]], index=table.index)
    return table.join(theory)


class _Cell(NamedTuple):
    """One contender on one draw."""

    contender: str
    setting: Setting
    seed: int


def _cells(
    contenders: Sequence[str],
    settings: Sequence[Setting],
    seeds: Sequence[int],
    labels: Sequence[str],
    store: PointStore | None,
    device: Device,
    n_jobs: int,
) -> pd.DataFrame:
    """Return one row a contender, setting, seed, label and probe."""
    kept, rows = store or PointStore(None), []
    cells = [_Cell(*place) for place in product(contenders, settings, seeds)]
    found = {cell: kept.find(_key(cell, labels)) for cell in cells}
    missing = sorted((cell for cell in cells if found[cell] is None), key=lambda cell: -cell.setting.n)
    with joblib.parallel_config(backend="loky", n_jobs=n_jobs, inner_max_num_threads=1):
        runs = joblib.Parallel(return_as="generator")(joblib.delayed(_measure)(one, labels, device) for one in missing)
        for cell, scores in zip(missing, runs, strict=True):
            found[cell] = kept.keep(_key(cell, labels), scores)
    entropies = {label: joint_informations(table).I12 for label, table in _truths().items()}
    for cell, scores in found.items():
        assert scores is not None
        for probe, (number, label) in product(PROBES, enumerate(labels)):
            bits, accuracy = (float(value) for value in scores[probe][number])
            rows.append(
                {"contender": cell.contender, "head": CONTENDERS[cell.contender].head, **cell.setting._asdict()}
                | {"seed": cell.seed, "label": label, "probe": probe, "bits": bits}
                | {"share": bits / entropies[label], "accuracy": accuracy}
            )
    return pd.DataFrame(rows)


def _key(cell: _Cell, labels: Sequence[str]) -> dict[str, object]:
    """Return what identifies a cell in the store."""
    return {"collapse": cell.contender, **cell.setting._asdict(), "seed": cell.seed, "labels": list(labels)}


def _measure(cell: _Cell, labels: Sequence[str], device: Device) -> Arrays:
    """Fit a contender on its draw and return bits and accuracy of both probes (label, score)."""
    setting, n = cell.setting, cell.setting.n
    task = setting.draw(cell.seed)
    with threadpool_limits(1):
        made = represent_unseen(
            cell.contender, task, n, labels=labels, n_directions=setting.n_directions, device=device, seed=cell.seed
        )
        readings = [
            Reading(z[:N_PROBE], y[:N_PROBE], z[N_PROBE:], y[N_PROBE:], task.truths[label].sum((0, 1)))
            for label, z in made.items()
            for y in [task.labels[label][n:]]
        ]
        return {probe: _read(probe, readings, cell.seed) for probe in PROBES}


def _truths() -> Mapping[str, NDArray[np.float64]]:
    """Return the exact truth of every label; each is known from both embeddings."""
    return dialled_task(HALF, n=8, seed=0).truths


def _read(probe: str, readings: Sequence[Reading], seed: int) -> NDArray[np.float64]:
    """Return bits and accuracy of a probe on each representation (representation, score)."""
    scaled = [_scaled(one) for one in readings]
    fit = _linear if probe == "linear" else _perceptrons
    predicted = [_drawn(candidates, one) for candidates, one in zip(fit(scaled, seed), scaled, strict=True)]
    return np.array(
        [
            (told(p, one.y_test, one.prior).bits, float((p.argmax(axis=1) == one.y_test).mean()))
            for p, one in zip(predicted, scaled, strict=True)
        ]
    )
