"""Distribution of largest entropy with given pairwise marginals, many problems at once.

Its posterior is additive, log q(y | i, j) = f[i, y] + g[j, y] + c[i, j]: a multinomial logistic model, fitted by
maximum likelihood with damped Newton steps (Levenberg 1944, Marquardt 1963). Where the distribution has zeros that the
pairwise marginals do not show, f and g run off to infinity, and every step divides what is missing by e.
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from beyond_alignment.information.coupling_system import CouplingSystem, Workspace

MAX_ITERATIONS = 100
HALVINGS = 4
LEAST_DAMPING = 1e-12
FIRST_DAMPING = 1e-6
MOST_DAMPING = 10.0
SHIFT_PENALTY = 1e-9
RESIDUAL_PRICE = 50.0


@dataclass
class PairwiseBounds:
    """Bounds in nats on I(X1, X2; Y) under the distribution of largest entropy, and that distribution."""

    upper: Tensor
    lower: Tensor
    joint: Tensor


@dataclass
class _Fits:
    """Targets and iterates of a batch; every field has the batch as its first axis."""

    first: Tensor
    second: Tensor
    pair: Tensor
    absent: Tensor
    f: Tensor
    g: Tensor
    damping: Tensor
    index: Tensor

    def keep(self, which: Tensor) -> "_Fits":
        """Return the problems that a mask selects."""
        return _Fits(*(getattr(self, field.name)[which] for field in fields(self)))

    def posterior(self, f: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
        """Posterior (batch, i, j, y) and the loss, which bounds the conditional entropy of Y from above."""
        logits = f[:, :, None] + g[:, None] + self.absent
        normaliser = logits.logsumexp(3)
        loss = (self.pair * normaliser).sum((1, 2)) - (self.first * f).sum((1, 2)) - (self.second * g).sum((1, 2))
        return (logits - normaliser[..., None]).exp(), loss


def solve_pairwise(p: Tensor, *, tolerance: float) -> PairwiseBounds:
    """Solve one batch of p (batch, i, j, y); `tolerance` is the distance of the bounds to reach, nats."""
    fits = _start(p)
    workspace = Workspace.like(p)
    marginal = fits.first.sum(1)
    entropy = -torch.xlogy(marginal, marginal).sum(1)
    best = PairwiseBounds(entropy + _told(p), torch.zeros_like(entropy), p.clone())
    for _ in range(MAX_ITERATIONS):
        joint, upper, loss = _advance(fits, workspace)
        index = fits.index
        best.lower[index] = torch.maximum(best.lower[index], entropy[index] - loss)
        lower = entropy[index] + upper < best.upper[index]
        best.upper[index[lower]] = (entropy[index] + upper)[lower]
        best.joint[index[lower]] = joint[lower]
        open_ = (best.upper - best.lower)[index] > tolerance
        if not open_.any():
            break
        if not open_.all():
            fits = fits.keep(open_)
    return best


def _start(p: Tensor) -> _Fits:
    """Begin where the sources are independent given the target."""
    first, second, pair = p.sum(2), p.sum(1), p.sum(3)
    possible = (first > 0)[:, :, None] & (second > 0)[:, None] | (pair <= 0)[..., None]
    return _Fits(
        first=first,
        second=second,
        pair=pair,
        absent=torch.where(possible, 0.0, -torch.inf),
        f=_log(first / _positive(first.sum(2, keepdim=True))),
        g=_log(second / _positive(second.sum(2, keepdim=True)) / _positive(first.sum(1, keepdim=True))),
        damping=torch.full((len(p), 1, 1), FIRST_DAMPING, dtype=p.dtype, device=p.device),
        index=torch.arange(len(p), device=p.device),
    )


def _advance(fits: _Fits, workspace: Workspace) -> tuple[Tensor, Tensor, Tensor]:
    """One step in place; returns a coupling, the upper bound it gives less the entropy of Y, and the loss before."""
    at, loss = fits.posterior(fits.f, fits.g)
    q = fits.pair[..., None] * at
    first_now, second_now = q.sum(2), q.sum(1)
    damping = fits.damping * torch.maximum(fits.first, first_now), fits.damping * torch.maximum(fits.second, second_now)
    relative = (SHIFT_PENALTY - 1) * at
    system = CouplingSystem(q, relative, fits.first, fits.second, workspace=workspace, damping=damping)
    first_residual, second_residual = fits.first - first_now, fits.second - second_now
    df, dg = (step.nan_to_num(0.0, 0.0, 0.0) for step in system.solve(first_residual, second_residual))
    moved = df[:, :, None] + dg[:, None]
    joint = (q + q * (moved - (at * moved).sum(3, keepdim=True))).clamp_min(0.0)
    left = (fits.first - joint.sum(2)).abs().sum((1, 2)) + (fits.second - joint.sum(1)).abs().sum((1, 2))
    slope = (first_residual * df).sum((1, 2)) + (second_residual * dg).sum((1, 2))
    step = torch.ones_like(loss)
    for _ in range(HALVINGS):
        tried = fits.posterior(fits.f + step[:, None, None] * df, fits.g + step[:, None, None] * dg)[1]
        fine = tried <= loss - 1e-4 * step * slope + 1e-14
        if fine.all():
            break
        step = torch.where(fine, step, step / 2)
    step = torch.where(fine, step, 0.0)[:, None, None]
    fits.f, fits.g = fits.f + step * df, fits.g + step * dg
    factor = torch.where(step == 1, 0.1, torch.where(step > 0, 1.0, 100.0))
    fits.damping = (factor * fits.damping).clamp(LEAST_DAMPING, MOST_DAMPING)
    return joint, _told(joint) + RESIDUAL_PRICE * left, loss


def _told(q: Tensor) -> Tensor:
    """Sum of q(i, j, y) log q(y | i, j), (batch)."""
    return torch.xlogy(q, q).sum((1, 2, 3)) - torch.xlogy(q.sum(3), q.sum(3)).sum((1, 2))


def _positive(x: Tensor) -> Tensor:
    """Replace what is not positive by 1, a divisor without effect."""
    return torch.where(x > 0, x, 1.0)


def _log(x: Tensor) -> Tensor:
    """Logarithm, 0 where x is 0."""
    return _positive(x).log()
