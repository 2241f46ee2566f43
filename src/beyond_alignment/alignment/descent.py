"""How far alignment in training is from the canonical subspace."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.alignment.linear_methods import LINEAR_METHODS
from beyond_alignment.alignment.subspace import aligned_subspaces, n_distinct, variate_angles
from beyond_alignment.alignment.views import CorrelatedViews, correlated_views
from beyond_alignment.experts.compute import Device
from beyond_alignment.fusion.canonical import CanonicalCorrelation

UNEQUAL = (0.9, 0.8, 0.7, 0.6)
CLOSE = 5.0
"""Degrees below which a subspace counts as found."""


def angles_by_steps(
    methods: Sequence[str],
    *,
    sizes: Sequence[int],
    seeds: Sequence[int],
    steps: Sequence[int],
    correlations: Sequence[float] = UNEQUAL,
    latents: str = "gaussian",
    n_directions: int | None = None,
    options: Mapping[str, Any] | None = None,
    device: Device = "auto",
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Measure the largest principal angle to the canonical subspace of the same samples, by the length of training.

    Each length is a training of its own from the same first weights, its schedule included. Nothing is shrunk: most
    objectives see projections alone, so that their optimum is the canonical subspace of the samples as they are.

    Parameters
    ----------
    methods
        Keys of :data:`~beyond_alignment.alignment.LINEAR_METHODS`.
    sizes
        Numbers of samples n.
    seeds
        One draw and training each.
    steps
        Updates of each training.
    correlations
        Of the shared latents.
    latents
        Their law, as in :func:`~beyond_alignment.alignment.views.correlated_views`.
    n_directions
        k that are asked for; as many as the views share when None.
    options
        Hyper-parameters of the objective, in the place of the method's own.
    device
        Where training runs.
    n_jobs
        Processes, of one thread each. The answer does not depend on it.

    Returns
    -------
    pandas.DataFrame
        One row a method, n, seed and number of steps (0 for the closed form): angle (degrees, the larger of both
        views), to_truth (degrees from the true directions, NaN where nothing linear is shared), distinct (number of
        distinct projections, the smaller of both views) and n_directions.
    """
    k = n_directions or len(correlations)
    draw = partial(_draws, sizes=tuple(sizes), seeds=tuple(seeds), correlations=tuple(correlations), latents=latents)
    with joblib.parallel_config(backend="loky", n_jobs=n_jobs, inner_max_num_threads=1):
        tables = joblib.Parallel()(
            joblib.delayed(_of_method)(method, draw, k, tuple(steps), options, device) for method in methods
        )
    return pd.concat(tables, ignore_index=True)


def _draws(
    *, sizes: Sequence[int], seeds: Sequence[int], correlations: Sequence[float], latents: str
) -> list[tuple[int, int, CorrelatedViews]]:
    """Return the draw of each n and seed."""
    places = product(sizes, seeds)
    return [(n, seed, correlated_views(correlations, n=n, latents=latents, seed=seed)) for n, seed in places]


def _of_method(
    method: str,
    draw: Callable[[], list[tuple[int, int, CorrelatedViews]]],
    k: int,
    steps: Sequence[int],
    options: Mapping[str, Any] | None,
    device: Device,
) -> pd.DataFrame:
    """Return the rows of one method; all sizes and seeds are trained side by side."""
    draws, rows = draw(), []
    pairs, seeds = [(views.x1, views.x2) for _, _, views in draws], [seed for _, seed, _ in draws]
    canonical = [CanonicalCorrelation(k, regularisation=0).fit(pair) for pair in pairs]
    for length in [0] if LINEAR_METHODS[method].network is None else steps:
        found = aligned_subspaces(
            method, pairs, n_components=k, seeds=seeds, steps=max(length, 1), options=options, device=device,
            regularisation=0,
        )  # fmt: skip
        for (n, seed, views), reference, one in zip(draws, canonical, found, strict=True):
            sides = (
                (views.x1, one.weights1, reference.weights1_, views.directions1[:, :k]),
                (views.x2, one.weights2, reference.weights2_, views.directions2[:, :k]),
            )
            rows.append(
                {"method": method, "n": n, "seed": seed, "steps": length}
                | {"angle": max(float(variate_angles(x, w, c)[-1]) for x, w, c, _ in sides)}
                | {"to_truth": max(_to_truth(x, w, t) for x, w, _, t in sides)}
                | {"distinct": min(n_distinct(x, w) for x, w, _, _ in sides), "n_directions": k}
            )
    return pd.DataFrame(rows)


def _to_truth(x: NDArray[np.float64], weights: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Return the largest angle to the true directions in degrees; NaN where there is none."""
    return float(variate_angles(x, weights, truth)[-1]) if truth.size else float("nan")


def found_subspaces(angles: pd.DataFrame) -> pd.DataFrame:
    """Say of each method and n whether it found the canonical subspace after the longest training.

    Parameters
    ----------
    angles
        From :func:`angles_by_steps`.

    Returns
    -------
    pandas.DataFrame
        One row a method and n: label, theory, angle (mean over seeds, degrees), low and high (smallest and largest over
        seeds), to_truth (mean), distinct (mean), n_seeds, found (whether every seed is below 5 degrees), reason.
    """
    rows = []
    for (method, n), part in angles.groupby(["method", "n"], sort=False):
        last, record = part[part["steps"] == part["steps"].max()], LINEAR_METHODS[str(method)]
        rows.append(
            {"method": method, "label": record.label, "theory": record.theory, "n": n, "angle": last["angle"].mean()}
            | {"low": last["angle"].min(), "high": last["angle"].max(), "to_truth": last["to_truth"].mean()}
            | {"distinct": last["distinct"].mean(), "n_directions": last["n_directions"].iloc[0]}
            | {"n_seeds": last["seed"].nunique(), "found": bool(np.all(last["angle"] < CLOSE)), "reason": record.reason}
        )
    return pd.DataFrame(rows)
