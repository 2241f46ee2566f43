"""Linear system behind couplings of two source-target marginals, compiled: one problem, no memory beyond its own.

The system is A W A^T, where A maps a coupling q[i, j, y] to its marginals over (i, y) and (j, y), and W is
block-diagonal over the pairs (i, j): W = diag(d) + d r^T, `relative` r a multiple of d. The unknowns of the first side,
one block of classes a state, are eliminated; what remains (the Schur complement) is dense with (states of the second
side) x (classes) unknowns. One unknown a class is pinned, since f + c, g - c is the same dual point.
"""

import numpy as np

from beyond_alignment.information.compiled.factors import (
    BLOCK,
    Floats,
    add_scaled,
    cholesky,
    compiled,
    factor_blocks,
    invert,
    part,
    solve_blocks,
)

LEAST_RIDGE, MOST_RIDGE = 1e-13, 1e-4


@compiled
def apply(d: Floats, relative: Floats, x: Floats, out: Floats) -> None:
    """W x for x (i, j, y), with W = diag(d) + relative d^T over every pair (i, j)."""
    k1, k2, classes = d.shape
    for i in range(k1):
        for j in range(k2):
            total = 0.0
            for y in range(classes):
                out[i, j, y] = d[i, j, y] * x[i, j, y]
                total += out[i, j, y]
            for y in range(classes):
                out[i, j, y] += relative[i, j, y] * total


@compiled
def marginals(q: Floats, over_second: Floats, over_first: Floats) -> None:
    """Sum q (i, j, y) to its marginals over (i, y) and (j, y)."""
    over_second.fill(0.0)
    over_first.fill(0.0)
    for i in range(q.shape[0]):
        for j in range(q.shape[1]):
            for y in range(q.shape[2]):
                over_second[i, y] += q[i, j, y]
                over_first[j, y] += q[i, j, y]


@compiled
def start(first: Floats, second: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Dual point where the sources are independent given the target, and which unknowns of each side move (1 or 0)."""
    f, g = np.zeros_like(first), np.zeros_like(second)
    present, free = np.zeros_like(first), np.zeros_like(second)
    target = np.zeros(first.shape[1])
    for i in range(len(first)):
        total = 0.0
        for y in range(len(target)):
            total += first[i, y]
            target[y] += first[i, y]
        for y in range(len(target)):
            if first[i, y] > 0:
                present[i, y] = 1.0
                f[i, y] = np.log(first[i, y] / total)
    held = np.zeros(len(target), dtype=np.int64)
    for j in range(len(second)):
        total = 0.0
        for y in range(len(target)):
            total += second[j, y]
            held[y] = j if second[j, y] > second[held[y], y] else held[y]
        for y in range(len(target)):
            if second[j, y] > 0:
                free[j, y] = 1.0
                g[j, y] = np.log(second[j, y] / total / target[y])
    for y in range(len(target)):
        free[held[y], y] = 0.0  # f + c, g - c is the same dual point
    return f, g, present, free


@compiled
def _try_factor(
    d: Floats,
    relative: Floats,
    first: Floats,
    free: Floats,
    damping_first: Floats,
    damping_second: Floats,
    ridge: float,
    inverse: Floats,
    schur: Floats,
    inverses: Floats,
) -> bool:
    """Build and factor, the diagonal raised by the share `ridge`; False where it is not positive definite."""
    k1, k2, classes = d.shape
    projected = np.zeros((k1 * classes, k2 * classes))
    schur.fill(0.0)
    own = np.empty((classes, classes))
    for i in range(k1):
        own.fill(0.0)
        for j in range(k2):
            for y in range(classes):
                own[y, y] += d[i, j, y]
        for y in range(classes):
            own[y, y] = own[y, y] * (1 + ridge) + damping_first[i, y] + (first[i, y] <= 0)
        for j in range(k2):
            for y in range(classes):
                for other in range(classes):
                    own[y, other] += d[i, j, y] * relative[i, j, other]
                    schur[j * classes + y, j * classes + other] += d[i, j, y] * relative[i, j, other]
                schur[j * classes + y, j * classes + y] += d[i, j, y] * (1 + ridge)
        if not cholesky(own):
            return False
        invert(own, inverse[i])
        for y in range(classes):
            row = projected[i * classes + y]
            for k in range(y + 1):
                share = inverse[i, y, k]
                for j in range(k2):
                    scaled = share * d[i, j, k]
                    for other in range(classes):
                        row[j * classes + other] += scaled * relative[i, j, other]
                    row[j * classes + k] += scaled
    for j in range(k2):
        for y in range(classes):
            schur[j * classes + y, j * classes + y] += damping_second[j, y]
    for low in range(0, k2 * classes, BLOCK):
        high = min(low + BLOCK, k2 * classes)
        rows = part(projected, (0, k1 * classes), (low, k2 * classes))
        columns = part(projected, (0, k1 * classes), (low, high))
        add_scaled(schur[low:, low:], -1.0, np.dot(rows.T, columns))
    for row in range(k2 * classes):
        if free[row // classes, row % classes] == 0:
            for other in range(k2 * classes):
                schur[row, other] = schur[other, row] = 0.0
            schur[row, row] = 1.0
    return factor_blocks(schur, inverses)


@compiled
def factor(
    d: Floats, relative: Floats, first: Floats, free: Floats, damping_first: Floats, damping_second: Floats
) -> tuple[Floats, Floats, Floats]:
    """Factor of the system, its diagonal raised until it is positive definite.

    Parameters
    ----------
    d, relative
        (i, j, y): the diagonal of W and the factor r.
    first
        Marginal (i, y); unknowns where it is 0 stay as they are.
    free
        (j, y), 0 for the unknowns that stay as they are.
    damping_first, damping_second
        What is added to the diagonal, (i, y) and (j, y).

    Returns
    -------
    Inverses of the blocks of the first side, factor of the rest, inverses of the blocks of its diagonal.
    """
    k1, k2, classes = d.shape
    n = k2 * classes
    inverse = np.empty((k1, classes, classes))
    schur = np.empty((n, n))
    inverses = np.empty(((n + BLOCK - 1) // BLOCK, min(BLOCK, n), min(BLOCK, n)))
    ridge = LEAST_RIDGE
    while (
        not _try_factor(d, relative, first, free, damping_first, damping_second, ridge, inverse, schur, inverses)
        and ridge < MOST_RIDGE
    ):
        ridge *= 100
    return inverse, schur, inverses


@compiled
def _solve_first(inverse: Floats, right: Floats) -> Floats:
    """Solve the blocks of the first side for `right` (i, y)."""
    k1, classes = right.shape
    out = np.zeros((k1, classes))
    half = np.empty(classes)
    for i in range(k1):
        for y in range(classes):
            half[y] = 0.0
            for k in range(y + 1):
                half[y] += inverse[i, y, k] * right[i, k]
        for y in range(classes):
            for k in range(y + 1):
                out[i, k] += inverse[i, y, k] * half[y]
    return out


@compiled
def solve(
    d: Floats,
    relative: Floats,
    present: Floats,
    free: Floats,
    factors: tuple[Floats, Floats, Floats],
    first: Floats,
    second: Floats,
) -> tuple[Floats, Floats]:
    """Dual steps (i, y) and (j, y) for right-hand sides of these shapes."""
    inverse, schur, inverses = factors
    k1, k2, classes = d.shape
    eliminated = _solve_first(inverse, first)
    rest = second.copy()
    for i in range(k1):
        for j in range(k2):
            total = 0.0
            for y in range(classes):
                total += d[i, j, y] * eliminated[i, y]
            for y in range(classes):
                rest[j, y] -= d[i, j, y] * eliminated[i, y] + relative[i, j, y] * total
    for j in range(k2):
        for y in range(classes):
            rest[j, y] *= free[j, y]
    step = rest.reshape(-1)  # (j * y)
    solve_blocks(schur, inverses, step)
    dg = step.reshape(k2, classes)
    left = first.copy()
    for i in range(k1):
        for j in range(k2):
            total = 0.0
            for y in range(classes):
                total += d[i, j, y] * dg[j, y]
            for y in range(classes):
                left[i, y] -= d[i, j, y] * dg[j, y] + relative[i, j, y] * total
    df = _solve_first(inverse, left)
    for i in range(k1):
        for y in range(classes):
            df[i, y] *= present[i, y]
    return df, dg
