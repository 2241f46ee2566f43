"""Primal-dual interior-point method for the coupling that tells least about a target, many problems at once.

Minimise h(q) = sum q(i, j, y) log q(y | i, j) over couplings q of two source-target marginals. The multipliers of the
marginals are f[i, y] and g[j, y], those of q >= 0 are z; at the optimum f + g + z = log q(y | i, j) and q z = 0. The
barrier is weighted by the coupling in which the sources are independent given the target: it is the starting point,
lies in the interior, and makes rare states as well scaled as frequent ones. Steps are those of Mehrotra (1992).
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from beyond_alignment.information.coupling_system import CouplingSystem, Workspace

MAX_ITERATIONS = 100
START = 0.5
STEP_SHARE = 0.9
LEAST_CENTRING = 1e-3
LEAST_BARRIER = 0.02
FEASIBILITY_MARGIN = 1e-14


@dataclass
class Problems:
    """Marginals, weights and iterates of a batch; every field has the batch as its first axis."""

    first: Tensor
    second: Tensor
    weight: Tensor
    q: Tensor
    z: Tensor
    f: Tensor
    g: Tensor
    index: Tensor

    def keep(self, which: Tensor) -> "Problems":
        """Return the problems that a mask selects."""
        return Problems(*(getattr(self, field.name)[which] for field in fields(self)))


@dataclass
class Certified:
    """Bounds in nats, and the points that prove them."""

    primal: Tensor
    dual: Tensor
    joint: Tensor
    f: Tensor
    g: Tensor

    def take(self, other: "Certified", index: Tensor) -> None:
        """Replace by `other` (problems `index`) whatever it proves better."""
        higher = other.dual > self.dual[index]
        lower = other.primal < self.primal[index]
        for name, better in (("dual", higher), ("f", higher), ("g", higher), ("primal", lower), ("joint", lower)):
            getattr(self, name)[index[better]] = getattr(other, name)[better]


def solve_couplings(first: Tensor, second: Tensor, *, tolerance: float) -> Certified:
    """Solve one batch.

    Parameters
    ----------
    first
        (batch, i, y) float64, every entry 0 or well above the smallest normal number.
    second
        (batch, j, y), same p(y); i is the longer axis for speed.
    tolerance
        Distance of the bounds at which a problem is done, nats.

    Returns
    -------
    The best bounds on the minimum of I_q(X1, X2; Y) found, in nats, and their points.
    """
    problems = _start(first, second)
    best = _certify(problems)
    workspace = Workspace.like(problems.q)
    for _ in range(MAX_ITERATIONS):
        complementarity = _advance(problems, workspace, tolerance)
        if (complementarity >= 3 * tolerance).all():
            continue
        best.take(_certify(problems), problems.index)
        open_ = ((best.primal - best.dual)[problems.index] > tolerance) & torch.isfinite(complementarity)
        if not open_.any():
            break
        if not open_.all():
            problems = problems.keep(open_)
    else:
        best.take(_certify(problems), problems.index)
    return best


def _start(first: Tensor, second: Tensor) -> Problems:
    """Begin where the sources are independent given the target."""
    marginal = _positive(first.sum(1, keepdim=True))
    weight = first[:, :, None] * (second / marginal)[:, None]
    f = _log(first / _positive(first.sum(2, keepdim=True)))
    g = _log(second / _positive(second.sum(2, keepdim=True)) / marginal)
    z = torch.full_like(weight, START)
    index = torch.arange(len(first), device=first.device)
    return Problems(first=first, second=second, weight=weight, q=weight.clone(), z=z, f=f, g=g, index=index)


def _advance(problems: Problems, workspace: Workspace, tolerance: float) -> Tensor:
    """One predictor-corrector step in place; returns q z summed, an estimate of the gap in nats."""
    q, z, weight = problems.q, problems.z, problems.weight
    # Products with a mask rather than torch.where, which is several times slower.
    absent = (weight <= 0).to(weight.dtype)
    support = 1 - absent
    d = q / (1 + z)
    relative = d / _positive((d * z).sum(3, keepdim=True))
    system = CouplingSystem(d, relative, problems.first, problems.second, workspace=workspace, damping=(0.0, 0.0))
    slope = (q / _positive(q.sum(3, keepdim=True)) + absent).log()
    dual_residual = (problems.f[:, :, None] + problems.g[:, None] - slope) * support
    first_residual = problems.first - q.sum(2)
    second_residual = problems.second - q.sum(1)
    inverse = support / (q + absent)

    def direction(target: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Newton step towards q z = target; `target` is given divided by q."""
        right = dual_residual + target
        moved = system.apply(right)
        df, dg = system.solve(first_residual - moved.sum(2), second_residual - moved.sum(1))
        dq = system.apply(right + df[:, :, None] + dg[:, None])
        return df, dg, dq, target - z * (support + dq * inverse)

    def reach(dq: Tensor, dz: Tensor, share: float) -> Tensor:
        """Step, up to 1, that goes `share` of the way to where the first entry of q or z vanishes."""
        shrink = -torch.minimum(dq * inverse, dz / z).amin((1, 2, 3))
        return (share / shrink.clamp_min(share))[:, None, None, None]

    complementarity = (q * z).sum((1, 2, 3))
    _, _, dq, dz = direction(torch.zeros_like(q))
    step = reach(dq, dz, 1.0)
    reached = ((q + step * dq) * (z + step * dz)).sum((1, 2, 3))
    centring = (reached / complementarity).clamp(0, 1).pow(3).clamp_min(LEAST_CENTRING)
    barrier = (centring * complementarity).clamp_min(LEAST_BARRIER * tolerance)
    target = barrier[:, None, None, None] * weight - step * dq * dz
    df, dg, dq, dz = direction(target * inverse)
    step = reach(dq, dz, STEP_SHARE)
    problems.q = q + step * dq
    problems.z = z + step * dz
    problems.f = problems.f + step[..., 0] * df
    problems.g = problems.g + step[..., 0] * dg
    return (problems.q * problems.z).sum((1, 2, 3))


def _certify(problems: Problems) -> Certified:
    """Bounds from a dual point shifted into the feasible set and a coupling rounded onto the marginals."""
    first, second = problems.first, problems.second
    has_first, has_second = first.sum(2) > 0, second.sum(2) > 0
    f = torch.where(first > 0, problems.f, -torch.inf)
    g = torch.where(second > 0, problems.g, -torch.inf)
    top = f.amax(1, keepdim=True)
    top = torch.where(torch.isfinite(top), top, 0.0)
    total = (f - top).exp() @ (g + top).exp().mT
    over = torch.where(has_first, total.amax(2), 1.0)
    f = f - over.log()[..., None]
    over = torch.where(has_second, (total / over[..., None]).amax(1), 1.0)
    g = g - over.log()[..., None] - FEASIBILITY_MARGIN
    marginal = first.sum(1)
    entropy = -torch.xlogy(marginal, marginal).sum(1)
    reached = torch.where(first > 0, first * f, 0.0).sum((1, 2)) + torch.where(second > 0, second * g, 0.0).sum((1, 2))
    joint = _round(problems.q, first, second)
    tells = torch.xlogy(joint, joint).sum((1, 2, 3)) - torch.xlogy(joint.sum(3), joint.sum(3)).sum((1, 2))
    return Certified(primal=entropy + tells, dual=entropy + reached, joint=joint, f=f, g=g)


def _round(q: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Scale every class down below its two marginals and add what is missing as a product (Altschuler et al. 2017)."""
    q = q * (first / _positive(q.sum(2))).clamp_max(1.0)[:, :, None]
    q = q * (second / _positive(q.sum(1))).clamp_max(1.0)[:, None]
    missing_first = (first - q.sum(2)).clamp_min(0.0)
    missing_second = (second - q.sum(1)).clamp_min(0.0)
    share = missing_second / _positive(missing_second.sum(1, keepdim=True))
    return q + missing_first[:, :, None] * share[:, None]


def _positive(x: Tensor) -> Tensor:
    """Replace what is not positive by 1, a divisor without effect."""
    return torch.where(x > 0, x, 1.0)


def _log(x: Tensor) -> Tensor:
    """Logarithm, 0 where x is 0."""
    return _positive(x).log()
