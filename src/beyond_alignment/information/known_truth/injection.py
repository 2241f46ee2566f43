"""Random injective maps from a few latent dimensions into many features."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ortho_group

from beyond_alignment.errors import InputError

SLOPE = 0.2
SCALE_OF_BATCH = 0.2
"""Standard deviation of the logarithm of a donor's scale, a unit of batch effect."""


def _leaky(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Piecewise linear and invertible: negative values shrink."""
    return np.where(values > 0, values, SLOPE * values)


def _columns(rng: np.random.Generator, n_rows: int, n_columns: int) -> NDArray[np.float64]:
    """Random matrix with orthogonal columns that keeps the mean square per coordinate."""
    return np.linalg.qr(rng.standard_normal((n_rows, n_columns)))[0] * np.sqrt(n_rows / n_columns)


def injective_map(latents: NDArray[np.float64], *, d: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Embed latents by a random two-layer network whose every step is injective.

    Each layer multiplies by a matrix with orthogonal columns (to d/2, then d dimensions), adds a bias and applies a
    leaky rectifier; a rotation mixes the result, and every feature then gets its own scale (log-normal) and mean.
    No step loses anything, so what the latents tell about a label the features tell too.

    Parameters
    ----------
    latents
        Latent coordinates (sample, latent) of about unit variance.
    d
        Number of features.
    rng
        Decides the map, in the same way whatever the number of samples.

    Returns
    -------
    Embedding (sample, feature).

    Raises
    ------
    InputError
        There are fewer features than latents.
    """
    m = latents.shape[1]
    if d < m:
        raise InputError(f"An embedding of {d} features has no room for {m} latent dimensions; pass at least {m}.")
    width = max(d // 2, m)
    rotation = np.atleast_2d(ortho_group.rvs(m, random_state=rng)) if m > 1 else np.eye(1)
    first, first_bias = _columns(rng, width, m), rng.standard_normal(width)
    second, second_bias = _columns(rng, d, width), rng.standard_normal(d)
    mixing, means, scales = _columns(rng, d, d), rng.standard_normal(d), np.exp(0.5 * rng.standard_normal(d))
    hidden = _leaky(latents @ rotation @ first.T + first_bias)
    hidden = _leaky(hidden @ second.T + second_bias)
    return np.asarray((hidden @ mixing.T + means) * scales)


def with_batch_effect(
    x: NDArray[np.float64], groups: NDArray[np.int64], *, effect: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Shift every feature of a donor by an amount of its own and scale the donor's whole embedding about the mean."""
    n_donors, mean = int(groups.max()) + 1, x.mean(axis=0)
    shift = effect * x.std(axis=0) * rng.standard_normal((n_donors, x.shape[1]))
    scale = np.exp(SCALE_OF_BATCH * effect * rng.standard_normal(n_donors))
    return np.asarray(mean + scale[groups, None] * (x - mean) + shift[groups])
