"""Pairs of views whose canonical correlations are known, behind maps that hide them from principal components."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ortho_group

from beyond_alignment.errors import InputError

Floats = NDArray[np.float64]
SCALES = (0.3, 3.0)
"""Smallest and largest standard deviation of a direction of a view: principal components are not canonical ones."""


@dataclass(frozen=True, eq=False)
class CorrelatedViews:
    """Two views and the truth about what they share linearly.

    Attributes
    ----------
    x1, x2
        Views (sample, feature).
    directions1, directions2
        Weights (feature, component) of the true canonical variates, the strongest first; without a column where the
        views share nothing linear.
    correlations
        Their correlations (component,).
    """

    x1: Floats
    x2: Floats
    directions1: Floats
    directions2: Floats
    correlations: Floats


def _gaussian(rho: Floats, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw jointly Gaussian latents."""
    first, noise = rng.standard_normal((2, n, len(rho)))
    return first, rho * first + np.sqrt(1 - rho**2) * noise


def _bits(rho: Floats, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw fair bits, -1 or 1, of which each is flipped on the other side with probability (1 - rho) / 2."""
    first = rng.choice([-1.0, 1.0], (n, len(rho)))
    return first, np.where(rng.random((n, len(rho))) < (1 - rho) / 2, -first, first)


def _squares(rho: Floats, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw Gaussian latents whose standardised square correlates with the other side: no linear correlation at all."""
    first, noise = rng.standard_normal((2, n, len(rho)))
    return first, rho * (first**2 - 1) / np.sqrt(2) + np.sqrt(1 - rho**2) * noise


LATENTS: Mapping[str, Callable[[Floats, int, np.random.Generator], tuple[Floats, Floats]]] = MappingProxyType(
    {"gaussian": _gaussian, "bits": _bits, "squares": _squares}
)
"""Name of the law of the shared latents -> draw of both sides, each of mean 0 and variance 1."""


def correlated_views(
    correlations: Sequence[float],
    *,
    n: int,
    dims: tuple[int, int] = (16, 16),
    latents: str = "gaussian",
    seed: int = 0,
) -> CorrelatedViews:
    """Draw two views that share latents of known correlation, every other direction being noise of one view.

    Each view is a rotation of its latents and noise after every direction was scaled, so that the shared directions
    are neither the longest nor orthogonal to the others' axes. The maps depend on the seed and ``dims`` alone.

    Parameters
    ----------
    correlations
        Correlation of each shared latent, 0 to 1, falling.
    n
        Samples.
    dims
        Features of each view.
    latents
        ``gaussian``, ``bits`` (not Gaussian, linearly shared) or ``squares`` (shared, and not linearly).
    seed
        Of the maps and the samples.

    Raises
    ------
    InputError
        If correlations rise or are outside 0 to 1, there are more than features, the law is unknown or there is no
        sample.
    """
    rho = np.asarray(correlations, dtype=np.float64)
    inside = rho.ndim == 1 and ((rho >= 0) & (rho <= 1)).all() and (np.diff(rho) <= 0).all()
    if not inside or min(dims) < max(len(rho), 1):
        raise InputError(
            f"The correlations are {rho.tolist()} for views of {dims} features: pass falling numbers from 0 to 1, at"
            " most one a feature."
        )
    if latents not in LATENTS or n < 1:
        msg = f"{n} samples of {latents!r} latents: give at least 1, and choose among {', '.join(LATENTS)}."
        raise InputError(msg)
    maps, draws = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    shared = LATENTS[latents](rho, n, draws)
    views, directions = [], []
    for latent, dim in zip(shared, dims, strict=True):
        whole = np.concatenate([latent, draws.standard_normal((n, dim - len(rho)))], axis=1)  # (sample, feature)
        scales = np.exp(maps.uniform(np.log(SCALES[0]), np.log(SCALES[1]), dim))
        rotation = ortho_group.rvs(dim, random_state=maps) if dim > 1 else np.ones((1, 1))
        views.append((whole * scales) @ rotation)
        directions.append((rotation.T / scales)[:, : 0 if latents == "squares" else len(rho)])
    linear = rho[:0] if latents == "squares" else rho
    return CorrelatedViews(views[0], views[1], directions[0], directions[1], linear)
