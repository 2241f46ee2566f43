"""Where the theory of linear alignment stops: temperature, whitening, and views that are not Gaussian."""

from collections.abc import Sequence
from itertools import product

import joblib
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from beyond_alignment.alignment.descent import angles_by_steps
from beyond_alignment.alignment.spectral import spectral_ceiling
from beyond_alignment.alignment.views import LATENTS, correlated_views
from beyond_alignment.benchmark.captured_probes import Reading, tell
from beyond_alignment.benchmark.collapse_by_size import N_PROBE, N_TEST
from beyond_alignment.benchmark.collapse_representations import represent_unseen
from beyond_alignment.experts.compute import Device
from beyond_alignment.information.generators import LinearEmbeddingTask

SHARED = (0.9, 0.9, 0.9, 0.9)
GAP = (0.9, 0.8, 0.4, 0.3)
"""Correlations with a clear gap after the second: of two directions it is plain which they should be."""


def angles_by_temperature(
    temperatures: Sequence[float], *, n: int, seeds: Sequence[int], steps: int, device: Device = "auto"
) -> pd.DataFrame:
    """Measure the angle between CLIP's subspace and the canonical one at temperatures that stay as they are.

    Parameters
    ----------
    temperatures
        Divisors of the cosines.
    n
        Samples.
    seeds
        One draw and training each.
    steps
        Updates.
    device
        Where training runs.

    Returns
    -------
    pandas.DataFrame
        The columns of :func:`~beyond_alignment.alignment.angles_by_steps`, and temperature.
    """
    return pd.concat(
        [
            angles_by_steps(
                ["clip"], sizes=[n], seeds=seeds, steps=[steps], device=device,
                options={"temperature": one, "learned": False},
            ).assign(temperature=one)
            for one in temperatures
        ],
        ignore_index=True,
    )  # fmt: skip


def angles_by_condition(
    *, n: int, seeds: Sequence[int], steps: int, device: Device = "auto", n_jobs: int = 1
) -> pd.DataFrame:
    """Measure angles to the canonical subspace where one assumption of the theory is dropped at a time.

    Parameters
    ----------
    n
        Samples.
    seeds
        One draw and training each.
    steps
        Updates.
    device
        Where training runs.
    n_jobs
        Processes, of one thread each. The answer does not depend on it.

    Returns
    -------
    pandas.DataFrame
        The columns of :func:`~beyond_alignment.alignment.angles_by_steps`, and condition: ``two of
        four`` (fewer directions than are shared), ``bits`` (views that are not Gaussian).
    """
    methods = ["second_order", "info_nce", "clip", "projection", "projection_raw", "barlow_twins_strong"]
    conditions = {
        "two of four": {"n_directions": 2, "correlations": GAP},
        "bits": {"latents": "bits"},
    }
    return pd.concat(
        [
            angles_by_steps(
                methods, sizes=[n], seeds=seeds, steps=[steps], device=device, n_jobs=n_jobs, **options
            ).assign(  # type: ignore[arg-type]
                condition=name
            )
            for name, options in conditions.items()
        ],
        ignore_index=True,
    )


def hidden_sharing(
    contenders: Sequence[str],
    *,
    sizes: Sequence[int],
    seeds: Sequence[int],
    laws: Sequence[str] = tuple(LATENTS),
    device: Device = "auto",
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Measure what alignment finds of a label that both views hold, linearly or as a square.

    The label is whether the shared latent of the second view is above its median; only where the law is linear does
    the cross-covariance show it.

    Parameters
    ----------
    contenders
        Keys of :data:`~beyond_alignment.benchmark.CONTENDERS`.
    sizes
        Numbers of pairs n.
    seeds
        One draw and training each.
    laws
        Of the shared latents, as in :func:`~beyond_alignment.alignment.views.correlated_views`.
    device
        Where training runs.
    n_jobs
        Processes, of one thread each. The answer does not depend on it.

    Returns
    -------
    pandas.DataFrame
        One row a law, contender, n and seed: excess (of the spectral ceiling over permutation) and bits that a
        perceptron tells of the label from the representation of the first view alone.
    """
    places = list(product(laws, sizes, seeds, contenders))
    with joblib.parallel_config(backend="loky", n_jobs=n_jobs, inner_max_num_threads=1):
        return pd.DataFrame(joblib.Parallel()(joblib.delayed(_hidden)(*place, device) for place in places))


def _hidden(law: str, n: int, seed: int, contender: str, device: Device) -> dict[str, object]:
    """Return one row of :func:`hidden_sharing`."""
    task, excess = _task(law, n, seed)
    with threadpool_limits(1):
        z = represent_unseen(contender, task, n, labels=["shared"], n_directions=len(SHARED), device=device, seed=seed)[
            "shared"
        ]
        first, y = z[:, : z.shape[1] // 2], task.labels["shared"][n:]
        reading = Reading(first[:N_PROBE], y[:N_PROBE], first[N_PROBE:], y[N_PROBE:], np.full(2, 0.5))
        (told,) = tell("mlp", [reading], seed=seed)
    return {"law": law, "contender": contender, "n": n, "seed": seed, "excess": excess, "bits": told.bits}


def _task(law: str, n: int, seed: int) -> tuple[LinearEmbeddingTask, float]:
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
