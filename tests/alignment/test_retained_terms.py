"""What alignment leaves of each term, where the truth is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group
from sklearn.base import BaseEstimator, TransformerMixin

from beyond_alignment.alignment.aligned_pair import AlignedPair
from beyond_alignment.alignment.retained_terms import (
    LEAST_BITS,
    RETAINED_TERMS,
    aligned_pair,
    information_retained,
)
from beyond_alignment.errors import InputError
from beyond_alignment.fusion.canonical import CanonicalCorrelation
from beyond_alignment.simulate import linear_embedding_task

# Sixteen clusters of four components are the sixteen states of the four bits, so that counts are exact.
EXACT = {"method": "cvx", "n_clusters": 16, "n_components": 4, "n_bootstrap": 40}


class Mapped(TransformerMixin, BaseEstimator):
    """A matrix for each side, which may be the identity."""

    def __init__(self, first=None, second=None):
        self.first = first
        self.second = second

    def fit(self, X, y=None):
        assert y is None
        return self

    def transform(self, X):
        return tuple(x if a is None else x @ a for x, a in zip(X, (self.first, self.second), strict=True))


@pytest.fixture(scope="module")
def task():
    return linear_embedding_task("every_term", n=4000, dim=8, noise=0.15, seed=0)


def kept(task, label, transformer, **options):
    found = information_retained((task.x1, task.x2), task.labels[label], transformer=transformer, **(options or EXACT))
    return found.table.set_index("term")


@pytest.mark.parametrize(
    ("label", "term"),
    [("unique1", "unique1"), ("unique2", "unique2"), ("xor", "synergy_interaction"), ("and", "synergy_additive")],
)
def test_one_aligned_direction_loses_all_that_is_not_shared(task, label, term):
    table = kept(task, label, CanonicalCorrelation(1))
    assert table.index.tolist() == list(RETAINED_TERMS)
    assert table.at[term, "before"] > 0.2
    assert table.at[term, "kept"] < 0.08
    assert table.at["total", "kept"] < 0.08


def test_one_aligned_direction_keeps_what_is_shared(task):
    table = kept(task, "redundant", CanonicalCorrelation(1))
    assert table.at["redundancy", "before"] == pytest.approx(1, abs=0.02)
    assert table.at["redundancy", "kept"] == pytest.approx(1, abs=0.03)
    absent = ["unique1", "unique2", "synergy_additive", "synergy_interaction"]
    assert table.loc[absent, ["kept", "kept_low", "kept_high"]].isna().all(axis=None)
    assert (table["kept_low"] <= table["kept"]).dropna().all()


def test_the_identity_keeps_every_term_to_the_bit(task):
    for transformer in (Mapped(), None):
        table = kept(task, "and", transformer)
        assert (table["before"] == table["after"]).all()
        assert table["kept"].dropna().eq(1).all()
        assert table["kept"].notna().sum() == 3  # AND of fair bits: redundancy, additive synergy, total


def test_an_invertible_map_of_each_side_keeps_what_there_is(task):
    maps = [3.0 * ortho_group.rvs(8, random_state=seed) for seed in (1, 2)]
    for label, term in (("redundant", "redundancy"), ("unique1", "unique1"), ("xor", "synergy_interaction")):
        assert kept(task, label, Mapped(*maps)).at[term, "kept"] == pytest.approx(1, abs=0.02)


def test_all_canonical_directions_are_an_invertible_map(task):
    table = kept(task, "unique2", AlignedPair(50, n_components=4))
    assert table.at["unique2", "kept"] == pytest.approx(1, abs=0.03)


def test_posteriors_agree_that_the_xor_is_lost():
    task = linear_embedding_task("mixed", n=400, seed=1)
    pair = task.x1, task.x2
    found = information_retained(
        pair, task.labels["synergy"], task.groups, transformer=CanonicalCorrelation(1), n_folds=2, n_bootstrap=20
    )
    table = found.table.set_index("term")
    assert table.at["synergy_interaction", "before"] > 0.8
    assert table.at["synergy_interaction", "kept"] < 0.1
    assert found.after.n_groups == found.before.n_groups == 8


def test_fitting_on_all_pairs_lends_little_to_what_is_not_shared():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 1200)
    x1 = np.column_stack([2.0 * y - 1, rng.normal(size=(1200, 11))]) + 0.3 * rng.normal(size=(1200, 12))
    x2 = rng.normal(size=(1200, 12))
    sides = aligned_pair(CanonicalCorrelation(1), (x1, x2))
    correlation = np.corrcoef(sides[1][:, 0], y)[0, 1]
    assert -0.5 * np.log2(1 - correlation**2) < 0.02  # bits of a Gaussian channel; the truth is 0


def test_an_estimate_at_hand_is_used_and_checked(task):
    pair, y = (task.x1, task.x2), task.labels["redundant"]
    first = information_retained(pair, y, task.groups, transformer=None, **EXACT)
    again = information_retained(pair, y, task.groups, transformer=Mapped(), before=first.before, **EXACT)
    pd.testing.assert_frame_equal(first.table, again.table, check_exact=True)
    with pytest.raises(InputError, match="40 replicates"):
        information_retained(
            pair, y, task.groups, transformer=Mapped(), before=first.before, **(EXACT | {"n_bootstrap": 30})
        )


def test_noise_holds_no_term_and_has_no_share():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 300, 3))
    found = information_retained(
        (x[0], x[1]), np.arange(300) % 2, transformer=Mapped(), method="cvx", n_clusters=3, n_bootstrap=40
    )
    assert found.table["before_low"].max() < LEAST_BITS
    assert found.table["kept"].isna().all()


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 4), st.integers(3, 12), st.integers(0, 1))
def test_sides_are_told_apart_or_refused(width, rows, odd):
    class Odd(Mapped):
        def transform(self, X):
            return np.zeros((rows, 2 * width + odd))

    x = np.arange(rows * 2.0).reshape(rows, 2)
    if odd:
        with pytest.raises(InputError, match="half of each side"):
            aligned_pair(Odd(), (x, x))
    else:
        assert [side.shape for side in aligned_pair(Odd(), (x, x))] == [(rows, width)] * 2


def test_an_estimator_that_does_not_split_the_synergy_is_refused(task):
    with pytest.raises(InputError, match="posterior or cvx"):
        information_retained((task.x1, task.x2), task.labels["xor"], transformer=None, method="gaussian")


def test_embeddings_must_be_finite_and_paired(task):
    broken = task.x1.copy()
    broken[3, 1] = np.nan
    for pair, message in (((broken, task.x2), "NaN"), ((task.x1[:9], task.x2), "same samples")):
        with pytest.raises(InputError, match=message):
            information_retained(pair, task.labels["xor"], transformer=Mapped(), **EXACT)
