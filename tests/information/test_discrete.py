from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from beyond_alignment.errors import InputError
from beyond_alignment.information.discrete import joint_informations, mutual_information

weights = arrays(np.float64, (3, 2, 4), elements=st.floats(0, 1)).filter(lambda w: w.sum() > 1e-3)


def entropy(p):
    p = p[p > 0]
    return -(p * np.log2(p)).sum()


def test_a_noiseless_channel_gives_the_entropy_of_its_input():
    assert mutual_information(np.diag([0.5, 0.25, 0.25])) == pytest.approx(1.5)


def test_a_binary_symmetric_channel_gives_its_capacity():
    assert mutual_information([[0.45, 0.05], [0.05, 0.45]]) == pytest.approx(1 - entropy(np.array([0.1, 0.9])))


def test_an_independent_table_gives_nothing():
    assert mutual_information(np.outer([0.3, 0.7], [0.2, 0.5, 0.3])) == pytest.approx(0, abs=1e-12)


@given(weights)
def test_the_joint_information_obeys_the_chain_rule(w):
    p = w / w.sum()
    i1, i2, i12 = astuple(joint_informations(p))
    given_first = sum(q.sum() * mutual_information(q / q.sum()) for q in p if q.sum() > 0)
    assert i12 == pytest.approx(i1 + given_first, abs=1e-9)
    assert max(i1, i2) <= i12 + 1e-9
    assert min(i1, i2) >= 0


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (np.full((2, 2), 0.3), "sums to 1.2"),
        (np.array([[1.5, -0.5]]), "negative"),
        (np.array([[np.nan, 1.0]]), "non-finite"),
        (np.ones(2) / 2, "2 axes"),
        (np.empty((0, 2)), "non-empty"),
    ],
)
def test_what_is_no_distribution_is_refused(p, message):
    with pytest.raises(InputError, match=message):
        mutual_information(p)


@given(arrays(np.float64, (2, 2, 2), elements=st.floats(0, 1)).filter(lambda w: abs(w.sum() - 1) > 1e-6))
def test_a_table_that_does_not_sum_to_one_is_refused(w):
    with pytest.raises(InputError):
        joint_informations(w)
