"""Primal-dual interior-point method for the coupling that tells least about a target: one problem at a time.

Minimise h(q) = sum q(i, j, y) log q(y | i, j) over couplings q of two source-target marginals. The multipliers of the
marginals are f[i, y] and g[j, y], those of q >= 0 are z; at the optimum f + g + z = log q(y | i, j) and q z = 0. The
barrier is weighted by the coupling in which the sources are independent given the target: it is the starting point,
lies in the interior, and makes rare states as well scaled as frequent ones. Steps are those of Mehrotra (1992).
"""

import numpy as np

from beyond_alignment.information.compiled.factors import Floats, add_scaled, compiled
from beyond_alignment.information.compiled.system import apply, factor, marginals, solve, start

MAX_ITERATIONS = 100
START = 0.5
STEP_SHARE = 0.9
LEAST_CENTRING = 1e-3
LEAST_BARRIER = 0.02
FEASIBILITY_MARGIN = 1e-14


@compiled
def solve_coupling(first: Floats, second: Floats, tolerance: float) -> tuple[float, float, Floats, Floats, Floats]:
    """Solve one problem.

    Parameters
    ----------
    first
        (i, y), every entry 0 or well above the smallest normal number.
    second
        (j, y), same p(y); i is the longer axis for speed.
    tolerance
        Distance of the bounds at which the problem is done, nats.

    Returns
    -------
    Upper and lower bound on the minimum of I_q(X1, X2; Y), nats; the coupling (i, j, y) that proves the one, the
    dual point (i, y), (j, y) that proves the other.
    """
    k1, k2, classes = len(first), len(second), first.shape[1]
    weight, z = np.zeros((k1, k2, classes)), np.empty((k1, k2, classes))
    z.fill(START)
    for y in range(classes):
        marginal = 0.0
        for i in range(k1):
            marginal += first[i, y]
        for i in range(k1):
            for j in range(k2):
                weight[i, j, y] = first[i, y] * second[j, y] / marginal if marginal > 0 else 0.0
    f, g, present, free = start(first, second)
    q = weight.copy()
    upper, lower, joint, best_f, best_g = _certify(q, f, g, first, second)
    barrier_floor = LEAST_BARRIER * tolerance
    for _ in range(MAX_ITERATIONS):
        complementarity = _advance(q, z, f, g, weight, first, second, present, free, barrier_floor)
        if complementarity >= 3 * tolerance:
            continue
        found = _certify(q, f, g, first, second)
        if found[0] < upper:
            upper, joint = found[0], found[2]
        if found[1] > lower:
            lower, best_f, best_g = found[1], found[3], found[4]
        if upper - lower <= tolerance or not np.isfinite(complementarity):
            break
    return upper, lower, joint, best_f, best_g


@compiled
def _advance(
    q: Floats,
    z: Floats,
    f: Floats,
    g: Floats,
    weight: Floats,
    first: Floats,
    second: Floats,
    present: Floats,
    free: Floats,
    barrier_floor: float,
) -> float:
    """One predictor-corrector step in place; returns q z summed, an estimate of the gap in nats."""
    k1, k2, classes = q.shape
    d, relative, dual_residual = np.zeros_like(q), np.zeros_like(q), np.zeros_like(q)
    complementarity = 0.0
    for i in range(k1):
        for j in range(k2):
            total, slack = 0.0, 0.0
            for y in range(classes):
                d[i, j, y] = q[i, j, y] / (1 + z[i, j, y])
                slack += d[i, j, y] * z[i, j, y]
                total += q[i, j, y]
                complementarity += q[i, j, y] * z[i, j, y]
            for y in range(classes):
                if weight[i, j, y] > 0:
                    relative[i, j, y] = d[i, j, y] / slack
                    dual_residual[i, j, y] = f[i, y] + g[j, y] - np.log(q[i, j, y] / total)
    over_second, over_first = np.empty((k1, classes)), np.empty((k2, classes))
    marginals(q, over_second, over_first)
    residuals = first.copy(), second.copy()
    add_scaled(residuals[0], -1.0, over_second)
    add_scaled(residuals[1], -1.0, over_first)
    undamped = np.zeros_like(first), np.zeros_like(second)
    factors = factor(d, relative, first, free, undamped[0], undamped[1])
    target = np.zeros_like(q)
    _, _, dq, dz = _direction(q, z, weight, d, relative, present, free, factors, dual_residual, residuals, target)
    step = _reach(q, z, weight, dq, dz, 1.0)
    reached = 0.0
    for i in range(k1):
        for j in range(k2):
            for y in range(classes):
                if weight[i, j, y] > 0:
                    reached += (q[i, j, y] + step * dq[i, j, y]) * (z[i, j, y] + step * dz[i, j, y])
    centring = max(min(max(reached / complementarity, 0.0), 1.0) ** 3, LEAST_CENTRING)
    barrier = max(centring * complementarity, barrier_floor)
    for i in range(k1):
        for j in range(k2):
            for y in range(classes):
                if weight[i, j, y] > 0:
                    aim = barrier * weight[i, j, y] - step * dq[i, j, y] * dz[i, j, y]
                    target[i, j, y] = aim / q[i, j, y]
    df, dg, dq, dz = _direction(q, z, weight, d, relative, present, free, factors, dual_residual, residuals, target)
    step = _reach(q, z, weight, dq, dz, STEP_SHARE)
    add_scaled(f, step, df)
    add_scaled(g, step, dg)
    complementarity = 0.0
    for i in range(k1):
        for j in range(k2):
            for y in range(classes):
                if weight[i, j, y] > 0:
                    q[i, j, y] += step * dq[i, j, y]
                    z[i, j, y] += step * dz[i, j, y]
                    complementarity += q[i, j, y] * z[i, j, y]
    return complementarity


@compiled
def _direction(
    q: Floats,
    z: Floats,
    weight: Floats,
    d: Floats,
    relative: Floats,
    present: Floats,
    free: Floats,
    factors: tuple[Floats, Floats, Floats],
    dual_residual: Floats,
    residuals: tuple[Floats, Floats],
    target: Floats,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Newton step towards q z = target; `target` is given divided by q."""
    k1, k2, classes = q.shape
    right, dq, dz = np.empty_like(q), np.empty_like(q), np.zeros_like(q)
    for i in range(k1):
        for j in range(k2):
            for y in range(classes):
                right[i, j, y] = dual_residual[i, j, y] + target[i, j, y]
    apply(d, relative, right, dq)
    sides = np.empty((k1, classes)), np.empty((k2, classes))
    marginals(dq, sides[0], sides[1])
    for side, residual in ((sides[0], residuals[0]), (sides[1], residuals[1])):
        for row in range(len(side)):
            for y in range(classes):
                side[row, y] = residual[row, y] - side[row, y]
    df, dg = solve(d, relative, present, free, factors, sides[0], sides[1])
    for i in range(k1):
        for j in range(k2):
            for y in range(classes):
                right[i, j, y] += df[i, y] + dg[j, y]
    apply(d, relative, right, dq)
    for i in range(k1):
        for j in range(k2):
            for y in range(classes):
                if weight[i, j, y] > 0:
                    dz[i, j, y] = target[i, j, y] - z[i, j, y] * (1 + dq[i, j, y] / q[i, j, y])
    return df, dg, dq, dz


@compiled
def _reach(q: Floats, z: Floats, weight: Floats, dq: Floats, dz: Floats, share: float) -> float:
    """Step, up to 1, that goes `share` of the way to where the first entry of q or z vanishes."""
    shrink = share
    for i in range(q.shape[0]):
        for j in range(q.shape[1]):
            for y in range(q.shape[2]):
                if weight[i, j, y] > 0:
                    shrink = max(shrink, -dq[i, j, y] / q[i, j, y], -dz[i, j, y] / z[i, j, y])
    return share / shrink


@compiled
def _certify(
    q: Floats, f: Floats, g: Floats, first: Floats, second: Floats
) -> tuple[float, float, Floats, Floats, Floats]:
    """Bounds from a dual point shifted into the feasible set and a coupling rounded onto the marginals."""
    f, g = f.copy(), g.copy()
    (k1, classes), k2 = f.shape, len(g)
    raised_first, raised_second = np.zeros((k1, classes)), np.zeros((classes, k2))
    entropy = 0.0
    for y in range(classes):
        marginal, top = 0.0, -np.inf
        for i in range(k1):
            marginal += first[i, y]
            f[i, y] = f[i, y] if first[i, y] > 0 else -np.inf
            top = max(top, f[i, y])
        if not marginal > 0:
            top = 0.0
        for i in range(k1):
            raised_first[i, y] = np.exp(f[i, y] - top)
        for j in range(k2):
            g[j, y] = g[j, y] if second[j, y] > 0 else -np.inf
            raised_second[y, j] = np.exp(g[j, y] + top)
        entropy -= marginal * np.log(marginal) if marginal > 0 else 0.0
    total = np.dot(raised_first, raised_second)
    lower = entropy
    for i in range(k1):
        over = 0.0
        for j in range(k2):
            over = max(over, total[i, j])
        over = over if over > 0 else 1.0
        for j in range(k2):
            total[i, j] /= over
        for y in range(classes):
            f[i, y] -= np.log(over)
            lower += first[i, y] * f[i, y] if first[i, y] > 0 else 0.0
    for j in range(k2):
        over = 0.0
        for i in range(k1):
            over = max(over, total[i, j])
        over = over if over > 0 else 1.0
        for y in range(classes):
            g[j, y] -= np.log(over) + FEASIBILITY_MARGIN
            lower += second[j, y] * g[j, y] if second[j, y] > 0 else 0.0
    joint = _round(q, first, second)
    upper = entropy
    for i in range(k1):
        for j in range(k2):
            pair = 0.0
            for y in range(classes):
                pair += joint[i, j, y]
            for y in range(classes):
                if joint[i, j, y] > 0:
                    upper += joint[i, j, y] * np.log(joint[i, j, y] / pair)
    return upper, lower, joint, f, g


@compiled
def _round(q: Floats, first: Floats, second: Floats) -> Floats:
    """Scale every class down below its two marginals and add what is missing as a product (Altschuler et al. 2017)."""
    k1, k2, classes = q.shape
    joint = q.copy()
    sums = np.empty((k1, classes)), np.empty((k2, classes))
    marginals(joint, sums[0], sums[1])
    for i in range(k1):
        for j in range(k2):
            for y in range(classes):
                if sums[0][i, y] > first[i, y]:
                    joint[i, j, y] *= first[i, y] / sums[0][i, y]
    marginals(joint, sums[0], sums[1])
    for i in range(k1):
        for j in range(k2):
            for y in range(classes):
                if sums[1][j, y] > second[j, y]:
                    joint[i, j, y] *= second[j, y] / sums[1][j, y]
    marginals(joint, sums[0], sums[1])
    for y in range(classes):
        whole = 0.0
        for j in range(k2):
            whole += max(second[j, y] - sums[1][j, y], 0.0)
        for i in range(k1):
            missing = max(first[i, y] - sums[0][i, y], 0.0) / (whole if whole > 0 else 1.0)
            for j in range(k2):
                joint[i, j, y] += missing * max(second[j, y] - sums[1][j, y], 0.0)
    return joint
