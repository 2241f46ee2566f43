"""Run with `pytest benchmarks`: the ratios that are promised, and the times behind them."""

import numpy as np
import pytest

from benchmarks.exact_speed import speed_ratios
from beyond_alignment.information import broja, broja_batch

PROMISED = {  # tool: least ratio alone, least ratio in a batch of 200
    "CVXPY + Clarabel, same accuracy": (10, 50),
    "dit, default": (100, 100),
    "dit, method cone": (20, 20),
}


def test_ratios_against_other_tools():
    """Print the table and hold it against what is promised."""
    table = speed_ratios()
    print("\n" + table.to_string(index=False, float_format="{:.3g}".format))
    table = table.set_index("tool")
    for tool, (alone, together) in PROMISED.items():
        assert table.loc[tool, "ratio"] >= alone
        assert table.loc[tool, "ratio_in_batch"] >= together
    assert (table.drop("dit, default")["difference"] < 1e-6).all()


@pytest.mark.parametrize("shape", [(2, 2, 2), (8, 8, 4), (24, 24, 5), (32, 32, 8)])
def test_one_table(benchmark, shape):
    """One table at a time."""
    p = np.random.default_rng(0).dirichlet(np.full(np.prod(shape), 1.0)).reshape(shape)
    assert benchmark(broja, p).gap < 1e-6


@pytest.mark.parametrize("shape", [(8, 8, 4), (24, 24, 5), (32, 32, 8)])
def test_batch_of_200(benchmark, shape):
    """Seconds a batch."""
    p = np.random.default_rng(0).dirichlet(np.full(np.prod(shape), 1.0), size=200).reshape(-1, *shape)
    found = benchmark.pedantic(broja_batch, args=(p,), rounds=2, iterations=1)
    assert found.gap.max() < 1e-6
