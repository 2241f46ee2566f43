"""What alignment finds of a label that both views hold linearly, or only as a square."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from beyond_alignment.alignment.spectral import spectral_ceiling
from beyond_alignment.alignment.views import LATENTS, correlated_views
from beyond_alignment.benchmark.captured_probes import Reading, tell
from beyond_alignment.experts.compute import Device
from beyond_alignment.pages.alignment.representations import CONTENDERS, represent_unseen, training_steps
from beyond_alignment.pages.alignment.shares import N_PROBE, N_TEST, TWIN, whole
from beyond_alignment.simulate import LinearEmbeddingTask

SHARED = (0.9, 0.9, 0.9, 0.9)
HEADS = ("cca_linear", "clip_nonlinear")
SIZES = (300, 4000)
PLAN = [
    {"law": law, "contender": contender, "n": n, "seed": seed, "steps": steps}
    for law, n, seed, contender in product(LATENTS, SIZES, (0, 1), HEADS)
    for steps in (training_steps(n), TWIN)
    if steps != TWIN or (n, seed, law) == (SIZES[0], 0, "squares")
]
OPTIONS: dict[str, Any] = {"check": [{"steps": TWIN}], "n_jobs": -1}


def hidden(law: str, contender: str, n: int, seed: int, steps: int, device: Device) -> dict[str, float]:
    """Return the excess of the spectral ceiling, and the bits that a perceptron tells of what is shared.

    The label is whether the shared latent of the second view is above its median, read from the representation of the
    first view alone; only where the law is linear does the cross-covariance show it.
    """
    task, excess = draw(law, n, seed)
    options: dict[str, Any] = {"steps": steps, "n_directions": len(SHARED), "device": device, "seed": seed}
    with threadpool_limits(1):
        z = represent_unseen(contender, task, n, labels=["shared"], **options)["shared"]
        first, y = z[:, : z.shape[1] // 2], task.labels["shared"][n:]
        reading = Reading(first[:N_PROBE], y[:N_PROBE], first[N_PROBE:], y[N_PROBE:], np.full(2, 0.5))
        (told,) = tell("mlp", [reading], seed=seed)
    return {"excess": excess, "bits": told.bits}


def draw(law: str, n: int, seed: int) -> tuple[LinearEmbeddingTask, float]:
    """Return views whose label is a shared latent, and the excess of their spectral ceiling."""
    total = n + N_PROBE + N_TEST
    views = correlated_views(SHARED, n=total, latents=law, seed=seed)
    # What the other view holds of the latent: the second view's own direction, known from the law's linear twin.
    twin = correlated_views(SHARED, n=1, seed=seed)
    latent = views.x2 @ twin.directions2[:, 0]
    # The sample median of bits is one of their two values, which rounding would split.
    y = (latent > (0 if law == "bits" else np.median(latent))).astype(np.int64)
    ceiling = spectral_ceiling(views.x1[:n], views.x2[:n], n_permutations=20, n_bootstrap=0, seed=seed)
    table = np.zeros((1, 1, 2)) + 0.5
    task = LinearEmbeddingTask(
        kind=law, x1=views.x1, x2=views.x2, labels={"shared": y}, truths={"shared": table},
        groups=np.arange(total, dtype=np.int64) % 8,
    )  # fmt: skip
    return task, ceiling.excess


def by_law(table: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over draws, a row a law, kind of head and number of pairs."""
    rows = whole(table).groupby(["law", "contender", "n"], sort=False)[["excess", "bits"]].mean().round(2).reset_index()
    rows["contender"] = [CONTENDERS[name].label for name in rows["contender"]]
    names = {"law": "what is shared", "contender": "objective", "n": "pairs", "excess": "ceiling above chance"}
    return rows.rename(columns={**names, "bits": "bits found"})


def numbers(table: pd.DataFrame) -> dict[str, Any]:
    """Return what either kind of head finds of what is shared as a square."""
    most = int(table["n"].max())
    found = whole(table)[lambda t: (t["law"] == "squares") & (t["n"] == most)].groupby("contender")["bits"].mean()
    return {f"squares_{CONTENDERS[name].head}": {"value": found[name], "n": most, "unit": "bits"} for name in HEADS}
