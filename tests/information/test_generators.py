from dataclasses import astuple

import numpy as np
import pytest

from beyond_alignment.errors import InputError
from beyond_alignment.information.discrete import joint_informations
from beyond_alignment.information.gates import GATES, gate
from beyond_alignment.information.generators import KINDS, linear_embedding_task


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


def test_the_seed_decides_everything():
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
