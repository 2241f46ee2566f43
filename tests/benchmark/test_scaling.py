"""Learning curves on nested, stratified subsets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beyond_alignment.benchmark.scaling import nested_order, subset
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.splits import Split


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
