"""Union information of jointly Gaussian sources and target, as the worst correlation of two noises."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

LARGEST_STEP = 50.0
N_STEPS = 200


@dataclass(frozen=True)
class GaussianUnion:
    """Solved problems, in bits.

    Attributes
    ----------
    value
        Union information (problem,): an upper bound, which some correlation of the noises has.
    gap
        Certified distance to the optimum (problem,).
    """

    value: NDArray[np.float64]
    gap: NDArray[np.float64]


def gaussian_union(first: NDArray[np.float64], second: NDArray[np.float64]) -> GaussianUnion:
    """Least information that two Gaussian sources can have together, given what each has of a Gaussian target.

    Given Y of covariance 1, each source is a signal in white noise, and as many of its dimensions as Y has are enough.
    What is left free is the correlation S of the two noises, of spectral norm at most 1; the information is convex in
    S. It is minimised by sign-based gradient steps in coordinates that reach every S of norm below 1; the gap is that
    of Frank and Wolfe on the whole ball. With a single target this gives the larger of both informations (Barrett
    2015).

    Parameters
    ----------
    first, second
        Signal-to-noise matrices (problem, target, target): the transposed signal times the signal, in units of the
        source's noise given Y, so that I = logdet(1 + first) / 2.

    Notes
    -----
    Source: the Gaussian measure of Venkatesh et al. (2023); the solver is the project's own.
    """
    signal = torch.from_numpy(np.concatenate([_root(first), _root(second)], axis=-2))
    power = signal @ signal.mT
    free = torch.zeros(first.shape, dtype=torch.float64, requires_grad=True)
    # Sign-based steps are element by element, so the problems of a batch do not disturb each other.
    descent = torch.optim.Rprop([free], lr=0.1, step_sizes=(1e-9, LARGEST_STEP))
    best, correlation = None, torch.zeros_like(free)
    for _ in range(N_STEPS):
        descent.zero_grad()
        now, value = _information(free, power)
        value.sum().backward()
        found = value.detach()
        better = found < best if best is not None else torch.ones_like(found, dtype=torch.bool)
        best = found if best is None else torch.where(better, found, best)
        correlation = torch.where(better[..., None, None], now.detach(), correlation)
        descent.step()
    assert best is not None
    return GaussianUnion(best.numpy() / np.log(2), _gap(correlation, power).numpy() / np.log(2))


def _root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Symmetric square root of positive semidefinite matrices (..., target, target)."""
    values, vectors = np.linalg.eigh(matrix)
    root: NDArray[np.float64] = (vectors * np.sqrt(np.maximum(values, 0))[..., None, :]) @ vectors.swapaxes(-1, -2)
    return root


def _noise(correlation: torch.Tensor) -> torch.Tensor:
    """Covariance of both noises."""
    one = torch.eye(correlation.shape[-1], dtype=correlation.dtype).expand_as(correlation)
    return torch.cat([torch.cat([one, correlation], -1), torch.cat([correlation.mT, one], -1)], -2)


def _information(free: torch.Tensor, power: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Correlation T (1 + T'T)^(-1/2) of free coordinates T, with a triangular root, and the information in nats."""
    one = torch.eye(free.shape[-1], dtype=free.dtype)
    root = torch.linalg.cholesky(one + free.mT @ free)
    correlation = torch.linalg.solve_triangular(root, free.mT, upper=False).mT
    # log det of the noise is -2 log det of the root.
    log_root = torch.log(torch.diagonal(root, dim1=-2, dim2=-1)).sum(-1)
    return correlation, torch.logdet(_noise(correlation) + power) / 2 + log_root


def _gap(correlation: torch.Tensor, power: torch.Tensor) -> torch.Tensor:
    """Largest decrease that the tangent allows on the ball of spectral norm 1, in nats."""
    n_targets = correlation.shape[-1]
    noise = _noise(correlation)
    slope = (torch.linalg.inv(noise + power) - torch.linalg.inv(noise))[..., :n_targets, n_targets:]
    return (slope * correlation).sum((-1, -2)) + torch.linalg.svdvals(slope).sum(-1)
