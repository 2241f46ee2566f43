"""Factors of small and of block-wise symmetric matrices, compiled without a call for every operation."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

BLOCK = 64
Floats = NDArray[np.float64]
compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})


@compiled
def add_scaled(x: Floats, share: float, y: Floats) -> None:
    """Add `share` times y (rows, columns) to the corner of x in place; loops compile faster than expressions."""
    for row in range(y.shape[0]):
        for column in range(y.shape[1]):
            x[row, column] += share * y[row, column]


@compiled
def cholesky(a: Floats) -> bool:
    """Lower factor of a small matrix in place, zeros above; False where it is not positive definite."""
    n = len(a)
    for j in range(n):
        pivot = a[j, j]
        for k in range(j):
            pivot -= a[j, k] * a[j, k]
        if not pivot > 0:
            return False
        a[j, j] = np.sqrt(pivot)
        for i in range(j + 1, n):
            total = a[i, j]
            for k in range(j):
                total -= a[i, k] * a[j, k]
            a[i, j] = total / a[j, j]
            a[j, i] = 0.0
    return True


@compiled
def invert(lower: Floats, out: Floats) -> None:
    """Inverse of a small lower triangle."""
    n = len(lower)
    out.fill(0.0)
    for i in range(n):
        out[i, i] = 1.0
        for k in range(i):
            for j in range(k + 1):
                out[i, j] -= lower[i, k] * out[k, j]
        for j in range(i + 1):
            out[i, j] /= lower[i, i]


@compiled
def part(a: Floats, rows: tuple[int, int], columns: tuple[int, int]) -> Floats:
    """Copy of a part of `a`."""
    out = np.empty((rows[1] - rows[0], columns[1] - columns[0]))
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            out[row, column] = a[rows[0] + row, columns[0] + column]
    return out


@compiled
def factor_blocks(a: Floats, inverses: Floats) -> bool:
    """Lower factor of `a` in place in blocks of `BLOCK`, and the inverses of the blocks on its diagonal."""
    n = len(a)
    for block, low in enumerate(range(0, n, BLOCK)):
        high = min(low + BLOCK, n)
        if low > 0:
            left, above = part(a, (low, n), (0, low)), part(a, (low, high), (0, low))
            add_scaled(a[low:, low:], -1.0, np.dot(left, above.T))
        diagonal = part(a, (low, high), (low, high))
        if not cholesky(diagonal):
            return False
        inverse = np.empty_like(diagonal)
        invert(diagonal, inverse)
        for i in range(high - low):
            for k in range(high - low):
                a[low + i, low + k] = diagonal[i, k]
                inverses[block, i, k] = inverse[i, k]
        if high < n:
            below = np.dot(part(a, (high, n), (low, high)), inverse.T)
            for i in range(n - high):
                for k in range(high - low):
                    a[high + i, low + k] = below[i, k]
    return True


@compiled
def solve_blocks(a: Floats, inverses: Floats, right: Floats) -> None:
    """Solve in place for `right` (n) with the factor in blocks."""
    n = len(a)
    for block, low in enumerate(range(0, n, BLOCK)):
        high = min(low + BLOCK, n)
        for i in range(low, high):
            total = 0.0
            for k in range(low):
                total += a[i, k] * right[k]
            right[i] -= total
        own = right[low:high].copy()
        for i in range(high - low):
            total = 0.0
            for k in range(i + 1):
                total += inverses[block, i, k] * own[k]
            right[low + i] = total
    for block in range(len(inverses) - 1, -1, -1):
        low, high = block * BLOCK, min((block + 1) * BLOCK, n)
        own = right[low:high].copy()
        for k in range(low, high):
            right[k] = 0.0
        for k in range(high - low):
            for i in range(k + 1):
                right[low + i] += inverses[block, k, i] * own[k]
        for k in range(low, high):
            for i in range(low):
                right[i] -= a[k, i] * right[k]
