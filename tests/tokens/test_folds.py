import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.folds import disjoint_tiles, outer_folds
from tests.tokens.fields import lattice, tiles_at


def gap(tiles, first, second):
    """Least distance between tile centres of two sides, along x or y, in microns."""
    difference = np.abs(tiles.centre_um[first][:, None] - tiles.centre_um[second][None])
    return difference.max(axis=2).min()


@settings(max_examples=5, deadline=None)
@given(stride=st.sampled_from([16.0, 24.0, 32.0]), width=st.floats(32, 62), seed=st.integers(0, 9))
def test_no_tissue_of_a_single_field_is_on_two_sides(stride, width, seed):
    tiles = tiles_at(lattice(int(480 / stride), int(400 / stride), stride), tile_um=width)
    folds = outer_folds(tiles, seed=seed)
    assert len(folds) == 4
    np.testing.assert_array_equal(np.sort(np.concatenate([fold.test for fold in folds])), np.arange(len(tiles)))
    for fold in folds:
        assert min(map(len, (fold.train, fold.validation, fold.test))) > 0
        for first, second in ((fold.train, fold.test), (fold.validation, fold.test), (fold.train, fold.validation)):
            assert gap(tiles, first, second) > width


@settings(max_examples=8, deadline=None)
@given(n_groups=st.integers(4, 12), n_folds=st.integers(2, 4), seed=st.integers(0, 99))
def test_every_group_is_on_one_side_and_is_tested_once(n_groups, n_folds, seed):
    rng = np.random.default_rng(seed)
    group = np.repeat([f"donor {number}" for number in range(n_groups)], rng.integers(1, 30, n_groups))
    tiles = tiles_at(np.zeros((len(group), 2)), group=group)
    folds = outer_folds(tiles, n_folds=n_folds, seed=seed)
    np.testing.assert_array_equal(np.sort(np.concatenate([fold.test for fold in folds])), np.arange(len(tiles)))
    for fold in folds:
        sides = [set(tiles.group[rows]) for rows in (fold.train, fold.validation, fold.test)]
        assert all(sides)
        assert sum(map(len, sides)) == len(set.union(*sides)) == n_groups
        assert sum(map(len, (fold.train, fold.validation, fold.test))) == len(tiles)


def test_the_same_seed_gives_the_same_folds():
    tiles = tiles_at(np.zeros((120, 2)), group=np.repeat([f"d{number}" for number in range(12)], 10))
    names = [[fold.name for fold in outer_folds(tiles, seed=seed)] for seed in (0, 0, 1)]
    assert names[0] == names[1] != names[2]


def test_fields_that_cannot_be_split_are_refused():
    with pytest.raises(InputError, match="4 folds cannot be made of 3 groups"):
        outer_folds(tiles_at(np.zeros((9, 2)), group=np.repeat(["a", "b", "c"], 3)))
    with pytest.raises(InputError, match="cannot be made of 2 groups: training, validation and test"):
        outer_folds(tiles_at(np.zeros((9, 2)), group=["a"] * 4 + ["b"] * 5), n_folds=2)
    with pytest.raises(InputError, match="leave no room for 4 blocks with 32 um"):
        outer_folds(tiles_at(lattice(8, 8, 8)))


def test_disjoint_tiles_are_those_that_fit_side_by_side():
    tiles = tiles_at(lattice(20, 17, 8))
    assert disjoint_tiles(tiles) == 5 * 5
    assert disjoint_tiles(tiles, np.flatnonzero(tiles.centre_um[:, 0] < 33)) == 2 * 5
    assert disjoint_tiles(tiles_at(lattice(4, 3, 32))) == 12
    assert disjoint_tiles(tiles_at(np.zeros((6, 2)), group=["a", "b"] * 3)) == 2
