import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beyond_alignment.alignment.told import information_told
from beyond_alignment.errors import InputError
from beyond_alignment.fusion.canonical import CanonicalCorrelation
from beyond_alignment.simulate import linear_embedding_task


def fractions(*args, **options):
    return information_told(*args, **options).set_index("label")["fraction"]


def test_a_linear_probe_does_not_reach_a_xor():
    task = linear_embedding_task("xor", n=4000, seed=0)
    assert abs(fractions((task.x1, task.x2), task.labels, task.groups)["xor"]) < 0.02


def test_alignment_keeps_the_shared_bit_and_drops_the_rest():
    task = linear_embedding_task("mixed", n=1000, seed=1)
    found = fractions((task.x1, task.x2), task.labels, task.groups, transformer=CanonicalCorrelation(1))
    assert found["redundant"] > 0.95
    assert found[["unique", "synergy"]].abs().max() < 0.05


def test_the_linear_probe_reaches_the_information_of_a_noisy_channel():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, 6000)
    y = np.where(rng.random(6000) < 0.1, 1 - x, x)
    table = information_told(x[:, None], {"y": y}, np.arange(6000) % 10)
    assert table["bits"][0] == pytest.approx(0.531, abs=0.03)
    assert table["low"][0] < table["fraction"][0] < table["high"][0]
    assert table["entropy"][0] == pytest.approx(1, abs=0.01)


def test_noise_is_not_charged_for_confidence_and_tells_nothing():
    rng = np.random.default_rng(0)
    found = fractions(rng.standard_normal((150, 40)), {"y": rng.integers(0, 3, 150)}, np.arange(150) % 6)
    assert found.abs().max() < 0.1


def test_the_transformer_never_sees_held_out_rows():
    seen = []

    class Spy(CanonicalCorrelation):
        def fit(self, X, y=None):
            seen.append(set(X[0][:, -1]))
            return super().fit(X)

        def transform(self, X):
            rows = set(X[0][:, -1])
            assert rows == seen[-1] or not rows & seen[-1]
            return super().transform(X)

    task = linear_embedding_task("redundant", n=60, seed=0, n_donors=3)
    information_told((task.x1, task.x2), task.labels, task.groups, transformer=Spy(1))
    assert len(seen) == 3


def test_a_class_of_a_single_donor_has_a_finite_cost_and_labels_may_be_words():
    task = linear_embedding_task("redundant", n=90, seed=0, n_donors=3)
    label = np.where(task.groups == 0, "rare", np.where(task.y == 1, "yes", "no"))
    table = information_told(task.x1, {"word": label}, task.groups)
    assert np.isfinite(table[["bits", "low", "high", "fold_sd"]].to_numpy()).all()
    assert (table["n"][0], table["n_groups"][0], table["n_folds"][0]) == (90, 3, 3)


def test_the_seed_decides_everything():
    task = linear_embedding_task("mixed", n=120, seed=2)
    one, two = (information_told(task.x1, task.labels, task.groups, seed=5) for _ in range(2))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10), st.integers(0, 10))
def test_lengths_must_agree(rows, others):
    x, y = np.arange(30.0)[: rows + 10, None], np.arange(others + 10) % 2
    if rows == others:
        assert len(information_told(x, {"y": y}, np.arange(rows + 10) % 3)) == 1
    else:
        with pytest.raises(InputError):
            information_told(x, {"y": y}, np.arange(rows + 10) % 3)


X = np.random.default_rng(0).standard_normal((30, 2))
Y = np.arange(30) % 2
G = np.arange(30) // 10


@pytest.mark.parametrize(
    ("x", "labels", "groups", "options", "message"),
    [
        (np.where(X > 1, np.nan, X), {"y": Y}, G, {}, "NaN"),
        ((X, X[:9]), {"y": Y}, G, {}, "same samples"),
        (X, {"y": np.zeros(30)}, G, {}, "one class"),
        (X, {"y": np.where(Y == 1, np.nan, 1.0)}, G, {}, "misses 15"),
        (X, {}, G, {}, "no label"),
        (X, {"y": Y}, Y, {}, "2 groups"),
        (X, {"y": Y}, G, {"n_splits": 1}, "2 folds"),
    ],
)
def test_bad_input_is_named(x, labels, groups, options, message):
    with pytest.raises(InputError, match=message):
        information_told(x, labels, groups, **options)
