"""How far alignment in training is from the canonical subspace."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.alignment.linear_methods import LINEAR_METHODS
from beyond_alignment.alignment.subspace import aligned_subspaces, n_distinct, variate_angles
from beyond_alignment.alignment.views import correlated_views
from beyond_alignment.experts.compute import Device
from beyond_alignment.fusion.canonical import CanonicalCorrelation

UNEQUAL = (0.9, 0.8, 0.7, 0.6)
CLOSE = 5.0
"""Degrees below which a subspace counts as found."""


def canonical_angle(
    method: str,
    *,
    n: int,
    steps: int,
    seed: int = 0,
    correlations: Sequence[float] = UNEQUAL,
    latents: str = "gaussian",
    n_directions: int | None = None,
    options: Mapping[str, Any] | None = None,
    device: Device = "auto",
) -> dict[str, float]:
    """Measure the largest principal angle to the canonical subspace of the same samples after some training.

    Nothing is shrunk: most objectives see projections alone, so that their optimum is the canonical subspace of the
    samples as they are.

    Parameters
    ----------
    method
        Key of :data:`~beyond_alignment.alignment.LINEAR_METHODS`.
    n
        Samples.
    steps
        Updates, the schedule included; the closed form takes none.
    seed
        Of the draw and the training.
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

    Returns
    -------
    dict
        angle (degrees, the larger of both views), to_truth (degrees from the true directions, NaN where nothing linear
        is shared) and distinct (number of distinct projections, the smaller of both views).
    """
    k = n_directions or len(correlations)
    views = correlated_views(correlations, n=n, latents=latents, seed=seed)
    pair = views.x1, views.x2
    canonical = CanonicalCorrelation(k, regularisation=0).fit(pair)
    (found,) = aligned_subspaces(
        method, [pair], n_components=k, seeds=[seed], steps=max(steps, 1), options=options, device=device,
        regularisation=0,
    )  # fmt: skip
    sides = (
        (views.x1, found.weights1, canonical.weights1_, views.directions1[:, :k]),
        (views.x2, found.weights2, canonical.weights2_, views.directions2[:, :k]),
    )
    return {
        "angle": max(float(variate_angles(x, w, c)[-1]) for x, w, c, _ in sides),
        "to_truth": max(_to_truth(x, w, t) for x, w, _, t in sides),
        "distinct": min(n_distinct(x, w) for x, w, _, _ in sides),
    }


def _to_truth(x: NDArray[np.float64], weights: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Return the largest angle to the true directions in degrees; NaN where there is none."""
    return float(variate_angles(x, weights, truth)[-1]) if truth.size else float("nan")


def found_subspaces(angles: pd.DataFrame) -> pd.DataFrame:
    """Say of each method and n whether it found the canonical subspace after the longest training.

    Parameters
    ----------
    angles
        One row a method, n, seed and number of steps, with what :func:`canonical_angle` returns.

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
            | {"distinct": last["distinct"].mean(), "n_seeds": last["seed"].nunique()}
            | {"found": bool(np.all(last["angle"] < CLOSE)), "reason": record.reason}
        )
    return pd.DataFrame(rows)
