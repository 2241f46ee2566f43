"""Ridge regression in closed form, under many penalties from one eigendecomposition."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def ridge_path(
    z: NDArray[np.floating], y: NDArray[np.floating], penalties: Sequence[float]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Minimise the squared error plus n times the penalty times the squared coefficients; no penalty on the intercept.

    Parameters
    ----------
    z
        Features (spot, feature).
    y
        Targets (spot, target) or (spot,).
    penalties
        Positive, relative to the number of spots n.

    Returns
    -------
    list
        Coefficients (target, feature) and intercepts (target,) under each penalty; (feature,) and one number where
        ``y`` has no axis of targets.
    """
    features, targets = np.asarray(z, dtype=np.float64), np.asarray(y, dtype=np.float64)
    centre, level = features.mean(axis=0), targets.mean(axis=0)
    centred = features - centre
    spread, axes = np.linalg.eigh(centred.T @ centred / len(features))
    projected = axes.T @ (centred.T @ (targets - level)) / len(features)  # (axis, target)
    shrunk = np.maximum(spread, 0).reshape(-1, *[1] * (targets.ndim - 1))
    fits = [(axes @ (projected / (shrunk + penalty))).T for penalty in penalties]
    return [(coefficients, level - coefficients @ centre) for coefficients in fits]
