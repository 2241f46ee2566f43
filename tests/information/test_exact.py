"""Exact informations and decompositions against reference values, a cone solver, theory and their symmetries."""

import json
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from beyond_alignment.errors import InputError
from beyond_alignment.information import broja, broja_batch
from beyond_alignment.information.exact import imin, joint_informations, mutual_information
from beyond_alignment.information.gates import gate
from beyond_alignment.information.solver import solve_coupling, solve_pairs
from tests.information import cone

REFERENCE = json.loads((Path(__file__).parent / "reference_pid.json").read_text(encoding="utf-8"))
PARTS = ("redundancy", "unique1", "unique2", "synergy", "synergy_additive", "synergy_interaction")

counts = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.sampled_from([0.0, 0.0, 1.0, 2.0, 7.0, 50.0]))
)
tables = counts.filter(lambda c: c.sum() > 0).map(lambda c: c / c.sum())


@pytest.mark.parametrize("name", REFERENCE)
def test_reference_values(name):
    case = REFERENCE[name]
    p = np.zeros(case["shape"])
    p[tuple(np.transpose(case["states"]))] = case["p"]
    pid = broja(p)
    found = [pid.I1, pid.I2, pid.I12, pid.redundancy, pid.unique1, pid.unique2, pid.synergy]
    assert found == pytest.approx([case["bits"][key] for key in ("I1", "I2", "I12", "R", "U1", "U2", "S")], abs=1e-6)
    assert pid.gap < 1e-6


@pytest.mark.parametrize(
    ("name", "additive", "interaction"),
    [
        ("xor", 0, 1),
        ("add_mod3", 0, np.log2(3)),
        ("noisy_xor", 0, 0.5310044064),
        ("and", 0.5, 0),
        ("or", 0.5, 0),
        ("sum", 1, 0),
        ("xorand", 1, 0),
        ("w", 2 / 3, 0),
        ("noisy_views", 0.2110814521, 0),
        ("redundant", 0, 0),
        ("copy", 0, 0),
        ("rdnxor", 0, 1),
        ("rdnunqxor", 0, 1),
    ],
)
def test_the_two_parts_of_synergy(name, additive, interaction):
    pid = broja(gate(name))
    assert (pid.synergy_additive, pid.synergy_interaction) == pytest.approx((additive, interaction), abs=1e-6)


def test_the_cone_solver_agrees_on_a_problem_of_the_size_of_the_benchmark():
    p = np.random.default_rng(1).dirichlet(np.full(24 * 24 * 6, 0.3)).reshape(24, 24, 6)
    assert broja(p).union_information == pytest.approx(cone.solve(p), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(tables)
def test_parts_are_not_negative_and_add_up(p):
    pid, told = broja(p), joint_informations(p)
    assert min(astuple(pid)) >= 0
    sums = [pid.I1, pid.I2, pid.I12]
    assert sums == pytest.approx(list(astuple(told)), abs=1e-9)
    assert pid.synergy_additive + pid.synergy_interaction == pytest.approx(pid.synergy, abs=1e-9)
    assert pid.gap < 1e-6


@settings(max_examples=6, deadline=None)
@given(tables, st.randoms(use_true_random=False))
def test_exchanging_the_sources_and_renaming_states(p, random):
    pid, turned = broja(p), broja(p.swapaxes(0, 1))
    exchanged = [turned.redundancy, turned.unique2, turned.unique1, *(getattr(turned, part) for part in PARTS[3:])]
    assert [getattr(pid, part) for part in PARTS] == pytest.approx(exchanged, abs=3e-7)
    order = list(range(p.shape[0]))
    random.shuffle(order)
    renamed = broja(np.pad(p[order][..., ::-1], [(1, 0), (0, 1), (1, 0)]))
    assert astuple(renamed) == pytest.approx(astuple(pid), abs=3e-7)


def test_a_batch_is_its_members():
    p = np.random.default_rng(2).dirichlet(np.full(48, 0.3), size=9).reshape(9, 4, 4, 3)
    batch = broja_batch(p)
    assert len(batch) == 9
    for k in range(9):
        assert astuple(batch[k]) == pytest.approx(astuple(broja(p[k])), abs=1e-12)
        assert batch.I1[k] == pytest.approx(batch[k].I1)
        assert batch.I2[k] == pytest.approx(batch[k].I2)
        assert batch.I12[k] == pytest.approx(batch[k].I12)
        assert batch.sis[k] == pytest.approx(batch[k].sis)
    assert len(list(batch)) == 9


def test_no_layout_of_memory_is_compiled_anew():
    p = np.random.default_rng(3).dirichlet(np.ones(24)).reshape(2, 3, 4)
    expected = astuple(broja(p))
    for same in (np.asfortranarray(p), p[:, ::-1][:, ::-1], np.ascontiguousarray(p.T).T):
        assert astuple(broja(same)) == pytest.approx(expected, abs=1e-9)
    assert len(solve_coupling.signatures) == len(solve_pairs.signatures) == 1


def test_one_class_tells_nothing():
    pid = broja(np.full((3, 2, 1), 1 / 6))
    assert astuple(pid) == pytest.approx((0,) * 7, abs=1e-12)
    assert pid.sis == 0


def test_the_input_is_checked():
    with pytest.raises(InputError, match="3 axes"):
        broja(np.ones((1, 1)))
    with pytest.raises(InputError, match="3 axes"):
        broja(np.ones((1, 1, 1, 1)))
    with pytest.raises(InputError, match="batch"):
        broja_batch(np.ones((1, 1, 1)))
    with pytest.raises(InputError, match="sums to 2"):
        broja_batch(np.ones((3, 2, 1, 1)))


sparse_weights = arrays(np.float64, (3, 2, 4), elements=st.just(0.0) | st.floats(1e-9, 1)).filter(
    lambda w: w.sum() > 1e-3
)


def least_told(p):
    """The definition, outcome by outcome and in words of the paper: expected least specific information."""
    total, target = 0.0, p.sum((0, 1))
    for y in range(p.shape[2]):
        if target[y] == 0:
            continue
        told = []
        for table in (p.sum(1), p.sum(0)):
            told.append(
                sum(
                    row[y] / target[y] * (np.log2(1 / target[y]) - np.log2(1 / (row[y] / row.sum())))
                    for row in table
                    if row[y] > 0
                )
            )
        total += target[y] * min(told)
    return total


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("copy", (1, 0, 0, 1)),
        ("xor", (0, 0, 0, 1)),
        ("redundant", (1, 0, 0, 0)),
        ("unique1", (0, 1, 0, 0)),
        ("and", (0.311278124, 0, 0, 0.5)),
        ("rdnxor", (1, 0, 0, 1)),
    ],
)
def test_imin_of_gates(name, parts):
    assert astuple(imin(gate(name)))[:4] == pytest.approx(parts, abs=1e-9)


def test_the_example_of_the_paper():
    # Figure 4 A of Williams & Beer: three equally likely outcomes, each ruled out by one state of either source
    p = np.zeros((2, 2, 3))
    p[0, 0, 0] = p[0, 1, 1] = p[1, 0, 2] = 1 / 3
    third = np.log2(3) - 2 / 3
    found = imin(p)
    told_by = [found.I1, found.I2, found.I12]
    assert told_by == pytest.approx([third, third, np.log2(3)])
    assert found.redundancy == pytest.approx(least_told(p))


@given(sparse_weights)
def test_it_is_the_definition_not_negative_and_adds_up(w):
    p = w / w.sum()
    found, told = imin(p), joint_informations(p)
    assert found.redundancy == pytest.approx(least_told(p), abs=1e-9)
    assert min(astuple(found)[:4]) >= 0
    told_by = [found.I1, found.I2, found.I12]
    assert told_by == pytest.approx(list(astuple(told)), abs=1e-9)


def test_it_calls_more_redundant_than_broja_does():
    p = np.random.default_rng(0).dirichlet(np.ones(40)).reshape(4, 5, 2)
    assert imin(p).redundancy >= broja(p).redundancy


def test_the_input_of_imin_is_checked():
    with pytest.raises(InputError, match="3 axes"):
        imin(np.ones((1, 1)))


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
