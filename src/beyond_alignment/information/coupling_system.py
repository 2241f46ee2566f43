"""Linear system behind couplings of two source-target marginals: block structure, Schur complement, factors."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

BLOCK = 64
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
        self.inverse = _inverse(lower)
        wide = batch * k1, classes, k2 * classes
        projected = self.workspace.projected[:batch]
        torch.bmm(self.inverse.view(batch * k1, classes, classes), cross.view(wide), out=projected.view(wide))
        self.cross = projected.view(batch, k1 * classes, k2 * classes)
        own = self.workspace.schur[:batch]
        own.zero_()
        own.view(batch, k2, classes, k2, classes).diagonal(dim1=1, dim2=3).copy_(own_second.permute(0, 2, 3, 1))
        return (failed > 0).any(1) | self._factor_schur(own)

    def _factor_schur(self, own: Tensor) -> Tensor:
        """Cholesky factor of own - cross^T cross, block by block, with the inverses of the blocks of its diagonal.

        Only the lower half is computed, and small triangles are inverted: library factors of a large batch are slow.
        """
        size = own.shape[1]
        n_blocks = -(-size // BLOCK)
        edges = [size * k // n_blocks for k in range(n_blocks + 1)]
        self.blocks = [slice(low, high) for low, high in pairwise(edges)]
        self.below: dict[tuple[int, int], Tensor] = {}
        self.inverses: list[Tensor] = []
        failed = torch.zeros(len(own), dtype=torch.bool, device=own.device)
        for j, columns in enumerate(self.blocks):
            for i, rows in enumerate(self.blocks[j:], start=j):
                block = torch.baddbmm(
                    own[:, rows, columns], self.cross[:, :, rows].mT, self.cross[:, :, columns], alpha=-1
                )
                for k in range(j):
                    block.baddbmm_(self.below[i, k], self.below[j, k].mT, alpha=-1)
                if i == j:
                    lower, wrong = torch.linalg.cholesky_ex(block)
                    failed |= wrong > 0
                    self.inverses.append(_inverse(lower))
                else:
                    self.below[i, j] = block @ self.inverses[j].mT
        return failed

    def _solve_schur(self, right: Tensor) -> Tensor:
        """Solve for right-hand sides (batch, j * y, 1)."""
        parts = [right[:, rows] for rows in self.blocks]
        for j, inverse in enumerate(self.inverses):
            parts[j] = inverse @ parts[j]
            for i in range(j + 1, len(parts)):
                parts[i] = parts[i] - self.below[i, j] @ parts[j]
        for j in reversed(range(len(parts))):
            for i in range(j + 1, len(parts)):
                parts[j] = parts[j] - self.below[i, j].mT @ parts[i]
            parts[j] = self.inverses[j].mT @ parts[j]
        return torch.cat(parts, dim=1)

    def apply(self, x: Tensor) -> Tensor:
        """W x for x (batch, i, j, y)."""
        scaled = self.d * x
        return scaled + self.relative * scaled.sum(3, keepdim=True)

    def solve(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Solve for the dual steps of right-hand sides (batch, i, y) and (batch, j, y)."""
        batch, _, k2, classes = self.shape
        eliminated = self._solve_first(first)
        rest = (second - self.apply(eliminated[:, :, None]).sum(1)) * self.free
        step = self._solve_schur(rest.reshape(batch, k2 * classes, 1)).reshape(batch, k2, classes)
        return self._solve_first(first - self.apply(step[:, None]).sum(2)) * self.present, step

    def _solve_first(self, right: Tensor) -> Tensor:
        """Solve the blocks of the first side for right-hand sides (batch, i, y)."""
        return (self.inverse.mT @ (self.inverse @ right[..., None]))[..., 0]


def _inverse(lower: Tensor) -> Tensor:
    """Inverse of small lower triangles, in the usual order of memory, which a triangular solve does not return."""
    eye = torch.eye(lower.shape[-1], dtype=lower.dtype, device=lower.device)
    return torch.linalg.solve_triangular(lower, eye.expand_as(lower), upper=False).contiguous()
