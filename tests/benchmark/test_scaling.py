"""Learning curves on nested, stratified subsets."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beyond_alignment.benchmark import Contest, learning_curves, nested_order, subset, summarise_curves
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.labels import set_labels
from beyond_alignment.tasks.splits import Split
from tests.tissue import make_tissue


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 99), shares=st.lists(st.integers(5, 60), min_size=2, max_size=4))
def test_every_prefix_holds_the_classes_in_proportion(seed, shares):
    labels = np.repeat(np.array(list("abcd"[: len(shares)]), dtype=object), shares)
    order = nested_order(labels, seed=seed)
    assert sorted(order) == list(range(len(labels)))
    for size in (len(labels) // 3, len(labels) // 2):
        for name, share in zip("abcd", shares, strict=False):
            assert abs(np.sum(labels[order[:size]] == name) - size * share / len(labels)) <= len(shares)


def test_smaller_subsets_lie_within_larger_ones_and_keep_the_test_part():
    labels = np.array(["a"] * 150 + ["b"] * 50, dtype=object)
    split = Split("x", np.arange(0, 160), np.arange(160, 200))
    parts = [subset(split, labels, fraction=f, seed=1) for f in (0.05, 0.3, 1.0)]
    assert set(parts[0].train) < set(parts[1].train) < set(parts[2].train)
    assert np.array_equal(parts[2].train, split.train)
    assert all(np.array_equal(part.test, split.test) for part in parts)


def test_the_smallest_subset_still_has_two_classes():
    labels = np.array(["a"] * 990 + ["b"] * 10, dtype=object)
    part = subset(Split("x", np.arange(1000), np.arange(0)), labels, fraction=0.001, seed=0)
    assert set(labels[part.train]) == {"a", "b"}


def test_a_fraction_out_of_range_is_refused():
    with pytest.raises(InputError, match="fraction"):
        subset(Split("x", np.arange(4), np.arange(0)), np.array(["a", "b"] * 2), fraction=0.0, seed=0)


def test_more_training_spots_help_where_there_is_something_to_learn():
    adata = make_tissue(side=12)
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, adata.n_obs)
    adata.obsm["X_pca"] = 0.5 * np.outer(2 * label - 1, np.ones(4)) + rng.normal(size=(adata.n_obs, 4))
    adata.obsm["X_colour_200um"] = rng.normal(size=(adata.n_obs, 4))
    set_labels(adata, "niche", np.array(["a", "b"])[label])
    contests = [Contest("niche", "section", "expression_only", "pca", "colour_200um", seed=s) for s in range(4)]
    curves = learning_curves({"her2st": adata}, contests, fractions=(0.03, 1.0), n_jobs=1)
    table = summarise_curves(curves, metric="macro_f1").set_index("fraction")
    assert table.loc[1.0, "mean"] > table.loc[0.03, "mean"] + 0.05
    assert table.loc[1.0, "n_seeds"] == 4
    assert table.loc[1.0, "n_train"] == pytest.approx(288)


def test_the_interval_is_that_of_the_mean_over_seeds():
    draws = [np.linspace(0, 1, 101), np.linspace(0, 1, 101) + 1]
    curves = pd.DataFrame(
        {"task": "t", "split": "s", "method": "m", "fraction": 1.0, "seed": [0, 1], "metric": "f", "n_train": 9}
    ).assign(value=[0.5, 1.5], draws=draws)
    row = summarise_curves(curves, metric="f").iloc[0]
    assert (row["mean"], row["low"], row["high"]) == (1.0, pytest.approx(0.525), pytest.approx(1.475))
    assert row["seed_sd"] == pytest.approx(np.sqrt(0.5))
