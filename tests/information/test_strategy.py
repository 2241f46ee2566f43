"""Recommendations on decompositions whose right answer is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beyond_alignment.information.advice import TABLE, recommend_strategy, table_rows
from beyond_alignment.information.discrete import JointInformations
from beyond_alignment.information.pid import PID, TERMS, PIDEstimate


def estimate(r, u1, u2, additive, interaction, *, half=0.02, p=None, p_interaction=None, **intervals):
    """A decomposition whose intervals reach `half` to both sides, but not below zero."""
    pid = PID(r, u1, u2, additive + interaction, additive, interaction, 0.0)
    values = {term: getattr(pid, term) for term in TERMS}
    found = {term: (max(value - half, 0.0), value + half) for term, value in values.items()} | intervals
    return PIDEstimate(
        pid,
        JointInformations(pid.I1, pid.I2, pid.I12),
        pid.sis,
        found,
        (0.001 if pid.synergy > half else 0.5) if p is None else p,
        (0.001 if interaction > half else 0.5) if p_interaction is None else p_interaction,
        (), "posterior", 4000, 10, ("a", "b"), 200, 0.95, pd.DataFrame(),
    )  # fmt: skip


def names(rows):
    return [row.name for row in rows]


@pytest.mark.parametrize(
    ("low", "high", "touched"),
    [
        (0.0, 0.05, ["unimodal"]),
        (0.05, 0.0999, ["unimodal"]),
        (0.05, 0.10, ["unimodal", "concatenation"]),
        (0.10, 0.10, ["concatenation"]),
        (0.2, 0.3, ["concatenation", "interaction"]),
        (0.05, 0.6, ["unimodal", "concatenation", "interaction", "synergy-maximising"]),
        (0.5, 1.0, ["synergy-maximising"]),
        (1.0, 1.0, ["synergy-maximising"]),
        (-0.1, 1.2, ["unimodal", "concatenation", "interaction", "synergy-maximising"]),
    ],
)
def test_an_interval_touches_rows(low, high, touched):
    assert names(table_rows(low, high)) == touched


def test_the_table_covers_every_score_once():
    assert [row.low for row in TABLE[1:]] == [row.high for row in TABLE[:-1]] == [0.10, 0.25, 0.50]
    assert (TABLE[0].low, TABLE[-1].high) == (0, 1)


@pytest.mark.parametrize(
    ("parts", "table", "recommended", "says"),
    [
        ((0, 0, 0, 0, 1.0), ["synergy-maximising"], "synergy-maximising", "100 % of the whole"),  # exclusive-or
        ((0, 1.0, 1.0, 0, 0), ["unimodal"], "concatenation", "pays for concatenation whatever the synergy"),  # copy
        ((1.0, 0, 0, 0, 0), ["unimodal"], "unimodal", "does not show that the other adds"),  # redundant
        ((0.31, 0, 0, 0.5, 0), ["synergy-maximising"], "concatenation", "nothing here asks for such a model"),  # and
        (
            (0.32, 0, 0, 0.211, 0),
            ["interaction"],
            "concatenation",
            "an additive model of both can reach 0.21 bits more",
        ),  # noisy views
        ((0.5, 0.1, 0, 0, 0.3), ["interaction"], "interaction", "33 % of the whole"),
        ((0.9, 0, 0, 0.02, 0.05), ["unimodal"], "unimodal", "less than a tenth of the whole"),
        ((0.2, 0.5, 0.0, 0, 0), ["unimodal"], "unimodal", "The first source alone tells 0.70 of the 0.70 bits"),
        ((0.2, 0.0, 0.5, 0, 0), ["unimodal"], "unimodal", "The second source alone tells 0.70 of the 0.70 bits"),
    ],
)
def test_known_decompositions(parts, table, recommended, says):
    found = recommend_strategy(estimate(*parts))
    assert (names(found.rows), found.recommended) == (table, recommended)
    assert says in found.reason
    assert "rule of thumb" in found.reason


def test_synergy_that_is_not_shown_recommends_nothing_dear():
    found = recommend_strategy(estimate(0.3, 0.1, 0, 0.1, 0.1, p=0.3, p_interaction=0.4, sis=(0.0, 0.6)))
    assert found.recommended == "unimodal"
    assert len(found.rows) == 4
    assert "Synergy above zero is not shown (p = 0.3)" in found.reason
    assert "leaves open" in found.reason


def test_no_information_recommends_neither():
    found = recommend_strategy(estimate(0.005, 0, 0, 0.005, 0, half=0.03))
    assert found.recommended == "none"
    assert "0.01 bits" in found.reason


def test_a_method_that_does_not_split_synergy_says_so_and_reads_the_table():
    nan = float("nan")
    parts = {"synergy_additive": (nan, nan), "synergy_interaction": (nan, nan), "sis_interaction": (nan, nan)}
    whole = estimate(0.2, 0, 0, 0.2, 0.0, p=0.001, p_interaction=nan, **parts)
    found = recommend_strategy(whole)
    assert found.recommended == "synergy-maximising"
    assert "does not tell the part of the synergy" in found.reason


def test_names_of_the_sources_are_used_as_they_are():
    found = recommend_strategy(estimate(0.2, 0.0, 0.5, 0, 0), names=("X_scgpt", "x_uni"))
    assert "x_uni alone tells 0.70" in found.reason


@settings(max_examples=100, deadline=None)
@given(
    parts=st.tuples(*[st.floats(0, 3)] * 5),
    half=st.floats(0, 1),
    p=st.one_of(st.just(float("nan")), st.floats(0, 1)),
    q=st.one_of(st.just(float("nan")), st.floats(0, 1)),
    broken=st.sets(st.sampled_from(TERMS)),
)
def test_every_estimate_has_a_recommendation(parts, half, p, q, broken):
    nan = (float("nan"), float("nan"))
    found = recommend_strategy(estimate(*parts, half=half, p=p, p_interaction=q, **dict.fromkeys(broken, nan)))
    assert found.rows
    assert found.recommended in {"none", *names(TABLE)}
    assert "nan" not in found.reason
    assert np.all(np.diff([row.low for row in found.rows]) > 0)
