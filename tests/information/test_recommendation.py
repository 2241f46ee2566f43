"""The published rule, at its boundaries and for every input."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beyond_alignment.errors import InputError
from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.information.advice import FEW_PAIRS, HIGH_SIS, MANY_PAIRS, RULE, TABLE, recommend, table_rows

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
    assert (found.row.name, found.rows, found.settled) == (row, (found.row,), True)


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


def test_another_boundary_moves_the_row_and_is_named():
    found = recommend(0.15, None, 5000, high_sis=0.1)
    assert found.row.name == "simple interaction"
    assert "0.10 is taken here;" in found.reason


@pytest.mark.parametrize(
    ("sis", "interval", "n", "options", "says"),
    [
        (float("nan"), None, 10, {}, "SIS is nan"),
        (1.2, None, 10, {}, "from 0 to 1"),
        (-0.1, None, 10, {}, "from 0 to 1"),
        (0.3, (0.4, 0.2), 10, {}, "does not hold the SIS"),
        (0.3, (0.4, 0.5), 10, {}, "does not hold the SIS"),
        (0.3, None, 0, {}, "whole number of at least 1"),
        (0.3, None, 2.5, {}, "whole number of at least 1"),
        (0.3, None, True, {}, "whole number of at least 1"),
        (0.3, None, 10, {"interaction_share": 1.5}, "interaction share"),
        (0.3, None, 10, {"high_sis": 1.0}, "between 0 and 1"),
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
