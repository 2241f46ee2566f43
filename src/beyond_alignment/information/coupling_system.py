"""Linear system behind couplings of two source-target marginals: block structure, Schur complement, factors."""

import torch
from torch import Tensor

LEAST_RIDGE, MOST_RIDGE = 1e-13, 1e-4
Damping = tuple[Tensor | float, Tensor | float]


class CouplingSystem:
    """Factor of A W A^T, where A maps a coupling q[i, j, y] to its marginals over (i, y) and (j, y).

    W is block-diagonal over the pairs (i, j): W = diag(d) + d r^T, r a multiple of d. The unknowns of the first side,
    one block of classes a state, are eliminated; what remains is dense with (states of the second side) x (classes)
    unknowns. One unknown a class is pinned, since f + c, g - c is the same dual point.

    Parameters
    ----------
    d
        Diagonal (batch, i, j, y), not negative.
    relative
        The factor r, same shape.
    first
        Marginal (batch, i, y); unknowns where it is 0 stay as they are.
    second
        Marginal (batch, j, y), likewise.
    damping
        What is added to the diagonal, (batch, i, y) and (batch, j, y).
    """

    def __init__(self, d: Tensor, relative: Tensor, first: Tensor, second: Tensor, *, damping: Damping) -> None:
        ridge = torch.full((len(d), 1, 1), LEAST_RIDGE, dtype=d.dtype, device=d.device)
        while (failed := self._factor(d, relative, first, second, damping, ridge)).any() and ridge.max() < MOST_RIDGE:
            ridge = torch.where(failed[:, None, None], ridge * 100, ridge)

    def _factor(
        self, d: Tensor, relative: Tensor, first: Tensor, second: Tensor, damping: Damping, ridge: Tensor
    ) -> Tensor:
        """Build and factor, the diagonal raised by the share `ridge`; which matrices were not positive definite."""
        batch, k1, k2, classes = self.shape = d.shape
        self.d, self.relative = d, relative
        absent = first <= 0
        pinned = (second <= 0).scatter(1, second.argmax(1, keepdim=True), True)
        self.present, self.free = (~absent).to(d.dtype), (~pinned).to(d.dtype)

        own_first = self.d.mT @ self.relative
        own_first.diagonal(dim1=2, dim2=3).add_(self.d.sum(2)).mul_(1 + ridge).add_(damping[0]).add_(absent)
        own_second = self.d.permute(0, 2, 3, 1) @ self.relative.transpose(1, 2)
        own_second.diagonal(dim1=2, dim2=3).add_(self.d.sum(1)).mul_(1 + ridge).add_(damping[1])
        own_second = own_second * self.free[..., :, None] * self.free[..., None, :]
        own_second.diagonal(dim1=2, dim2=3).add_(pinned)

        scaled = self.relative * self.free[:, None]
        cross = torch.empty(batch, k1, classes, k2, classes, dtype=d.dtype, device=d.device)
        torch.mul(self.d.mT[..., None], scaled[:, :, None], out=cross)
        cross.diagonal(dim1=2, dim2=4).add_(self.d * self.free[:, None])
        lower, failed = torch.linalg.cholesky_ex(own_first)
        eye = torch.eye(classes, dtype=d.dtype, device=d.device)
        # The inverse of these small factors, since a triangular solve returns its result transposed in memory.
        self.inverse = torch.linalg.solve_triangular(lower, eye.expand_as(lower), upper=False).contiguous()
        cross = self.inverse @ cross.view(batch, k1, classes, k2 * classes)
        self.cross = cross.view(batch, k1 * classes, k2 * classes)
        schur = torch.zeros(batch, k2, classes, k2, classes, dtype=d.dtype, device=d.device)
        schur.diagonal(dim1=1, dim2=3).copy_(own_second.permute(0, 2, 3, 1))
        schur = schur.view(batch, k2 * classes, k2 * classes)
        schur.baddbmm_(self.cross.mT, self.cross, alpha=-1)
        self.schur_lower, schur_failed = torch.linalg.cholesky_ex(schur)
        return (failed > 0).any(1) | (schur_failed > 0)

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
        return (self.inverse.mT @ back)[..., 0] * self.present, step.reshape(batch, k2, classes)
