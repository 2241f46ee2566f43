"""What alignment and an interaction method see of one draw: canonical variates, and log-odds over two directions."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from beyond_alignment.fusion import make_fusion
from beyond_alignment.fusion.canonical import CanonicalCorrelation
from beyond_alignment.pages.alignment.shares import EASY, HALF
from beyond_alignment.simulate import dialled_task

REACH, N_PLACES, N_SHOWN = 2.0, 41, 600
PLAN = [{"method": "bilinear", "n": n, "seed": 0} for n in (2000, 300)]
OPTIONS: dict[str, Any] = {"check": PLAN[1:]}


def picture(method: str, n: int, seed: int) -> dict[str, Any]:
    """Fit canonical correlation and an interaction method on one draw, and return what each sees of other samples.

    ``labels`` is the exclusive or (sample,); ``aligned`` the leading canonical variate of each embedding (sample,
    side), ``halves`` its projection on the direction of its half of the exclusive or; ``log_odds`` what the method says
    (place of the second, place of the first) along such directions at the places of ``grid``, in nats. The aligned
    probe has the products of its variates among its features.
    """
    task = dialled_task(HALF, n=n + N_SHOWN, dim=EASY["dim"], noise=EASY["noise"], seed=seed)
    y, pair, shown = task.labels["xor"], (task.x1[:n], task.x2[:n]), (task.x1[n:], task.x2[n:])
    aligned = CanonicalCorrelation(1).fit(pair)
    directions = [_direction(x, task.labels[half][:n]) for x, half in zip(pair, ("half1", "half2"), strict=True)]
    grid = np.linspace(-REACH, REACH, N_PLACES)
    first, second = np.meshgrid(grid, grid)  # (place of the second, place of the first)
    probe = make_fusion("concat")
    with threadpool_limits(1):
        model = make_fusion(method, seed=seed).fit(pair, y[:n])
        p = model.predict_proba((first.reshape(-1, 1) * directions[0], second.reshape(-1, 1) * directions[1]))
        probe.fit(_products(aligned.transform(pair)), y[:n])
        right = probe.predict(_products(aligned.transform(shown))) == y[n:]
    return {
        "aligned_accuracy": float(right.mean()),
        "joint_accuracy": float((model.predict(shown) == y[n:]).mean()),
        "labels": y[n:],
        "aligned": aligned.transform(shown).astype(np.float32),
        "halves": np.stack([x @ d for x, d in zip(shown, directions, strict=True)], axis=1).astype(np.float32),
        "grid": grid,
        "log_odds": np.log(p[:, 1] / p[:, 0]).reshape(first.shape).astype(np.float32),
    }


def _direction(x: NDArray[np.float64], bit: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the unit vector (feature,) between the means of an embedding at both values of a bit."""
    difference = x[bit == 1].mean(axis=0) - x[bit == 0].mean(axis=0)
    return np.asarray(difference / np.linalg.norm(difference))


def _products(z: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the variates (sample, side), and their product and squares."""
    return z, np.stack([z[:, 0] * z[:, 1], z[:, 0] ** 2, z[:, 1] ** 2], axis=1)


def numbers(seen: dict[str, Any]) -> dict[str, Any]:
    """Return how often either is right."""
    n = len(seen["labels"])
    return {f"picture_{name}": {"value": seen[f"{name}_accuracy"], "n": n} for name in ("aligned", "joint")}
