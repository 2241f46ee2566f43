"""Linear system of the interior-point steps of `coupling_solver`: block structure, Schur complement, factors."""

import torch
from torch import Tensor

RIDGE = 1e-13


class CouplingSystem:
    """Factor of A W A^T, where A maps a coupling q[i, j, y] to its marginals over (i, y) and (j, y).

    W is block-diagonal over the pairs (i, j): W = diag(d) + d d^T / slack with d = q / (1 + z), slack = sum_y d z.
    The unknowns of the first side, one block of classes a state, are eliminated; what remains is dense with
    (states of the second side) x (classes) unknowns. One unknown a class is pinned, since f + c, g - c is the same
    dual point.

    Parameters
    ----------
    q
        Coupling (batch, i, j, y), positive where `support`, else 0.
    z
        Multipliers of q >= 0 relative to the entropy's gradient, same shape.
    first_support
        Where the marginal (batch, i, y) is positive.
    pinned
        Unknowns (batch, j, y) of the second side that stay as they are; holds all of its unsupported ones.
    """

    def __init__(self, q: Tensor, z: Tensor, first_support: Tensor, pinned: Tensor) -> None:
        batch, k1, k2, classes = q.shape
        self.shape = batch, k1, k2, classes
        self.first_support = first_support
        self.d = q / (1 + z)
        slack = (self.d * z).sum(3, keepdim=True)
        self.relative = self.d * torch.where(slack > 0, 1 / slack, 0.0)
        self.free = (~pinned).to(q.dtype)

        own_first = self.d.mT @ self.relative
        own_first.diagonal(dim1=2, dim2=3).add_(self.d.sum(2)).mul_(1 + RIDGE).add_(~first_support)
        own_second = self.d.permute(0, 2, 3, 1) @ self.relative.transpose(1, 2)
        own_second.diagonal(dim1=2, dim2=3).add_(self.d.sum(1)).mul_(1 + RIDGE)
        own_second = own_second * self.free[..., :, None] * self.free[..., None, :]
        own_second.diagonal(dim1=2, dim2=3).add_(pinned)

        scaled = self.relative * self.free[:, None]
        cross = torch.empty(batch, k1, classes, k2, classes, dtype=q.dtype, device=q.device)
        torch.mul(self.d.mT[..., None], scaled[:, :, None], out=cross)
        cross.diagonal(dim1=2, dim2=4).add_(self.d * self.free[:, None])
        lower, failed = torch.linalg.cholesky_ex(own_first)
        eye = torch.eye(classes, dtype=q.dtype, device=q.device)
        # The inverse of these small factors, since a triangular solve returns its result transposed in memory.
        self.inverse = torch.linalg.solve_triangular(lower, eye.expand_as(lower), upper=False).contiguous()
        cross = self.inverse @ cross.view(batch, k1, classes, k2 * classes)
        self.cross = cross.view(batch, k1 * classes, k2 * classes)
        schur = torch.zeros(batch, k2, classes, k2, classes, dtype=q.dtype, device=q.device)
        schur.diagonal(dim1=1, dim2=3).copy_(own_second.permute(0, 2, 3, 1))
        schur = schur.view(batch, k2 * classes, k2 * classes)
        schur.baddbmm_(self.cross.mT, self.cross, alpha=-1)
        self.schur_lower, schur_failed = torch.linalg.cholesky_ex(schur)
        self.failed = (failed > 0).any(1) | (schur_failed > 0)

    def apply(self, x: Tensor) -> Tensor:
        """W x for x (batch, i, j, y)."""
        scaled = self.d * x
        return scaled + self.relative * scaled.sum(3, keepdim=True)

    def solve(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Solve for the dual steps of right-hand sides (batch, i, y) and (batch, j, y)."""
        batch, k1, k2, classes = self.shape
        forward = (self.inverse @ first[..., None]).view(batch, k1 * classes, 1)
        rest = (second * self.free).reshape(batch, k2 * classes, 1) - self.cross.mT @ forward
        step = torch.linalg.solve_triangular(self.schur_lower, rest, upper=False)
        step = torch.linalg.solve_triangular(self.schur_lower.mT, step, upper=True)
        back = (forward - self.cross @ step).view(batch, k1, classes, 1)
        return (self.inverse.mT @ back)[..., 0] * self.first_support, step.reshape(batch, k2, classes)
