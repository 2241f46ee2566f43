"""Correlations of columns: numpy's, and 0 for a column that is constant."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from beyond_alignment.correlations import cross_correlations, pearson_columns, standardised

COLUMNS = arrays(np.float64, (7, 3), elements=st.floats(-1e6, 1e6, width=32))


def drawn():
    return np.random.default_rng(0).normal(size=(2, 40, 3))


def test_they_equal_numpy():
    first, second = drawn()
    expected = np.corrcoef(first.T, second.T)[:3, 3:]
    np.testing.assert_allclose(cross_correlations(first, second), expected, atol=1e-14)
    np.testing.assert_allclose(pearson_columns(first, second), np.diag(expected), atol=1e-14)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e8 / 3])
def test_a_constant_column_has_none(constant):
    """The mean of 40 times 0.1 is not 0.1, so that its columns are not 0 once centred."""
    first, second = drawn()
    second[:, 1] = constant
    assert pearson_columns(first, second)[1] == 0.0
    assert (cross_correlations(first, second)[:, 1] == 0.0).all()


@given(COLUMNS, COLUMNS)
def test_they_are_finite_bounded_and_symmetric(first, second):
    found = cross_correlations(first, second)
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 1 + 1e-9
    np.testing.assert_allclose(found, cross_correlations(second, first).T, atol=1e-9)
    np.testing.assert_allclose(np.diag(found), pearson_columns(first, second), atol=1e-9)


@given(COLUMNS)
def test_a_column_is_scaled_once(values):
    once = standardised(values)
    np.testing.assert_allclose(standardised(once), once, atol=1e-6)
