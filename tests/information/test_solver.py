"""The union and the pairwise information against their certificates, cone solvers and what must not matter."""

import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from beyond_alignment.errors import InputError
from beyond_alignment.information import exact
from beyond_alignment.information.exact import (
    mutual_information,
    over_problems,
    pairwise_information,
    union_information,
)
from beyond_alignment.information.gates import gate
from tests.information import cone

SIZES = [(2, 2, 2), (2, 5, 3), (7, 3, 2), (8, 8, 4), (16, 10, 6)]


def draw(shape, *, seed=0, concentration=0.3):
    return np.random.default_rng(seed).dirichlet(np.full(np.prod(shape), concentration)).reshape(shape)


def marginals(p):
    return p.sum(axis=-2), p.sum(axis=-3)


def information(q):
    return mutual_information((q / q.sum()).reshape(-1, q.shape[-1]))


def check_certificate(found, first, second, *, gap=1e-6):
    """Recompute both bounds from the points that are said to prove them."""
    assert np.abs(found.joint.sum(axis=1) - first).max() < 1e-13
    assert np.abs(found.joint.sum(axis=0) - second).max() < 1e-13
    assert found.joint.min() >= 0
    assert information(found.joint) == pytest.approx(float(found.value), abs=1e-12)
    totals = np.einsum("iy,jy->ij", np.exp(found.dual_first), np.exp(found.dual_second))
    assert totals.max() <= 1 + 1e-15
    target = first.sum(axis=0)
    bound = -(target[target > 0] * np.log(target[target > 0])).sum()
    for table, dual in ((first, found.dual_first), (second, found.dual_second)):
        bound += (table[table > 0] * dual[table > 0]).sum()
    assert bound / np.log(2) == pytest.approx(float(found.value - found.gap), abs=1e-12)
    assert 0 <= found.gap < gap


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("concentration", [1.0, 0.05])
def test_the_cone_solver_agrees_and_the_certificate_holds(shape, concentration):
    p = draw(shape, concentration=concentration)
    first, second = marginals(p)
    found = union_information(first, second)
    assert found.value == pytest.approx(cone.solve(p), abs=1e-6)
    check_certificate(found, first, second)


def test_a_large_problem_carries_its_certificate():
    first, second = marginals(draw((64, 64, 10), concentration=0.2))
    check_certificate(union_information(first, second), first, second)


counts = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.sampled_from([0.0, 0.0, 1.0, 2.0, 7.0, 1e-6, 300.0]))
)
tables = counts.filter(lambda c: c.sum() > 0).map(lambda c: c / c.sum())


@settings(max_examples=80, deadline=None)
@given(tables)
def test_zeros_and_states_that_never_occur(p):
    first, second = marginals(p)
    found = union_information(first, second)
    check_certificate(found, first, second)
    alone = mutual_information(first), mutual_information(second)
    assert max(alone) - 1e-7 <= found.value <= min(sum(alone), information(p)) + 1e-7


@settings(max_examples=30, deadline=None)
@given(tables, st.randoms(use_true_random=False))
def test_names_order_and_unused_states_do_not_matter(p, random):
    value = union_information(*marginals(p)).value
    shuffled = p
    for axis in range(3):
        order = list(range(p.shape[axis]))
        random.shuffle(order)
        shuffled = shuffled.take(order, axis=axis)
    shuffled = np.pad(shuffled, [(0, 1), (1, 0), (1, 1)])
    assert union_information(*marginals(shuffled)).value == pytest.approx(value, abs=2e-7)
    assert union_information(*marginals(p)[::-1]).value == pytest.approx(value, abs=2e-7)


def test_a_batch_is_its_members_whatever_the_order_of_the_sources():
    p = np.random.default_rng(0).dirichlet(np.full(60, 0.2), size=(3, 7)).reshape(3, 7, 3, 5, 4)
    first, second = marginals(p)
    batch = union_information(first, second)
    assert batch.value.shape == batch.gap.shape == (3, 7)
    assert batch.joint.shape == p.shape
    assert batch.dual_first.shape == first.shape
    assert batch.dual_second.shape == second.shape
    for k in np.ndindex(3, 7):
        one = union_information(first[k], second[k])
        assert one.value == pytest.approx(batch.value[k], abs=1e-12)
        assert union_information(second[k], first[k]).value == pytest.approx(one.value, abs=1e-12)


def test_the_dual_bounds_other_problems_on_the_same_states():
    rng = np.random.default_rng(3)
    p = rng.dirichlet(np.ones(60), size=2).reshape(2, 5, 4, 3)
    first, second = marginals(p)
    dual = union_information(first[0], second[0])
    target = first[1].sum(axis=0)
    bound = -(target * np.log(target)).sum() + (first[1] * dual.dual_first).sum() + (second[1] * dual.dual_second).sum()
    assert bound / np.log(2) <= union_information(first[1], second[1]).value


def test_tiny_probabilities_are_solved():
    p = draw((6, 5, 4), concentration=0.01, seed=5)
    assert p[p > 0].min() < 1e-30
    found = union_information(*marginals(p))
    assert found.gap < 1e-6


def test_a_tighter_tolerance_is_met():
    found = union_information(*marginals(draw((6, 5, 4))), tolerance=1e-10)
    assert found.gap < 1e-10


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (np.full((2, 2), 0.25), np.array([[0.3, 0.2], [0.25, 0.25]]), r"p\(y\).*differs by up to 0.05"),
        (np.full((2, 2), 0.25), np.full((2, 3), 1 / 6), "same batch and classes"),
        (np.full((2, 2), 0.3), np.full((2, 2), 0.25), "sums to 1.2"),
        (np.array([[1.5, -0.5]]), np.array([[0.5, 0.5]]), "negative"),
        (np.array([[np.nan, 1]]), np.array([[0.5, 0.5]]), "non-finite"),
        (np.ones(1), np.ones((1, 1)), "shapes"),
    ],
)
def test_what_does_not_fit_is_refused(first, second, message):
    with pytest.raises(InputError, match=message):
        union_information(first, second)


def test_a_tolerance_must_be_positive():
    with pytest.raises(InputError, match="positive"):
        union_information(np.ones((1, 1)), np.ones((1, 1)), tolerance=0)


@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize("n", [0, 1, 7, 500])
def test_every_problem_is_solved_once(n, n_threads, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: n_threads)
    done, lock = [], threading.Lock()

    def work(k):
        with lock:
            done.append(k)

    over_problems(work, n)
    assert sorted(done) == list(range(n))


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


plain_counts = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.sampled_from([0.0, 0.0, 1.0, 2.0, 7.0, 50.0]))
)


@settings(max_examples=80, deadline=None)
@given(plain_counts.filter(lambda c: c.sum() > 0).map(lambda c: c / c.sum()))
def test_zeros_in_pairs(p):
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


def test_a_batch_of_pairs_is_its_members():
    p = np.random.default_rng(5).dirichlet(np.full(40, 0.5), size=(2, 3)).reshape(2, 3, 2, 5, 4)
    batch = pairwise_information(p)
    assert batch.value.shape == (2, 3)
    assert batch.joint.shape == p.shape
    for k in np.ndindex(2, 3):
        assert pairwise_information(p[k]).value == pytest.approx(batch.value[k], abs=1e-12)


def test_pairs_of_what_is_no_distribution_are_refused():
    with pytest.raises(InputError, match="3 axes"):
        pairwise_information(np.ones(3) / 3)
    with pytest.raises(InputError, match="sums to"):
        pairwise_information(np.ones((2, 2, 2)))


@pytest.mark.parametrize("iterations", [1, 4, 8])
def test_what_is_returned_without_convergence_is_true_and_better_than_the_start(iterations, monkeypatch):
    first, second = marginals(draw((8, 7, 4), concentration=0.5))
    optimum = union_information(first, second, tolerance=1e-10)
    start = np.einsum("iy,jy->ijy", first, second / second.sum(axis=0))
    monkeypatch.setattr(exact, "ITERATIONS", iterations)
    found = union_information(first, second, tolerance=1e-10)
    check_certificate(found, first, second, gap=1)
    assert found.gap > 1e-6
    assert found.value - found.gap <= optimum.value <= found.value < information(start) - 1e-3
