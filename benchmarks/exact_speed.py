"""How much faster the exact decomposition is than the tools of the field, measured in one run.

Every ratio is seconds of the other tool a problem over seconds of `broja` a problem, on the same random tables. `broja`
does more than the others: it certifies its answer and splits the synergy, which takes a second optimisation. Clarabel
gets the loosest of a row of tolerances at which its answer is as accurate as that of `broja`, 1e-7 bits; at its default
it is not.
"""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from beyond_alignment.information import broja, broja_batch

WITHOUT = "The ratios are measured against CVXPY and dit; install the development requirements for both."
cp, dit = pytest.importorskip("cvxpy", reason=WITHOUT), pytest.importorskip("dit", reason=WITHOUT)

BATCH = 200
ACCURACY = 1e-7
CLARABEL_TOLERANCES = (1e-8, 1e-9, 1e-10, 1e-11)
Table = NDArray[np.float64]


def clarabel(p: Table, tolerance: float) -> tuple[float, float]:
    """Union information in bits by CVXPY and Clarabel, and the seconds within Clarabel, without those of CVXPY."""
    k1, k2, classes = p.shape
    q = cp.Variable((k1 * k2, classes), nonneg=True)
    total = cp.sum(q, axis=1, keepdims=True) @ np.ones((1, classes))
    rows, columns = np.kron(np.eye(k1), np.ones(k2)), np.kron(np.ones(k1), np.eye(k2))
    problem = cp.Problem(
        cp.Minimize(cp.sum(cp.rel_entr(q, total))), [rows @ q == p.sum(axis=1), columns @ q == p.sum(axis=0)]
    )
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=tolerance, tol_gap_rel=tolerance, tol_feas=tolerance)
    target = p.sum(axis=(0, 1))
    return (problem.value - (target * np.log(target)).sum()) / np.log(2), problem.solver_stats.solve_time


def dit_synergy(p: Table, method: str) -> float:
    """Synergy in bits by dit."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    outcomes = ["".join(letters[k] for k in state) for state in np.ndindex(p.shape)]
    pid = dit.pid.PID_BROJA(dit.Distribution(outcomes, p.ravel()), [[0], [1]], [2], method=method)
    return float(pid.get_pi(((0, 1),)))


def seconds(run: Callable[[], object], *, repeats: int) -> float:
    """Least time of several runs, after one that does not count."""
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def speed_ratios(*, seed: int = 0, with_dit_default: bool = True) -> pd.DataFrame:
    """Measure every tool against `broja`.

    Parameters
    ----------
    seed
        Seed of the random tables.
    with_dit_default
        Whether to run the default method of dit, which takes minutes.

    Returns
    -------
    pandas.DataFrame
        One row a tool: tool, size, seconds of the tool, of `broja` alone and of `broja` a problem in a batch of 200,
        the two ratios, and the difference between the answers in bits.
    """
    rng = np.random.default_rng(seed)
    large, small = (rng.dirichlet(np.ones(np.prod(s)), size=BATCH).reshape(-1, *s) for s in ((32, 32, 8), (8, 8, 4)))
    alone = {len(p[0]): seconds(lambda p=p: broja(p[0]), repeats=5) for p in (large, small)}
    together = {len(p[0]): seconds(lambda p=p: broja_batch(p), repeats=2) / BATCH for p in (large, small)}
    rows = []

    def row(tool: str, p: Table, taken: float, differs: float) -> None:
        one, many = alone[len(p)], together[len(p)]
        rows.append(
            {
                "tool": tool,
                "size": "x".join(map(str, p.shape)),
                "seconds": taken,
                "broja": one,
                "broja_in_batch": many,
                "ratio": taken / one,
                "ratio_in_batch": taken / many,
                "difference": abs(differs),
            }
        )

    p = large[0]
    truth = broja(p, tolerance=1e-9).union_information
    for tolerance in CLARABEL_TOLERANCES:
        start = time.perf_counter()
        value, inside = clarabel(p, tolerance)
        whole = time.perf_counter() - start
        name = f"{tolerance:.0e}"
        row(f"CVXPY + Clarabel, {name}", p, whole, value - truth)
        row(f"Clarabel alone, {name}", p, inside, value - truth)
        if abs(value - truth) < ACCURACY:
            rows.append(rows[-2] | {"tool": "CVXPY + Clarabel, same accuracy"})
            break
    p = small[0]
    cone = seconds(lambda: dit_synergy(p, "cone"), repeats=3)
    row("dit, method cone", p, cone, dit_synergy(p, "cone") - broja(p).synergy)
    if with_dit_default:
        start = time.perf_counter()
        found = dit_synergy(p, "auto")
        row("dit, default", p, time.perf_counter() - start, found - broja(p).synergy)
    return pd.DataFrame(rows)
