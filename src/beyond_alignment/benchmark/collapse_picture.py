"""What alignment and an interaction method see of one draw: canonical variates, and log-odds over two directions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from beyond_alignment.benchmark.collapse_by_size import CALM, EASY, HALF
from beyond_alignment.fusion import make_fusion
from beyond_alignment.fusion.canonical import CanonicalCorrelation
from beyond_alignment.information.known_truth.dial import dialled_task

REACH = 2.0


@dataclass(frozen=True, eq=False)
class CollapsePicture:
    """One draw as alignment sees it, and as an interaction method does.

    Attributes
    ----------
    labels
        Exclusive or (sample,) of samples that neither was fitted on.
    aligned
        Leading canonical variate of each embedding (sample, side), of unit variance in the samples it was fitted on.
    halves
        Projection (sample, side) of each embedding on the direction of its half of the exclusive or.
    grid
        Places (place,) along such a direction.
    log_odds
        Of the exclusive or (place of the second, place of the first), as the interaction method and its linear probe
        say them of embeddings at these places, in nats.
    aligned_accuracy, joint_accuracy
        Of the linear probe of each on the samples, the aligned one with the products of its variates among its
        features.
    """

    labels: NDArray[np.int64]
    aligned: NDArray[np.float64]
    halves: NDArray[np.float64]
    grid: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    aligned_accuracy: float
    joint_accuracy: float


def collapse_picture(
    *, n: int = 2000, n_shown: int = 600, n_places: int = 41, method: str = "bilinear", seed: int = 0
) -> CollapsePicture:
    """Fit canonical correlation and an interaction method on one draw, and return what each sees of other samples.

    Parameters
    ----------
    n
        Samples that both are fitted on.
    n_shown
        Samples that are shown.
    n_places
        Places along each direction at which log-odds are computed.
    method
        Key of ``FUSION_METHODS``.
    seed
        Of the draw and the method.
    """
    task = dialled_task(HALF, n=n + n_shown, dim=EASY, noise=CALM, seed=seed)
    y, pair, shown = task.labels["xor"], (task.x1[:n], task.x2[:n]), (task.x1[n:], task.x2[n:])
    aligned = CanonicalCorrelation(1).fit(pair)
    directions = [_direction(x, task.labels[half][:n]) for x, half in zip(pair, ("half1", "half2"), strict=True)]
    grid = np.linspace(-REACH, REACH, n_places)
    first, second = np.meshgrid(grid, grid)  # (place of the second, place of the first)
    probe = make_fusion("concat")
    with threadpool_limits(1):
        model = make_fusion(method, seed=seed).fit(pair, y[:n])
        p = model.predict_proba((first.reshape(-1, 1) * directions[0], second.reshape(-1, 1) * directions[1]))
        probe.fit(_products(aligned.transform(pair)), y[:n])
        right = probe.predict(_products(aligned.transform(shown))) == y[n:]
    return CollapsePicture(
        labels=y[n:],
        aligned=aligned.transform(shown),
        halves=np.stack([x @ d for x, d in zip(shown, directions, strict=True)], axis=1),
        grid=grid,
        log_odds=np.log(p[:, 1] / p[:, 0]).reshape(first.shape),
        aligned_accuracy=float(right.mean()),
        joint_accuracy=float((model.predict(shown) == y[n:]).mean()),
    )


def _direction(x: NDArray[np.float64], bit: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the unit vector (feature,) between the means of an embedding at both values of a bit."""
    difference = x[bit == 1].mean(axis=0) - x[bit == 0].mean(axis=0)
    return np.asarray(difference / np.linalg.norm(difference))


def _products(z: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the variates (sample, side), and their product and squares."""
    return z, np.stack([z[:, 0] * z[:, 1], z[:, 0] ** 2, z[:, 1] ** 2], axis=1)
