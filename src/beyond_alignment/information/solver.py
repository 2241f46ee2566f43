"""The two optimisations behind the exact decomposition, compiled: one problem at a time, no memory beyond its own.

Both look for a distribution q over the cells (i, j, y) of two sources and a target, and both have a dual point h with
one entry for every (i, y), then one for every (j, y); a cell belongs to one of either. The first source is the longer
one, for speed. What a problem consists of is flat: `cells` are those where q may be positive, in order.

Compiled code is long in the making: leaves are compiled without a way in from Python, and few call others.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

BLOCK = 64
LEAST_RIDGE, MOST_RIDGE = 1e-13, 1e-4
START, STEP_SHARE = 0.5, 0.9
LEAST_CENTRING, LEAST_BARRIER = 1e-3, 0.02
FEASIBILITY_MARGIN = 1e-14
HALVINGS = 4
LEAST_DAMPING, FIRST_DAMPING, MOST_DAMPING = 1e-12, 1e-6, 10.0
SHIFT_PENALTY = 1e-9
RESIDUAL_PRICE = 50.0

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Cells = tuple[Integers, Integers, Integers, Integers, Integers]
FLAGS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "contract"}}
ALONE: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
entry = njit(cache=True, **FLAGS)
leaf = njit(**FLAGS, **ALONE)


@entry
def solve_coupling(
    weight: Floats, aim: Floats, free: Floats, entropy: float, tolerance: float, steps: int, dual: Floats, joint: Floats
) -> tuple[float, float]:
    """Bounds on the least I_q(X1, X2; Y), nats, over couplings q of two source-target marginals.

    Minimise h(q) = sum q(i, j, y) log q(y | i, j). The multipliers of the marginals are the dual point, those of q >= 0
    are z; at the optimum f[i, y] + g[j, y] + z = log q(y | i, j) and q z = 0. Primal-dual interior-point method with
    the steps of Mehrotra (1992). The barrier is weighted by the coupling in which the sources are independent given the
    target: it is the starting point, lies in the interior, and makes rare states as well scaled as frequent ones.

    Parameters: `weight` (i, j, y), that coupling; `aim`, the marginals (i * y + j * y), every entry 0 or well above the
    smallest normal number; `free`, 1 for the unknowns that move, else 0; `entropy` of Y in nats; `tolerance`, the
    distance of the bounds at which the problem is done; `steps`, the most to take. `dual`, at first where to start, and
    `joint` (i * j * y), at first zeros, receive the points that prove the lower and the upper bound.
    """
    cells, w = _cells(weight)
    a, b, pair, where, _ = cells
    n_first, classes = weight.shape[0] * weight.shape[2], weight.shape[2]
    rows = np.zeros((11, len(a)))
    q, z, best, found, d, relative = rows[0], rows[1], rows[2], rows[3], rows[4], rows[5]
    slope, target, right, dq, dz = rows[6], rows[7], rows[8], rows[9], rows[10]
    rows = np.zeros((5, len(aim)))
    h, proof, now, dh, undamped = rows[0], rows[1], rows[2], rows[3], rows[4]
    rows = np.zeros((2, max(weight.shape[0] * weight.shape[1], classes)))
    total, slack = rows[0], rows[1]
    for c in range(len(w)):
        q[c], z[c] = w[c], START
    for m in range(len(aim)):
        h[m] = dual[m]
    upper, lower, complementarity, failed = np.inf, -np.inf, START, False
    for k in range(steps + 1):
        last = failed or k == steps
        if k == 0 or last or complementarity < 3 * tolerance:
            above, below = _certify(q, h, aim, cells, n_first, classes, total, slack, now, found, proof)
            if entropy + above < upper:
                upper = entropy + above
                for c in range(len(w)):
                    best[c] = found[c]
            if entropy + below > lower:
                lower = entropy + below
                for m in range(len(aim)):
                    dual[m] = proof[m]
            if last or (k > 0 and upper - lower <= tolerance):
                break
        _sum(q, pair, total)
        for c in range(len(w)):
            d[c], target[c] = q[c] / (1 + z[c]), 0.0
            right[c] = d[c] * z[c]
        _sum(right, pair, slack)
        for c in range(len(w)):
            relative[c] = d[c] / slack[pair[c]]
            slope[c] = h[a[c]] + h[b[c]] - np.log(q[c] / total[pair[c]])
        factors = _factor(d, relative, undamped, free, cells, n_first, classes)
        _marginals(q, a, b, now)
        step = 1.0
        for share in (1.0, STEP_SHARE):
            if share < 1:
                centring = max(min(max(_product(q, z, dq, dz, step) / complementarity, 0.0), 1.0) ** 3, LEAST_CENTRING)
                barrier = max(centring * complementarity, LEAST_BARRIER * tolerance)
                for c in range(len(w)):
                    target[c] = (barrier * w[c] - step * dq[c] * dz[c]) / q[c]
            for c in range(len(w)):
                right[c] = slope[c] + target[c]
            _apply(d, relative, right, pair, slack, dq)
            _marginals(dq, a, b, dh)
            for m in range(len(aim)):
                dh[m] = (aim[m] - now[m] - dh[m]) * free[m]
            _solve(factors, dh, n_first, classes)
            for c in range(len(w)):
                right[c] += dh[a[c]] + dh[b[c]]
            _apply(d, relative, right, pair, slack, dq)
            shrink = share
            for c in range(len(w)):
                dz[c] = target[c] - z[c] * (1 + dq[c] / q[c])
                shrink = max(shrink, -dq[c] / q[c], -dz[c] / z[c])
            step = share / shrink
        complementarity = _product(q, z, dq, dz, step)
        failed = not np.isfinite(complementarity)
        if not failed:
            for c in range(len(w)):
                q[c] += step * dq[c]
                z[c] += step * dz[c]
            for m in range(len(aim)):
                h[m] += step * dh[m]
    for c in range(len(w)):
        joint[where[c]] = best[c]
    return upper, lower


@entry
def solve_pairs(
    weight: Floats, aim: Floats, free: Floats, entropy: float, tolerance: float, steps: int, dual: Floats, joint: Floats
) -> tuple[float, float]:
    """Bounds on I(X1, X2; Y), nats, under the distribution of largest entropy with the pairwise marginals of p.

    Its posterior is additive, log q(y | i, j) = f[i, y] + g[j, y] + c[i, j]: a multinomial logistic model, fitted by
    maximum likelihood with damped Newton steps (Levenberg 1944, Marquardt 1963). Where p has zeros that the pairwise
    marginals do not show, f and g run off to infinity, and every step divides what is missing by e.

    Parameters are those of `solve_coupling`, but for `weight` (i, j, y): the probability of (i, j) where the marginals
    allow (i, j, y), else 0; `joint`, at first p; and `dual`, which proves nothing.
    """
    cells, mass = _cells(weight)
    a, b, pair, where, start = cells
    n_first, classes = weight.shape[0] * weight.shape[2], weight.shape[2]
    rows = np.zeros((5, len(a)))
    at, q, relative, change, found = rows[0], rows[1], rows[2], rows[3], rows[4]
    rows = np.zeros((5, len(aim)))
    now, residual, dh, added, trial = rows[0], rows[1], rows[2], rows[3], rows[4]
    total = np.zeros(weight.shape[0] * weight.shape[1])
    for c in range(len(mass)):
        found[c] = joint[where[c]]
    upper, lower, damping = entropy + _told(found, pair, total), 0.0, FIRST_DAMPING
    loss = _posterior(dual, aim, mass, a, b, start, at)
    lower = max(lower, entropy - loss)
    for _ in range(steps):
        for c in range(len(mass)):
            q[c] = mass[c] * at[c]
            relative[c] = (SHIFT_PENALTY - 1) * at[c]
        _marginals(q, a, b, now)
        for m in range(len(aim)):
            added[m] = damping * max(aim[m], now[m])
            residual[m] = aim[m] - now[m]
            dh[m] = residual[m] * free[m]
        _solve(_factor(q, relative, added, free, cells, n_first, classes), dh, n_first, classes)
        slope = 0.0
        for m in range(len(aim)):
            dh[m] = dh[m] if np.isfinite(dh[m]) else 0.0
            slope += residual[m] * dh[m]
        for c in range(len(mass)):
            change[c] = at[c] * (dh[a[c]] + dh[b[c]])
        _sum(change, pair, total)
        for c in range(len(mass)):
            found[c] = max(q[c] * (1 + dh[a[c]] + dh[b[c]] - total[pair[c]]), 0.0)
        _marginals(found, a, b, now)
        left = 0.0
        for m in range(len(aim)):
            left += abs(aim[m] - now[m])
        above = entropy + _told(found, pair, total) + RESIDUAL_PRICE * left
        if above < upper:
            upper = above
            for c in range(len(mass)):
                joint[where[c]] = found[c]
        if upper - lower <= tolerance:
            break
        step, before = 1.0, loss
        for _ in range(HALVINGS + 1):
            for m in range(len(aim)):
                trial[m] = dual[m] + step * dh[m]
            loss = _posterior(trial, aim, mass, a, b, start, at)
            if step == 0 or loss <= before - 1e-4 * step * slope + 1e-14:
                break
            step = step / 2 if step > 0.5**HALVINGS * 2 else 0.0
        for m in range(len(aim)):
            dual[m] = trial[m]
        damping *= 100.0 if step == 0 else (0.1 if step == 1 else 1.0)
        damping = min(max(damping, LEAST_DAMPING), MOST_DAMPING)
        lower = max(lower, entropy - loss)
    return upper, lower


@leaf
def _cells(weight: Floats) -> tuple[Cells, Floats]:
    """Cells where the weight is positive: their (i, y), (j, y), pair (i, j), place; first cell of a pair; weights."""
    k1, k2, classes = weight.shape
    places = np.zeros((4, weight.size), dtype=np.int64)
    start = np.zeros(k1 * k2 + 1, dtype=np.int64)
    w = np.zeros(weight.size)
    n = 0
    for i in range(k1):
        for j in range(k2):
            for y in range(classes):
                if weight[i, j, y] > 0:
                    places[0, n], places[1, n] = i * classes + y, (k1 + j) * classes + y
                    places[2, n], places[3, n] = i * k2 + j, (i * k2 + j) * classes + y
                    w[n] = weight[i, j, y]
                    n += 1
            start[i * k2 + j + 1] = n
    return (places[0][:n], places[1][:n], places[2][:n], places[3][:n], start), w[:n]


@leaf
def _sum(x: Floats, to: Integers, out: Floats) -> None:
    """Sum the cells that go to one place."""
    for m in range(len(out)):
        out[m] = 0.0
    for c in range(len(x)):
        out[to[c]] += x[c]


@leaf
def _marginals(q: Floats, a: Integers, b: Integers, out: Floats) -> None:
    """Sum over the second source to (i, y), and over the first to (j, y)."""
    for m in range(len(out)):
        out[m] = 0.0
    for c in range(len(q)):
        out[a[c]] += q[c]
        out[b[c]] += q[c]


@leaf
def _apply(d: Floats, relative: Floats, x: Floats, pair: Integers, total: Floats, out: Floats) -> None:
    """W x with W = diag(d) + relative d^T over every pair (i, j)."""
    for c in range(len(x)):
        out[c] = d[c] * x[c]
    _sum(out, pair, total)
    for c in range(len(x)):
        out[c] += relative[c] * total[pair[c]]


@leaf
def _product(q: Floats, z: Floats, dq: Floats, dz: Floats, step: float) -> float:
    """Sum of q z after a step."""
    total = 0.0
    for c in range(len(q)):
        total += (q[c] + step * dq[c]) * (z[c] + step * dz[c])
    return total


@leaf
def _told(q: Floats, pair: Integers, total: Floats) -> float:
    """Sum of q(i, j, y) log q(y | i, j)."""
    _sum(q, pair, total)
    told = 0.0
    for c in range(len(q)):
        if q[c] > 0:
            told += q[c] * np.log(q[c] / total[pair[c]])
    return told


@leaf
def _certify(
    q: Floats,
    h: Floats,
    aim: Floats,
    cells: Cells,
    n_first: int,
    classes: int,
    total: Floats,
    over: Floats,
    sums: Floats,
    joint: Floats,
    proof: Floats,
) -> tuple[float, float]:
    """Bounds less the entropy of Y, from a coupling put onto the marginals and a dual point shifted until feasible.

    The coupling is scaled down below either marginal, and what is missing is added as a product (Altschuler et al.
    2017).
    """
    a, b, pair, _, _ = cells
    for c in range(len(q)):
        joint[c] = np.exp(h[a[c]] + h[b[c]])
    _sum(joint, pair, total)
    n_second = len(h) - n_first
    k1, k2 = n_first // classes, n_second // classes
    for k in range(k1 + k2):
        most = 0.0
        for other in range(k2 if k < k1 else k1):
            most = max(most, total[k * k2 + other] if k < k1 else total[other * k2 + k - k1])
        most = most if most > 0 else 1.0
        for other in range(k2 if k < k1 else 0):
            total[k * k2 + other] /= most
        for m in range(k * classes, (k + 1) * classes):
            proof[m] = h[m] - np.log(most) - (0.0 if k < k1 else FEASIBILITY_MARGIN) if aim[m] > 0 else -np.inf
    lower = 0.0
    for m in range(len(h)):
        lower += aim[m] * proof[m] if aim[m] > 0 else 0.0
    for c in range(len(q)):
        joint[c] = q[c]
    for side in (a, b):
        _sum(joint, side, sums)
        for c in range(len(q)):
            joint[c] *= min(aim[side[c]] / sums[side[c]], 1.0)
    _marginals(joint, a, b, sums)
    for y in range(classes):
        over[y] = 0.0
    for m in range(len(sums)):
        sums[m] = max(aim[m] - sums[m], 0.0)
        if m >= n_first:
            over[m % classes] += sums[m]
    for c in range(len(q)):
        whole = over[a[c] % classes]
        joint[c] += sums[a[c]] * sums[b[c]] / whole if whole > 0 else 0.0
    return _told(joint, pair, total), lower


@leaf
def _posterior(h: Floats, aim: Floats, mass: Floats, a: Integers, b: Integers, start: Integers, at: Floats) -> float:
    """Fill the posterior `at`; returns the loss, which bounds the conditional entropy of Y from above."""
    loss = 0.0
    for m in range(len(h)):
        loss -= aim[m] * h[m]
    for p in range(len(start) - 1):
        top, total = -np.inf, 0.0
        for c in range(start[p], start[p + 1]):
            at[c] = h[a[c]] + h[b[c]]
            top = max(top, at[c])
        for c in range(start[p], start[p + 1]):
            at[c] = np.exp(at[c] - top)
            total += at[c]
        for c in range(start[p], start[p + 1]):
            at[c] /= total
        if total > 0:
            loss += mass[start[p]] * (top + np.log(total))
    return loss


@leaf
def _factor(
    d: Floats, relative: Floats, damping: Floats, free: Floats, cells: Cells, n_first: int, classes: int
) -> tuple[Floats, Floats, Floats]:
    """Lower Cholesky factor of A W A^T + diag(damping), the diagonal raised until it is positive definite.

    A maps a coupling to its marginals and W = diag(d) + relative d^T over the pairs (i, j), `relative` a multiple of d.
    The unknowns (i, y) come first, in blocks of classes that do not meet; those of (j, y) are dense, in blocks of
    `BLOCK`. Returned are the inverses of the blocks on the diagonal, of either kind, and the rows of (j, y).
    """
    a, b, _, _, start = cells
    n = len(free) - n_first
    size = min(BLOCK, n)
    own, early = np.zeros((n_first // classes, classes, classes)), np.zeros((n_first // classes, classes, classes))
    late, rows = np.zeros(((n + size - 1) // size, size, size)), np.zeros((n, len(free)))
    ridge, fine = LEAST_RIDGE / 100, False
    while not fine and ridge < MOST_RIDGE:
        ridge *= 100
        for m in range(n_first):
            for y in range(classes):
                own[m // classes, m % classes, y] = 0.0
            own[m // classes, m % classes, m % classes] = damping[m] if free[m] > 0 else 1.0
        for m in range(n):
            for other in range(len(free)):
                rows[m, other] = 0.0
            rows[m, n_first + m] = damping[n_first + m] if free[n_first + m] > 0 else 1.0
        for p in range(len(start) - 1):
            for c in range(start[p], start[p + 1]):
                low = a[c] - a[c] % classes
                block, row = own[low // classes, a[c] - low], rows[b[c] - n_first]
                block[a[c] - low] += d[c] * (1 + ridge)
                for other in range(start[p], start[p + 1]):
                    block[a[other] - low] += d[c] * relative[other]
                if free[b[c]] > 0:
                    row[a[c]] += d[c]
                    row[b[c]] += d[c] * (1 + ridge)
                    for other in range(start[p], start[p + 1]):
                        row[a[other]] += d[c] * relative[other]
                        row[b[other]] += d[c] * relative[other] * free[b[other]]
        fine = True
        for k in range(len(own)):
            fine = fine and _invert(own[k], early[k], classes)
            for m in range(n):
                _lower(early[k], classes, rows[m], k * classes)
        for k in range(len(late)):
            low, high = k * size, min((k + 1) * size, n)
            left = _part(rows, low, n, 0, n_first + low)
            product = np.dot(left, _part(rows, low, high, 0, n_first + low).T)
            for m in range(low, n):
                for other in range(high - low):
                    rows[m, n_first + low + other] -= product[m - low, other]
            fine = fine and _invert(_part(rows, low, high, n_first + low, n_first + high), late[k], high - low)
            if high < n:  # then the block is whole
                below = np.dot(_part(rows, high, n, n_first + low, n_first + high), late[k].T)
                for m in range(high, n):
                    for other in range(size):
                        rows[m, n_first + low + other] = below[m - high, other]
    return early, late, rows


@leaf
def _part(x: Floats, low: int, high: int, left: int, right: int) -> Floats:
    """Copy of a part: products of what is in one piece are compiled once."""
    out = np.zeros((high - low, right - left))
    for row in range(high - low):
        for column in range(right - left):
            out[row, column] = x[low + row, left + column]
    return out


@leaf
def _invert(x: Floats, out: Floats, n: int) -> bool:
    """Inverse of the lower Cholesky factor of x, which is overwritten; False where x is not positive definite."""
    for j in range(n):
        pivot = x[j, j]
        for k in range(j):
            pivot -= x[j, k] * x[j, k]
        if not pivot > 0:
            return False
        x[j, j] = np.sqrt(pivot)
        for i in range(j + 1, n):
            total = x[i, j]
            for k in range(j):
                total -= x[i, k] * x[j, k]
            x[i, j] = total / x[j, j]
    for i in range(n):
        for j in range(i):
            out[i, j] = 0.0
        out[i, i] = 1.0
        for k in range(i):
            for j in range(k + 1):
                out[i, j] -= x[i, k] * out[k, j]
        for j in range(i + 1):
            out[i, j] /= x[i, i]
    return True


@leaf
def _lower(inverse: Floats, n: int, x: Floats, at: int) -> None:
    """Multiply n entries of x from `at` on by the lower triangle, in place."""
    for row in range(n - 1, -1, -1):
        total = 0.0
        for k in range(row + 1):
            total += inverse[row, k] * x[at + k]
        x[at + row] = total


@leaf
def _solve(factors: tuple[Floats, Floats, Floats], x: Floats, n_first: int, classes: int) -> None:
    """Solve for x in place: down with the factor, up with its transpose."""
    early, late, rows = factors
    size, n_early = late.shape[1], len(early)
    n_blocks = n_early + len(late)
    for k in range(2 * n_blocks):
        down = k < n_blocks
        block = k if down else 2 * n_blocks - 1 - k
        first = block < n_early
        inverse = early[block] if first else late[block - n_early]
        low = block * classes if first else n_first + (block - n_early) * size
        high = low + classes if first else min(low + size, len(x))
        for m in range(low, high if down and not first else low):
            total = 0.0
            for other in range(low):
                total += rows[m - n_first, other] * x[other]
            x[m] -= total
        if down:
            _lower(inverse, high - low, x, low)
            continue
        for row in range(high - low):
            total = 0.0
            for other in range(row, high - low):
                total += inverse[other, row] * x[low + other]
            x[low + row] = total
        for m in range(low, low if first else high):
            own = x[m]
            for other in range(low):
                x[other] -= rows[m - n_first, other] * own
