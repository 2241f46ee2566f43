from dataclasses import astuple
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from beyond_alignment.errors import InputError
from beyond_alignment.fusion.canonical import CanonicalCorrelation
from beyond_alignment.information import broja
from beyond_alignment.information.exact import joint_informations, mutual_information
from beyond_alignment.information.gates import GATES, gate
from beyond_alignment.simulate import N_SHARED, dial_theory, dialled_task, linear_embedding_task, n_shared
from beyond_alignment.simulate.planted import KINDS, dial_table


@pytest.mark.parametrize("kind", sorted(set(KINDS) & set(GATES)))
def test_the_truth_of_a_single_label_is_its_gate(kind):
    task = linear_embedding_task(kind, n=40, seed=0)
    assert np.array_equal(task.p, gate(kind))
    assert task.x1.shape == task.x2.shape == (40, 16)


@pytest.mark.parametrize(
    ("label", "informations"), [("redundant", (1, 1, 1)), ("unique", (1, 0, 1)), ("synergy", (0, 0, 1))]
)
def test_mixed_embeddings_hold_each_kind_of_information(label, informations):
    info = joint_informations(linear_embedding_task("mixed", n=40, seed=0).truths[label])
    assert astuple(info) == pytest.approx(informations)


@pytest.mark.parametrize("kind", KINDS)
def test_samples_follow_the_truth(kind):
    task = linear_embedding_task(kind, n=30_000, noise=0, seed=1)
    states = [np.unique(np.sign(np.round(x, 6)), axis=0, return_inverse=True)[1] for x in (task.x1, task.x2)]
    for label, y in task.labels.items():
        counts = np.zeros(task.truths[label].shape)
        np.add.at(counts, (*states, y), 1 / len(y))
        found, exact = joint_informations(counts), joint_informations(task.truths[label])
        assert astuple(found) == pytest.approx(astuple(exact), abs=0.01)


def test_only_the_shared_bit_makes_a_cross_covariance():
    def top(kind):
        task = linear_embedding_task(kind, n=20_000, seed=2)
        return np.linalg.svd(np.cov(task.x1.T, task.x2.T)[:16, 16:], compute_uv=False)

    assert top("xor")[0] < 0.02
    values = top("mixed")
    assert values[0] == pytest.approx(1, abs=0.02)
    assert values[1] < 0.03


def test_the_seed_decides_a_kind():
    one, two, other = (linear_embedding_task("mixed", n=50, seed=s) for s in (3, 3, 4))
    assert one.x2.tobytes() == two.x2.tobytes()
    assert not np.array_equal(one.x2, other.x2)


def test_donors_are_balanced():
    assert np.array_equal(np.bincount(linear_embedding_task("xor", n=60, seed=0, n_donors=6).groups), [10] * 6)


def test_a_task_of_several_labels_has_no_single_one():
    with pytest.raises(InputError, match="redundant, unique, synergy"):
        _ = linear_embedding_task("mixed", n=40, seed=0).y


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("nand", {}, "'nand'"),
        ("mixed", {"dim": 2}, "needs 3"),
        ("xor", {"noise": -1}, "noise"),
        ("xor", {"noise": float("nan")}, "noise"),
        ("xor", {"n": 3}, "donor"),
    ],
)
def test_impossible_tasks_are_refused(kind, options, message):
    with pytest.raises(InputError, match=message):
        linear_embedding_task(kind, **{"n": 40, "seed": 0, **options})


SHARES = (0, 0.25, 0.5, 0.9, 1)


def aligned_table(p):
    """Joint of selector and shared bit, which both sources hold, with the label (state, label)."""
    return p.sum(axis=1).reshape(4, 2, 2).sum(axis=1)


def bits_of(task):
    """Every bit that an embedding without noise holds, by name of its label."""
    return {name: task.labels[name] for name in ("redundant", "unique1", "unique2", "half1", "half2")}


@pytest.mark.parametrize("share", SHARES)
def test_the_dial_turns_redundancy_into_interaction(share):
    exact = broja(dial_table(share))
    found = exact.redundancy, exact.unique1, exact.unique2, exact.synergy, exact.synergy_interaction
    assert found == pytest.approx((1 - share, 0, 0, share, share), abs=1e-5)
    info = joint_informations(dial_table(share))
    assert pytest.approx((1 - share, 1 - share, 1)) == (info.I1, info.I2, info.I12)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1))
def test_theory_is_what_the_exact_table_allows(share):
    p, theory = dial_table(share), dial_theory(share)
    aligned, joint = aligned_table(p), p.reshape(64, 2)
    assert p.sum() == pytest.approx(1)
    assert theory.aligned_accuracy == pytest.approx(aligned.max(axis=1).sum())
    assert theory.joint_accuracy == pytest.approx(joint.max(axis=1).sum())
    assert theory.aligned_bits == pytest.approx(mutual_information(aligned), abs=1e-9)
    assert theory.joint_bits == pytest.approx(mutual_information(joint), abs=1e-9)


@pytest.mark.parametrize("share", SHARES)
def test_dialled_samples_follow_the_table(share):
    task = dialled_task(share, n=8000, seed=0)
    # Of each source shared bit and half, the selector summed out.
    table = dial_table(share).reshape(2, 4, 2, 4, 2).sum(axis=(0, 2))
    counts = np.zeros((4, 4, 2))
    sources = (2 * task.labels["redundant"] + task.labels[half] for half in ("half1", "half2"))
    np.add.at(counts, (*sources, task.labels["dialled"]), 1)
    assert counts[table == 0].sum() == 0
    assert chisquare(counts[table > 0], 8000 * table[table > 0]).pvalue > 1e-3


def test_truths_of_the_other_labels_are_those_of_the_bits():
    task = dialled_task(0.5, n=8000, seed=1)
    held = {
        "redundant": ("redundant", "redundant"),
        "xor": ("half1", "half2"),
        "and": ("unique1", "unique2"),
        "unique1": ("unique1", "unique2"),
        "unique2": ("unique1", "unique2"),
        "half1": ("half1", "half2"),
        "half2": ("half1", "half2"),
    }
    assert set(task.labels) == {*held, "dialled"} == set(task.truths)
    for label, sources in held.items():
        counts, table = np.zeros((2, 2, 2)), task.truths[label]
        np.add.at(counts, (*(task.labels[name] for name in sources), task.labels[label]), 1)
        assert counts[table == 0].sum() == 0, label
        assert chisquare(counts[table > 0], 8000 * table[table > 0]).pvalue > 1e-3, label


@pytest.mark.parametrize(("share", "n_bits"), [(0, 3), (0.5, 4), (1, 3)])
def test_as_many_directions_are_shared_as_is_said(share, n_bits):
    assert n_shared(share) == n_bits <= N_SHARED
    task = dialled_task(share, n=4000, seed=2)
    values = CanonicalCorrelation(6, regularisation=0).fit((task.x1, task.x2)).correlations_
    assert values[:n_bits] == pytest.approx(1 / (1 + 0.25**2), abs=0.02)
    assert values[n_bits:].max() < 0.15


def test_bits_lie_along_directions_of_their_own_and_turning_the_dial_moves_selector_and_label_alone():
    tasks = [dialled_task(share, n=500, seed=3) for share in (0.2, 0.6, 1.0)]
    for one, two in pairwise(tasks):
        assert all(np.array_equal(bits_of(one)[name], bits_of(two)[name]) for name in bits_of(one))
        for x, y in ((one.x1, two.x1), (one.x2, two.x2)):
            assert np.linalg.matrix_rank(y - x, tol=1e-8) == 1
    task, clean = tasks[0], dialled_task(0.2, n=500, noise=0, seed=3)
    assert np.linalg.matrix_rank(clean.x1, tol=1e-8) == 6
    signs = np.stack([2.0 * task.labels[name] - 1 for name in ("unique1", "half1")], axis=1)
    directions = np.linalg.lstsq(clean.x1, signs)[0]
    assert clean.x1 @ directions == pytest.approx(signs)
    assert directions.T @ directions == pytest.approx(np.eye(2), abs=1e-8)
    assert np.std(task.x1 - clean.x1) == pytest.approx(0.25, abs=0.01)


def test_donors_are_dealt_in_turn_and_the_seed_decides_everything():
    one, two, other = (dialled_task(0.5, n=40, n_donors=4, seed=seed) for seed in (0, 0, 1))
    assert np.bincount(one.groups).tolist() == [10] * 4
    assert np.array_equal(one.x1, two.x1)
    assert not np.array_equal(one.x1, other.x1)


@pytest.mark.parametrize("share", [-0.1, 1.1, np.nan])
def test_a_share_that_is_none_is_refused(share):
    for refused in (dial_table, dial_theory, lambda s: dialled_task(s, n=20, seed=0)):
        with pytest.raises(InputError, match="from 0 to 1"):
            refused(share)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 7}, "at least one sample a donor"),
        ({"n_donors": 0}, "at least one sample a donor"),
        ({"dim": 5}, "needs 6"),
        ({"noise": np.nan}, "0 or more"),
    ],
)
def test_a_dial_that_cannot_be_drawn_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        dialled_task(0.5, **{"n": 20, "seed": 0, **options})
