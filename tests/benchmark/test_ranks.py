"""Ranks over tasks against scipy and against the tables of Demsar (2006)."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare

from beyond_alignment.benchmark.ranks import critical_difference, not_told_apart, rank_methods, task_ranks
from beyond_alignment.errors import InputError

DEMSAR_05 = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}
DEMSAR_10 = {2: 1.645, 3: 2.052, 4: 2.291, 5: 2.459, 6: 2.589, 7: 2.693, 8: 2.780, 9: 2.855, 10: 2.920}


@pytest.mark.parametrize(("alpha", "table"), [(0.05, DEMSAR_05), (0.10, DEMSAR_10)])
def test_critical_differences_are_those_of_the_published_table(alpha, table):
    for k, q in table.items():
        assert critical_difference(k, 14, alpha=alpha) == pytest.approx(q * np.sqrt(k * (k + 1) / (6 * 14)), rel=5e-4)


def test_the_worked_example_of_demsar():
    """Four classifiers on 14 data sets with the mean ranks of his table 6: chi-square 9.28, F 3.69, CD 1.25."""
    ranks = np.array([3.143, 2.000, 2.893, 1.964])
    n, k = 14, 4
    statistic = 12 * n / (k * (k + 1)) * ((ranks**2).sum() - k * (k + 1) ** 2 / 4)
    assert statistic == pytest.approx(9.28, abs=0.03)
    assert critical_difference(k, n) == pytest.approx(1.25, abs=0.005)
    assert critical_difference(k, n, alpha=0.10) == pytest.approx(1.12, abs=0.005)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 9999), n=st.integers(3, 12), k=st.integers(3, 8), rounded=st.booleans())
def test_friedmans_statistic_is_that_of_scipy(seed, n, k, rounded):
    scores = np.random.default_rng(seed).normal(size=(n, k))
    scores = np.round(scores, 0 if rounded else 6)
    found = rank_methods(pd.DataFrame(scores, columns=[f"m{i}" for i in range(k)]))
    if np.ptp(scores, axis=1).any():
        statistic, p = friedmanchisquare(*scores.T)
        assert found.statistic == pytest.approx(statistic)
        assert found.p_friedman == pytest.approx(p)
    assert found.table["mean_rank"].sum() == pytest.approx(k * (k + 1) / 2)
    assert list(found.table["mean_rank"]) == sorted(found.table["mean_rank"])


def test_a_method_that_failed_comes_last():
    assert task_ranks([[0.5, np.nan, 0.9, np.nan]]).tolist() == [[2.0, 3.5, 1.0, 3.5]]


def test_a_clear_winner_stands_alone_and_equals_are_joined():
    rng = np.random.default_rng(0)
    scores = pd.DataFrame(rng.normal(size=(40, 4)) * 0.1, columns=["a", "b", "c", "winner"])
    scores["winner"] += 1
    found = rank_methods(scores, draws=np.stack([scores.to_numpy()] * 20))
    assert found.table["method"].iloc[0] == "winner"
    assert found.groups == (tuple(found.table["method"][1:]),)
    assert found.p_friedman < 1e-6
    assert (found.table["low"] == found.table["high"]).all()


def test_sets_of_methods_overlap_but_none_holds_another():
    assert not_told_apart("abcde", np.array([1.0, 1.5, 2.0, 3.2, 5.0]), 1.6) == (("a", "b", "c"), ("c", "d"))
    assert not_told_apart("ab", np.array([1.0, 3.0]), 1.0) == ()


def test_the_same_order_everywhere_leaves_no_doubt():
    found = rank_methods(pd.DataFrame(np.tile([3.0, 2.0, 1.0], (6, 1)), columns=list("abc")))
    assert found.p_iman_davenport == 0
    assert found.table["method"].tolist() == ["a", "b", "c"]


def test_too_little_to_rank_is_said():
    with pytest.raises(InputError, match="1 tasks of 3 methods"):
        rank_methods(pd.DataFrame([[1.0, 2.0, 3.0]]))
