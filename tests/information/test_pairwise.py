"""The distribution of largest entropy against proportional fitting, a cone solver and its own certificate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from beyond_alignment.errors import InputError
from beyond_alignment.information.discrete import mutual_information
from beyond_alignment.information.gates import gate
from beyond_alignment.information.pairwise import pairwise_information
from tests.information import cone


def information(q):
    return mutual_information((q / q.sum()).reshape(-1, q.shape[-1]))


def fit_proportionally(p, sweeps):
    q = np.full(p.shape, 1 / p.size)
    for _ in range(sweeps):
        for axis in range(3):
            have = q.sum(axis=axis, keepdims=True)
            q = q * np.divide(p.sum(axis=axis, keepdims=True), have, out=np.zeros_like(have), where=have > 0)
    return q


@pytest.mark.parametrize("shape", [(2, 2, 2), (5, 3, 4), (3, 6, 2), (12, 12, 5)])
def test_proportional_fitting_ends_at_the_same_distribution(shape):
    p = np.random.default_rng(0).dirichlet(np.ones(np.prod(shape))).reshape(shape)
    found = pairwise_information(p, tolerance=1e-10)
    assert np.abs(found.joint - fit_proportionally(p, 300)).max() < 1e-7
    assert found.value == pytest.approx(cone.solve(p, pairwise=True), abs=1e-6)
    assert found.gap < 1e-10


@pytest.mark.parametrize("name", ["and", "sum", "or", "w", "xorand"])
def test_gates_whose_pairs_allow_no_other_distribution(name):
    p = gate(name)
    found = pairwise_information(p)
    assert found.value == pytest.approx(information(p), abs=1e-6)
    assert np.abs(found.joint - p).max() < 1e-3
    assert found.gap < 1e-6


def test_exclusive_or_is_uniform_in_pairs():
    found = pairwise_information(gate("xor"))
    assert found.value == pytest.approx(0, abs=1e-9)
    assert found.joint == pytest.approx(np.full((2, 2, 2), 1 / 8))


counts = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.sampled_from([0.0, 0.0, 1.0, 2.0, 7.0, 50.0]))
)


@settings(max_examples=80, deadline=None)
@given(counts.filter(lambda c: c.sum() > 0).map(lambda c: c / c.sum()))
def test_zeros_and_states_that_never_occur(p):
    found = pairwise_information(p)
    assert found.gap < 1e-6
    assert found.value <= information(p) + 1e-9
    assert found.joint.min() >= 0
    for axis in range(3):
        assert np.abs(found.joint.sum(axis=axis) - p.sum(axis=axis)).max() < 1e-8
    assert information(found.joint) == pytest.approx(float(found.value), abs=1e-7)


def test_what_is_lost_is_the_divergence_from_the_pairs():
    p = np.random.default_rng(4).dirichlet(np.ones(24)).reshape(2, 4, 3)
    q = pairwise_information(p, tolerance=1e-10).joint
    assert information(p) - information(q) == pytest.approx((p * np.log2(p / q)).sum(), abs=1e-8)


def test_a_batch_is_its_members():
    p = np.random.default_rng(5).dirichlet(np.full(40, 0.5), size=(2, 3)).reshape(2, 3, 2, 5, 4)
    batch = pairwise_information(p)
    assert batch.value.shape == (2, 3)
    assert batch.joint.shape == p.shape
    for k in np.ndindex(2, 3):
        assert pairwise_information(p[k]).value == pytest.approx(batch.value[k], abs=1e-12)


def test_what_is_no_distribution_is_refused():
    with pytest.raises(InputError, match="3 axes"):
        pairwise_information(np.ones(3) / 3)
    with pytest.raises(InputError, match="sums to"):
        pairwise_information(np.ones((2, 2, 2)))
