import numpy as np
import pytest
from beyond_alignment.information.field_estimate import Informations, leading_components, terms
from hypothesis import given
from hypothesis import strategies as st

from beyond_alignment.information.estimate import TERMS
from beyond_alignment.resampling import reflected_interval, reflected_p_value

bits = st.lists(st.floats(-0.5, 3), min_size=4, max_size=4)


@given(st.lists(bits, min_size=1, max_size=5), st.floats(-1, 2))
def test_any_informations_become_consistent_terms(rows, interaction):
    first, second, both, union = np.array(rows).T
    table = terms(Informations(first, second, both, union, np.full(len(rows), interaction), 0.0))
    assert list(table) == list(TERMS)
    assert (table.to_numpy() >= 0).all()
    assert (table[["sis", "sis_interaction"]].to_numpy() <= 1).all()
    np.testing.assert_allclose(table["I1"], table["redundancy"] + table["unique1"], atol=1e-12)
    np.testing.assert_allclose(table["I2"], table["redundancy"] + table["unique2"], atol=1e-12)
    total = table[["redundancy", "unique1", "unique2", "synergy"]].sum(axis=1)
    np.testing.assert_allclose(table["I12"], total, atol=1e-12)
    parts = table["synergy_additive"] + table["synergy_interaction"]
    np.testing.assert_allclose(table["synergy"], parts, atol=1e-12)


def test_informations_that_allow_a_decomposition_are_kept():
    one = np.ones(1)
    row = terms(Informations(0.5 * one, 0.4 * one, 1.2 * one, 0.7 * one, 0.3 * one, 0.0)).iloc[0]
    expected = {"redundancy": 0.2, "unique1": 0.3, "unique2": 0.2, "synergy": 0.5, "synergy_additive": 0.2}
    for name, value in expected.items():
        assert row[name] == pytest.approx(value)


def test_the_reflected_interval_takes_the_bias_off_and_holds_the_estimate():
    replicates = np.linspace(0.3, 0.5, 1001)
    assert reflected_interval(replicates, 0.2) == pytest.approx((0, 0.2))
    assert reflected_interval(replicates, 0.4) == pytest.approx((0.305, 0.495))
    assert reflected_interval(replicates, 0.6) == pytest.approx((0.6, 0.895))
    assert reflected_interval(replicates, 0.6, high=0.7)[1] == pytest.approx(0.7)


def test_the_p_value_of_what_is_bias_alone_is_large():
    rng = np.random.default_rng(0)
    assert reflected_p_value(0.2 + 0.01 * rng.normal(size=200), 0.1) > 0.3
    assert reflected_p_value(0.6 + 0.01 * rng.normal(size=200), 0.5) == pytest.approx(1 / 201)
    assert reflected_p_value(np.zeros(200), 0.0) == 1


def test_components_of_features_that_do_not_vary_are_left_out():
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(size=(50, 2)), np.ones(50)])
    found = leading_components(np.hstack([x, x]), 10, whiten=True)
    assert found.shape == (50, 2)
    np.testing.assert_allclose(np.cov(found.T), np.eye(2), atol=1e-9)
