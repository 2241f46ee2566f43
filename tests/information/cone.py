"""The same problems as exponential-cone programmes, for CVXPY: an oracle that shares no code with the package."""

import cvxpy as cp
import numpy as np


def solve(p, *, pairwise=False):
    """Least I_q(X1, X2; Y) in bits over couplings with the marginals (i, y), (j, y), and (i, j) if `pairwise`."""
    k1, k2, classes = p.shape
    first, second = p.sum(1), p.sum(0)
    q = cp.Variable((k1 * k2, classes), nonneg=True)
    rows, columns = np.kron(np.eye(k1), np.ones(k2)), np.kron(np.ones(k1), np.eye(k2))
    constraints = [rows @ q == first, columns @ q == second]
    if pairwise:
        constraints.append(cp.sum(q, axis=1) == p.sum(2).ravel())
    total = cp.sum(q, axis=1, keepdims=True) @ np.ones((1, classes))
    problem = cp.Problem(cp.Minimize(cp.sum(cp.rel_entr(q, total))), constraints)
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
    target = p.sum((0, 1))
    entropy = -(target[target > 0] * np.log(target[target > 0])).sum()
    return (problem.value + entropy) / np.log(2)
