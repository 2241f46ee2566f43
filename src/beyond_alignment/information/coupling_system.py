"""Linear system behind couplings of two source-target marginals: block structure, Schur complement, factors."""

from dataclasses import dataclass

import torch
from scipy.linalg import lapack
from torch import Tensor

LEAST_RIDGE, MOST_RIDGE = 1e-13, 1e-4
Damping = tuple[Tensor | float, Tensor | float]


@dataclass(frozen=True)
class Workspace:
    """Memory of the large tables, kept between steps: to get it anew each time takes longer than to fill it.

    Attributes
    ----------
    cross, projected
        (batch, i, y, j, y).
    schur
        (batch, j * y, j * y).
    """

    cross: Tensor
    projected: Tensor
    schur: Tensor

    @classmethod
    def like(cls, q: Tensor) -> "Workspace":
        """Make room for systems of couplings q (batch, i, j, y)."""
        batch, k1, k2, classes = q.shape
        shape = batch, k1, classes, k2, classes
        schur = q.new_empty(batch, k2 * classes, k2 * classes)
        return cls(cross=q.new_empty(shape), projected=q.new_empty(shape), schur=schur)


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
    workspace
        Made for this batch or a larger one; only one system at a time can live in it.
    damping
        What is added to the diagonal, (batch, i, y) and (batch, j, y).
    """

    def __init__(
        self, d: Tensor, relative: Tensor, first: Tensor, second: Tensor, *, workspace: Workspace, damping: Damping
    ) -> None:
        self.workspace = workspace
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

        cross = self.workspace.cross[:batch]
        torch.mul(self.d.mT[..., None], (self.relative * self.free[:, None])[:, :, None], out=cross)
        cross.diagonal(dim1=2, dim2=4).add_(self.d * self.free[:, None])
        lower, failed = torch.linalg.cholesky_ex(own_first)
        eye = torch.eye(classes, dtype=d.dtype, device=d.device)
        # The inverse of these small factors, since a triangular solve returns its result transposed in memory.
        self.inverse = torch.linalg.solve_triangular(lower, eye.expand_as(lower), upper=False).contiguous()
        wide = batch * k1, classes, k2 * classes
        projected = self.workspace.projected[:batch]
        torch.bmm(self.inverse.view(batch * k1, classes, classes), cross.view(wide), out=projected.view(wide))
        self.cross = projected.view(batch, k1 * classes, k2 * classes)
        schur = self.workspace.schur[:batch]
        torch.baddbmm(schur, self.cross.mT, self.cross, beta=0, alpha=-1, out=schur)
        by_state = schur.view(batch, k2, classes, k2, classes)
        by_state.diagonal(dim1=1, dim2=3).add_(own_second.permute(0, 2, 3, 1))
        return (failed > 0).any(1) | self._factor_schur(schur)

    def _factor_schur(self, schur: Tensor) -> Tensor:
        """Cholesky factor; on a processor in place by LAPACK, which is faster than by way of torch."""
        self.schur_lower = schur
        if schur.device.type != "cpu":
            self.schur_lower, failed = torch.linalg.cholesky_ex(schur)
            return failed > 0
        failed = [lapack.dpotrf(matrix.T, lower=1, clean=0, overwrite_a=1)[1] for matrix in schur.numpy()]
        return torch.tensor(failed) != 0

    def _solve_schur(self, right: Tensor) -> Tensor:
        """Solve for right-hand sides (batch, j * y)."""
        if right.device.type != "cpu":
            return torch.cholesky_solve(right[..., None], self.schur_lower)[..., 0]
        factors, sides = self.schur_lower.numpy(), right.numpy()
        for factor, side in zip(factors, sides, strict=True):
            side[:] = lapack.dpotrs(factor.T, side, lower=1)[0]
        return right

    def apply(self, x: Tensor) -> Tensor:
        """W x for x (batch, i, j, y)."""
        scaled = self.d * x
        return scaled + self.relative * scaled.sum(3, keepdim=True)

    def solve(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Solve for the dual steps of right-hand sides (batch, i, y) and (batch, j, y)."""
        batch, k1, k2, classes = self.shape
        forward = (self.inverse @ first[..., None]).reshape(batch, k1 * classes, 1)
        rest = (second * self.free).reshape(batch, k2 * classes) - (self.cross.mT @ forward)[..., 0]
        step = self._solve_schur(rest)
        back = (forward - self.cross @ step[..., None]).view(batch, k1, classes, 1)
        return (self.inverse.mT @ back)[..., 0] * self.present, step.reshape(batch, k2, classes)
