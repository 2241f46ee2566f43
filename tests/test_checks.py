"""The checks that every boundary shares."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beyond_alignment.checks import codes, finite_matrix, paired
from beyond_alignment.errors import InputError

SORTABLE = st.one_of(st.integers(-99, 99), st.text(max_size=3)).flatmap(
    lambda one: st.lists(st.integers(-99, 99) if isinstance(one, int) else st.text(max_size=3), min_size=1)
)


@given(SORTABLE)
def test_codes_are_places_among_the_sorted_values(values):
    expected, places = np.unique(np.array(values), return_inverse=True)
    for given_as in (
        values,
        np.array(values),
        pd.Series(values, index=range(5, 5 + len(values))),
        pd.Categorical(values),
    ):
        found, names = codes(given_as, n=len(values), name="groups")
        assert list(names) == list(expected)
        assert np.array_equal(found, places)
        assert found.dtype == np.int64


def test_values_of_several_kinds_are_numbered_too():
    found, names = codes([1, "a", 1, True, 2.5], n=5, name="groups")
    assert [names[code] for code in found] == [1, "a", 1, True, 2.5]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", None, "b"], r"groups misses 1 of 3 values \(first: row 1\)"),
        ([1.0, 2.0, np.nan], "misses 1 of 3"),
        (pd.array([1, None, None], dtype="Int64"), "misses 2 of 3"),
        ([1, 2], "groups has 2 values for 3 samples"),
        (np.zeros((3, 2)), "groups is not a vector"),
        ([[1], [2], [3]], "groups is not a vector"),
    ],
)
def test_values_that_cannot_be_numbered_are_named(values, message):
    with pytest.raises(InputError, match=message):
        codes(values, n=3, name="groups")


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros(3), r"x has shape \(3,\)"),
        (np.zeros((3, 0)), r"x has shape \(3, 0\)"),
        (np.zeros((1, 2)), "x has 1 rows and 2 are needed"),
        (
            [[1.0, np.inf], [np.nan, np.nan]],
            "x holds 3 NaN or infinite values",
        ),
    ],
)
def test_a_matrix_that_is_none_is_named(x, message):
    with pytest.raises(InputError, match=message):
        finite_matrix(x, name="x", min_rows=2)


def test_pairs_have_the_same_rows():
    assert [x.dtype for x in paired([[1], [2], [3]], np.ones((3, 2), dtype=np.float32))] == [np.float64, np.float64]
    with pytest.raises(InputError, match="x1 has 4 rows and x2 has 3"):
        paired(np.ones((4, 1)), np.ones((3, 1)))
