"""What alignment and interaction hold of known truth: by the number of pairs, by directions, and along the dial."""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from beyond_alignment.benchmark.captured_probes import PROBES, Reading, _drawn, _linear, _perceptrons, _scaled, told
from beyond_alignment.experts.compute import Device
from beyond_alignment.information.exact import broja, joint_informations
from beyond_alignment.pages.alignment.representations import CONTENDERS, represent_unseen, training_steps
from beyond_alignment.simulate import N_SHARED, dial_theory, dialled_task, n_shared

N_PROBE, N_TEST = 8000, 8000
"""Other samples that fit the probes, and others still that score them: what changes with n is the representation."""
HALF = 0.5
LABELS = ("redundant", "unique1", "and", "xor")
TWIN = 20
"""Updates of a training that is repeated in seconds and read on few samples; the number tells it from the others."""
FEW = 1000
SEEDS = (0, 1)
SIZES = (100, 1000, 10000, 100000, 1000000)
COLUMNS = ("contender", "n", "synergy_share", "n_directions", "seed", "steps")


def _row(*values: str | float) -> dict[str, Any]:
    """Return a row of a plan."""
    return dict(zip(COLUMNS, values, strict=True))


BY_SIZE = [
    *(_row(c, n, HALF, N_SHARED, seed, training_steps(n)) for c, n, seed in product(CONTENDERS, SIZES, SEEDS)),
    *(_row(c, SIZES[0], HALF, N_SHARED, 0, TWIN) for c in CONTENDERS),
]
BY_DIRECTIONS = [
    _row("cca_linear", 4000, HALF, k, seed, training_steps(4000))
    for k, seed in product((1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16), SEEDS)
]
ALONG_DIAL = [
    *(
        _row(c, 4000, x, n_shared(x), seed, training_steps(4000))
        for c, x, seed in product(CONTENDERS, (0.0, 0.25, HALF, 0.75, 1.0), SEEDS)
    ),
    _row("bilinear", 4000, 0.75, N_SHARED, 0, TWIN),
]
EASY: Mapping[str, Any] = {"dim": 16, "noise": 0.25, "labels": LABELS}
"""Features, noise and labels along the dial and by directions, where noise should not hide what theory predicts."""
SIZE_OPTIONS: dict[str, Any] = {
    "settings": {"dim": 64, "noise": 0.35, "labels": LABELS},  # hard enough that a hundred pairs do not do
    "check": [{"steps": TWIN}],
    "tolerance": 0.08,  # an older core moves what a probe reads from CoMM by 0.021
    "n_jobs": -1,
}
DIRECTION_OPTIONS: dict[str, Any] = {"settings": EASY, "check": [{"n_directions": N_SHARED, "seed": 0}], "n_jobs": -1}
DIAL_OPTIONS: dict[str, Any] = {
    "settings": {**EASY, "labels": ("dialled",)},
    "check": [{"steps": TWIN}],
    "n_jobs": -1,
}


def share(
    contender: str,
    n: int,
    synergy_share: float,
    n_directions: int,
    seed: int,
    steps: int,
    *,
    dim: int,
    noise: float,
    labels: Sequence[str],
    device: Device,
) -> list[dict[str, Any]]:
    """Fit a contender on n pairs of a draw, and return what both probes read of each label in it on other pairs.

    ``share`` is the part of all that both embeddings tell of the label.
    """
    n_probe, n_test = (FEW, FEW) if steps == TWIN else (N_PROBE, N_TEST)
    task = dialled_task(synergy_share, n=n + n_probe + n_test, dim=dim, noise=noise, seed=seed)
    with threadpool_limits(1):
        made = represent_unseen(
            contender, task, n, steps=steps, labels=labels, n_directions=n_directions, device=device, seed=seed
        )
        readings = [
            Reading(z[:n_probe], y[:n_probe], z[n_probe:], y[n_probe:], task.truths[label].sum((0, 1)))
            for label, z in made.items()
            for y in [task.labels[label][n:]]
        ]
        scores = {probe: read(probe, readings, seed) for probe in PROBES}
    return [
        {"head": CONTENDERS[contender].head, "label": label, "probe": probe, "bits": float(bits)}
        | {"share": float(bits) / entropies()[label], "accuracy": float(accuracy)}
        for probe in PROBES
        for label, (bits, accuracy) in zip(labels, scores[probe], strict=True)
    ]


@cache
def entropies() -> Mapping[str, float]:
    """Return what both embeddings together tell of each label, in bits."""
    return {label: joint_informations(p).I12 for label, p in dialled_task(HALF, n=8, seed=0).truths.items()}


def read(probe: str, readings: Sequence[Reading], seed: int) -> NDArray[np.float64]:
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


def whole(table: pd.DataFrame) -> pd.DataFrame:
    """Return what was trained to the end: twins are left out."""
    return table[table["steps"] != TWIN]


def with_theory(table: pd.DataFrame) -> pd.DataFrame:
    """Put beside each row what theory says of the dialled label: aligned_bits, joint_bits, and both accuracies."""
    rows = whole(table)
    return rows.join(pd.DataFrame([dial_theory(x)._asdict() for x in rows["synergy_share"]], index=rows.index))


def numbers(table: pd.DataFrame) -> dict[str, Any]:
    """Return what the prose says of the share that is held by the number of pairs, as a perceptron reads it."""
    rows = whole(table)[lambda t: t["probe"] == "mlp"]
    most, fewest = int(rows["n"].max()), int(rows["n"].min())
    aligned = rows[rows["head"].isin(["linear", "nonlinear"])]
    xor = aligned[aligned["label"] == "xor"]
    own = rows[(rows["label"] == "xor") & (rows["n"] == most)]
    comm = rows[(rows["contender"] == "comm") & (rows["label"] == "xor")].groupby("n")["share"].mean()
    at_most = {label: part["share"] for label, part in aligned[aligned["n"] == most].groupby("label")}
    nonlinear = aligned[(aligned["head"] == "nonlinear") & (aligned["label"] == "redundant") & (aligned["n"] > 1000)]
    return {
        "redundant_aligned": {"value": at_most["redundant"].mean(), "n": most},
        "xor_aligned": {
            "value": xor["share"].mean(),
            "interval": (xor["share"].min(), xor["share"].max()),
            "n": most,
            "digits": 2,
        },
        "xor_interaction": {"value": own[own["contender"] == "bilinear"]["share"].mean(), "n": most},
        "and_aligned": {"value": at_most["and"].mean(), "n": most, "digits": 2},
        "and_redundancy": {"value": broja(dialled_task(HALF, n=8, seed=0).truths["and"]).redundancy, "unit": "bits"},
        "fewest_pairs": fewest,
        "most_pairs": most,
        "n_draws": len(SEEDS),
        "n_aligned_methods": aligned["contender"].nunique(),
        "comm_least": {"value": comm.min(), "n": int(comm.idxmin())},
        "comm_most": {"value": comm.max(), "n": int(comm.idxmax())},
        "nonlinear_dip": nonlinear["share"].min(),
    }


def dial_numbers(dial: pd.DataFrame, kept: pd.DataFrame) -> dict[str, Any]:
    """Return how far aligned representations are from theory, and what all directions hold of the exclusive or."""
    line = dial[(dial["probe"] == "mlp") & dial["head"].isin(["linear", "nonlinear"])]
    widest = kept[(kept["n_directions"] == kept["n_directions"].max()) & (kept["probe"] == "mlp")]
    return {
        "dial_miss": {"value": (line["accuracy"] - line["aligned_accuracy"]).abs().max(), "n": int(line["n"].max())},
        "xor_all_directions": {
            "value": widest.loc[widest["label"] == "xor", "share"].mean(),
            "n": int(widest["n"].max()),
        },
    }
