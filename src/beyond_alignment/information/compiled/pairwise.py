"""Distribution of largest entropy with given pairwise marginals, compiled: one problem at a time.

Its posterior is additive, log q(y | i, j) = f[i, y] + g[j, y] + c[i, j]: a multinomial logistic model, fitted by
maximum likelihood with damped Newton steps (Levenberg 1944, Marquardt 1963). Where the distribution has zeros that the
pairwise marginals do not show, f and g run off to infinity, and every step divides what is missing by e.
"""

import numpy as np

from beyond_alignment.information.compiled.factors import Floats, add_scaled, compiled
from beyond_alignment.information.compiled.system import factor, marginals, solve, start

MAX_ITERATIONS = 100
HALVINGS = 4
LEAST_DAMPING, FIRST_DAMPING, MOST_DAMPING = 1e-12, 1e-6, 10.0
SHIFT_PENALTY = 1e-9
RESIDUAL_PRICE = 50.0


@compiled
def solve_pairs(p: Floats, tolerance: float) -> tuple[float, float, Floats]:
    """Solve one problem.

    Parameters
    ----------
    p
        (i, j, y); i is the longer axis for speed.
    tolerance
        Distance of the bounds at which the problem is done, nats.

    Returns
    -------
    Upper and lower bound on I(X1, X2; Y) under the distribution of largest entropy, nats, and that distribution.
    """
    k1, k2, classes = p.shape
    first, second = np.empty((k1, classes)), np.empty((k2, classes))
    marginals(p, first, second)
    pair = np.empty((k1, k2))
    for i in range(k1):
        for j in range(k2):
            pair[i, j] = 0.0
            for y in range(classes):
                pair[i, j] += p[i, j, y]
    entropy = 0.0
    for y in range(classes):
        marginal = 0.0
        for i in range(k1):
            marginal += first[i, y]
        entropy -= marginal * np.log(marginal) if marginal > 0 else 0.0
    f, g, present, free = start(first, second)
    upper, lower, best, damping = entropy + _told(p), 0.0, p.copy(), FIRST_DAMPING
    at, joint = np.zeros_like(p), np.empty_like(p)
    for _ in range(MAX_ITERATIONS):
        found, loss, damping = _advance(f, g, at, joint, first, second, pair, present, free, damping)
        lower = max(lower, entropy - loss)
        if entropy + found < upper:
            upper, best = entropy + found, joint.copy()
        if upper - lower <= tolerance:
            break
    return upper, lower, best


@compiled
def _posterior(f: Floats, g: Floats, first: Floats, second: Floats, pair: Floats, at: Floats) -> float:
    """Fill the posterior `at` (i, j, y); returns the loss, which bounds the conditional entropy of Y from above."""
    k1, k2, classes = at.shape
    loss = 0.0
    for i in range(k1):
        for y in range(classes):
            loss -= first[i, y] * f[i, y]
        for j in range(k2):
            top = -np.inf
            for y in range(classes):
                if (first[i, y] > 0 and second[j, y] > 0) or pair[i, j] <= 0:
                    at[i, j, y] = f[i, y] + g[j, y]
                    top = max(top, at[i, j, y])
                else:
                    at[i, j, y] = -np.inf
            total = 0.0
            for y in range(classes):
                at[i, j, y] = np.exp(at[i, j, y] - top) if at[i, j, y] > -np.inf else 0.0
                total += at[i, j, y]
            for y in range(classes):
                at[i, j, y] /= total
            loss += pair[i, j] * (top + np.log(total))
    for j in range(k2):
        for y in range(classes):
            loss -= second[j, y] * g[j, y]
    return loss


@compiled
def _advance(
    f: Floats,
    g: Floats,
    at: Floats,
    joint: Floats,
    first: Floats,
    second: Floats,
    pair: Floats,
    present: Floats,
    free: Floats,
    damping: float,
) -> tuple[float, float, float]:
    """One step in place, a coupling into `joint`; its upper bound less the entropy of Y, the loss before, damping."""
    k1, k2, classes = at.shape
    loss = _posterior(f, g, first, second, pair, at)
    q, relative = np.empty_like(at), np.empty_like(at)
    for i in range(k1):
        for j in range(k2):
            for y in range(classes):
                q[i, j, y] = pair[i, j] * at[i, j, y]
                relative[i, j, y] = (SHIFT_PENALTY - 1) * at[i, j, y]
    first_now, second_now = np.empty((k1, classes)), np.empty((k2, classes))
    marginals(q, first_now, second_now)
    added = np.empty((k1, classes)), np.empty((k2, classes))
    for damped, aim, now in ((added[0], first, first_now), (added[1], second, second_now)):
        for row in range(len(aim)):
            for y in range(classes):
                damped[row, y] = damping * max(aim[row, y], now[row, y])
    factors = factor(q, relative, first, free, added[0], added[1])
    residuals = first.copy(), second.copy()
    add_scaled(residuals[0], -1.0, first_now)
    add_scaled(residuals[1], -1.0, second_now)
    df, dg = solve(q, relative, present, free, factors, residuals[0], residuals[1])
    slope = 0.0
    for residual, step_of in ((residuals[0], df), (residuals[1], dg)):
        for row in range(len(residual)):
            for y in range(classes):
                step_of[row, y] = step_of[row, y] if np.isfinite(step_of[row, y]) else 0.0
                slope += residual[row, y] * step_of[row, y]
    _move(q, at, df, dg, joint)
    marginals(joint, first_now, second_now)
    left = 0.0
    for aim, now in ((first, first_now), (second, second_now)):
        for row in range(len(aim)):
            for y in range(classes):
                left += abs(aim[row, y] - now[row, y])
    step, fine = 1.0, False
    add_scaled(f, step, df)
    add_scaled(g, step, dg)
    for _ in range(HALVINGS):
        fine = _posterior(f, g, first, second, pair, at) <= loss - 1e-4 * step * slope + 1e-14
        if fine:
            break
        step /= 2
        add_scaled(f, -step, df)
        add_scaled(g, -step, dg)
    if fine:
        damping *= 0.1 if step == 1 else 1.0
    else:
        add_scaled(f, -step, df)
        add_scaled(g, -step, dg)
        damping *= 100.0
    return _told(joint) + RESIDUAL_PRICE * left, loss, min(max(damping, LEAST_DAMPING), MOST_DAMPING)


@compiled
def _move(q: Floats, at: Floats, df: Floats, dg: Floats, joint: Floats) -> None:
    """Coupling that the linearised posterior reaches, cut at zero."""
    k1, k2, classes = q.shape
    for i in range(k1):
        for j in range(k2):
            mean = 0.0
            for y in range(classes):
                mean += at[i, j, y] * (df[i, y] + dg[j, y])
            for y in range(classes):
                joint[i, j, y] = max(q[i, j, y] * (1 + df[i, y] + dg[j, y] - mean), 0.0)


@compiled
def _told(q: Floats) -> float:
    """Sum of q(i, j, y) log q(y | i, j)."""
    told = 0.0
    for i in range(q.shape[0]):
        for j in range(q.shape[1]):
            pair = 0.0
            for y in range(q.shape[2]):
                pair += q[i, j, y]
            for y in range(q.shape[2]):
                if q[i, j, y] > 0:
                    told += q[i, j, y] * np.log(q[i, j, y] / pair)
    return told
