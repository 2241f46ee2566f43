"""Recommendations on decompositions whose right answer is known, and the published rule at its boundaries."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beyond_alignment.errors import InputError
from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.information import estimate_pid
from beyond_alignment.information.advice import (
    FEW_PAIRS,
    HIGH_SIS,
    MANY_PAIRS,
    RULE,
    TABLE,
    recommend,
    recommend_strategy,
    table_rows,
)
from beyond_alignment.information.estimate import TERMS
from beyond_alignment.information.exact import JointInformations
from tests.estimates import made_estimate


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
    found = recommend_strategy(made_estimate(*parts))
    assert (names(found.rows), found.recommended) == (table, recommended)
    assert says in found.reason
    assert "rule of thumb" in found.reason


def test_synergy_that_is_not_shown_recommends_nothing_dear():
    found = recommend_strategy(
        made_estimate(0.3, 0.1, 0, 0.1, 0.1, p_synergy=0.3, p_interaction=0.4, intervals={"sis": (0.0, 0.6)})
    )
    assert found.recommended == "unimodal"
    assert len(found.rows) == 4
    assert "Synergy above zero is not shown (p = 0.3)" in found.reason
    assert "leaves open" in found.reason


def test_little_information_recommends_nothing_dear():
    found = recommend_strategy(made_estimate(0.005, 0, 0, 0.005, 0, below=0.03))
    assert found.recommended == "unimodal"
    assert "tell 0.01 bits about the label, of which too little is certain to build on" in found.reason


def test_without_a_score_and_a_null_neither_is_recommended():
    found = recommend_strategy(made_estimate(0.005, 0, 0, 0.005, 0, sis=None), names=("X_a", "X_b"))
    assert (found.recommended, found.rows) == ("not determined", ())
    assert found.reason == (
        "SIS is not determined, because both sources together tell 0.01 bits about the label, which this data does not"
        " tell apart from nothing: nothing here asks for more than the better source, X_a."
    )


def test_information_that_shuffled_labels_reach_recommends_neither():
    null = [0.01] * 18 + [0.09]
    told = JointInformations(0.02, 0.03, 0.04)
    noise = made_estimate(0.01, 0.01, 0.02, 0.3, 0.3, null=null, mutual_information=told)
    assert noise.sis is None
    found = recommend_strategy(noise, names=("X_a", "X_b"))
    assert (found.recommended, found.rows) == ("not determined", ())
    assert found.reason == (
        "SIS is not determined, because both sources together tell 0.04 bits about the label and shuffled labels reach"
        " 0.09 (p = 0.1): nothing here asks for more than the better source, X_b."
    )
    shown = made_estimate(0.01, 0.01, 0.02, 0.3, 0.3, null=[0.01] * 19)
    assert recommend_strategy(shown).recommended == "interaction"


def test_thin_counts_are_not_read_as_an_interaction():
    rng = np.random.default_rng(0)
    x1, x2, y = rng.normal(size=(600, 3)), rng.normal(size=(600, 3)), rng.integers(2, size=600)
    x1[:, 0] += 2 * y
    thin = estimate_pid(x1, x2, y, method="cvx", n_null=0, n_bootstrap=20)
    assert thin.p_interaction < 0.05  # which counts of 1.5 samples a pair make of nothing
    found = recommend_strategy(thin)
    assert found.recommended == "unimodal"
    assert "counts as thin as these exaggerate the synergy and above all its interaction part" in found.reason


def test_a_method_that_does_not_split_synergy_says_so_and_reads_the_table():
    nan = float("nan")
    parts = dict.fromkeys(("synergy_additive", "synergy_interaction", "sis_interaction"), (nan, nan))
    whole = made_estimate(0.2, 0, 0, 0.2, 0.0, p_synergy=0.001, p_interaction=nan, intervals=parts)
    found = recommend_strategy(whole)
    assert found.recommended == "synergy-maximising"
    assert "does not tell the part of the synergy" in found.reason


def test_names_of_the_sources_are_used_as_they_are():
    found = recommend_strategy(made_estimate(0.2, 0.0, 0.5, 0, 0), names=("X_scgpt", "x_uni"))
    assert "x_uni alone tells 0.70" in found.reason


@settings(max_examples=100, deadline=None)
@given(
    parts=st.tuples(*[st.floats(0, 3)] * 5),
    half=st.floats(0, 1),
    p=st.one_of(st.just(float("nan")), st.floats(0, 1)),
    q=st.one_of(st.just(float("nan")), st.floats(0, 1)),
    broken=st.sets(st.sampled_from(TERMS)),
    null=st.none() | st.lists(st.floats(-0.1, 1), min_size=1, max_size=20),
)
def test_every_estimate_has_a_recommendation(parts, half, p, q, broken, null):
    nan = dict.fromkeys(broken, (float("nan"), float("nan")))
    found = recommend_strategy(
        made_estimate(*parts, below=half, null=null, p_synergy=p, p_interaction=q, intervals=nan)
    )
    assert bool(found.rows) == (found.recommended != "not determined")
    assert found.recommended in {"not determined", *names(TABLE)}
    assert "nan" not in found.reason
    assert np.all(np.diff([row.low for row in found.rows]) > 0)


# ------------------------------------------------------------------------------------------ by the number of pairs

FEW = "unimodal until there are more pairs"


@pytest.mark.parametrize(
    ("sis", "n", "row"),
    [
        (0.0, 1, "unimodal"),
        (0.05, 10**6, "unimodal"),
        (0.2499, 5000, "unimodal"),
        (0.25, 999, FEW),
        (0.25, 1000, "simple interaction"),
        (1.0, 10_000, "simple interaction"),
        (1.0, 10_001, "attention"),
        (0.25, 10**9, "attention"),
    ],
)
def test_the_rule_as_published(sis, n, row):
    found = recommend(sis, None, n)
    assert (found.row.name, found.rows) == (row, (found.row,))


def test_the_numbers_are_those_of_the_claim_and_of_the_table_by_score():
    assert (FEW_PAIRS, MANY_PAIRS) == (1_000, 10_000)
    assert next(row.low for row in TABLE if row.name == "interaction") == HIGH_SIS
    assert {method for row in RULE for method in row.methods} <= set(FUSION_METHODS)


@pytest.mark.parametrize(
    ("interval", "n", "rows"),
    [
        ((0.2, 0.4), 2500, ["unimodal", "simple interaction"]),
        ((0.2, 0.2499), 2500, ["unimodal"]),
        ((0.2, 0.25), 2500, ["unimodal", "simple interaction"]),
        ((0.25, 0.3), 2500, ["simple interaction"]),
        ((-0.5, 7.0), 50_000, ["unimodal", "attention"]),
        ((float("nan"), 0.5), 50_000, ["unimodal"]),
    ],
)
def test_every_row_that_the_interval_touches_is_named(interval, n, rows):
    found = recommend(min(0.22 if interval[0] < 0.22 or math.isnan(interval[0]) else interval[0], 1), interval, n)
    assert [row.name for row in found.rows] == rows
    for row in found.rows:
        assert row.advice in found.reason


def test_the_share_of_interaction_speaks_for_and_against_a_fusion():
    assert "Only 2 % of the information" in recommend(0.6, None, 20_000, interaction_share=0.02).reason
    assert "30 % of the information is synergy" in recommend(0.6, None, 20_000, interaction_share=0.3).reason
    for silent in (recommend(0.1, None, 20_000, interaction_share=0.02), recommend(0.6, None, 20_000)):
        assert "of the information is" not in silent.reason
    assert recommend(0.6, None, 20_000, interaction_share=float("nan")).interaction_share is None


def test_a_count_of_pandas_or_numpy_is_a_number_of_pairs():
    assert recommend(0.3, None, np.int64(5000)).record() == recommend(0.3, None, 5000).record()


@pytest.mark.parametrize(
    ("sis", "interval", "n", "options", "says"),
    [
        (float("nan"), None, 10, {}, "SIS is nan"),
        (1.2, None, 10, {}, "from 0 to 1"),
        (-0.1, None, 10, {}, "from 0 to 1"),
        (0.3, (0.4, 0.2), 10, {}, "does not hold the SIS"),
        (0.3, (0.4, 0.5), 10, {}, "does not hold the SIS"),
        (0.3, None, 0, {}, "spots is .*; give a whole number of at least 1"),
        (0.3, None, 2.5, {}, "spots is .*; give a whole number of at least 1"),
        (0.3, None, True, {}, "spots is .*; give a whole number of at least 1"),
        (0.3, None, 10, {"interaction_share": 1.5}, "interaction share"),
    ],
)
def test_what_is_out_of_range_is_refused(sis, interval, n, options, says):
    with pytest.raises(InputError, match=says):
        recommend(sis, interval, n, **options)


SHARE = st.floats(0, 1)


@given(SHARE, SHARE, SHARE, st.integers(1, 10**9), st.none() | SHARE)
def test_every_score_has_one_row_and_its_table_rows(first, second, third, n, share):
    low, sis, high = sorted((first, second, third))
    found = recommend(sis, (low, high), n, interaction_share=share)
    assert found.row in found.rows
    assert found.rows == tuple(row for row in RULE if row in found.rows)
    assert len(found.rows) == 1 + (low < HIGH_SIS <= high)
    assert found.table == table_rows(low, high)
    assert all(row.fewest <= n <= row.most for row in found.rows)
    assert "nan" not in found.reason
    assert found.record()["rows"] == [row.name for row in found.rows]
