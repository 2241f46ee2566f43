import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beyond_alignment.errors import InputError
from beyond_alignment.resampling import (
    default_units,
    percentile_interval,
    unit_weights,
)


def test_samples_are_drawn_one_by_one_where_nothing_is_given():
    units = default_units(None, None, 7)
    assert (units.kind, units.n_units, units.warning) == ("sample", 7, "")
    assert (unit_weights(units.n_units, n_bootstrap=20)[:, units.codes].sum(axis=1) == 7).all()


def test_ten_groups_are_drawn_whole_and_nine_are_passed_over():
    ten = default_units(np.arange(40) % 10, None, 40)
    assert (ten.kind, ten.n_units, ten.warning) == ("group", 10, "")
    nine = default_units(np.arange(40) % 9, None, 40)
    assert (nine.kind, nine.n_units) == ("sample", 40)
    assert "Fewer than 10 groups (9)" in nine.warning


def test_blocks_go_before_groups_and_few_of_them_are_told():
    blocks = np.repeat(["a", "b", "c"], 4)
    units = default_units(np.arange(12), blocks, 12)
    assert (units.kind, units.n_units) == ("block", 3)
    assert "3 blocks" in units.warning


def test_whole_units_count_together_with_mean_one():
    blocks = np.random.default_rng(0).integers(0, 30, 500)
    units = default_units(None, blocks, 500)
    weights = unit_weights(units.n_units, n_bootstrap=2000, seed=1)[:, units.codes]
    assert weights.shape == (2000, 500)
    for block in range(30):
        members = weights[:, blocks == block]
        assert (members == members[:, :1]).all()
        assert members[:, 0].mean() == pytest.approx(1, abs=0.1)
        assert members[:, 0].var() == pytest.approx(1 - 1 / 30, abs=0.15)


def test_a_seed_gives_the_same_weights_and_another_seed_others():
    first, again, other = (unit_weights(50, n_bootstrap=9, seed=s) for s in (3, 3, 4))
    assert first.tobytes() == again.tobytes()
    assert (first != other).any()


def test_fewer_replicates_are_the_first_of_more():
    np.testing.assert_array_equal(unit_weights(50, n_bootstrap=5), unit_weights(50, n_bootstrap=9)[:5])


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0.01, 0.99))
def test_the_interval_is_that_of_numpy(values, level):
    expected = np.quantile(values, [(1 - level) / 2, 1 - (1 - level) / 2])
    assert percentile_interval(values, level) == pytest.approx(tuple(expected), rel=1e-6, abs=1e-6)


def test_the_usual_interval_to_the_last_bit():
    values = np.random.default_rng(0).normal(size=999)
    assert percentile_interval(values) == tuple(np.quantile(values, [0.025, 0.975]))


@pytest.mark.parametrize(
    "call",
    [
        lambda: default_units([1, 2], None, 3),
        lambda: default_units(None, [[1], [2]], 2),
        lambda: default_units(None, [1, 1, 1], 3),
        lambda: unit_weights(5, n_bootstrap=0),
        lambda: percentile_interval([]),
        lambda: percentile_interval([1.0], 1.0),
    ],
)
def test_what_cannot_be_resampled_is_refused(call):
    with pytest.raises(InputError, match=r"pass|draw"):
        call()
