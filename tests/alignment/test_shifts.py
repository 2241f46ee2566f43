from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beyond_alignment.alignment.shifts import checked_positions, curves, hilbert_index, offsets, shift_permutations
from beyond_alignment.errors import InputError


def grid(width, height=None):
    x, y = np.meshgrid(np.arange(width), np.arange(height or width))
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(float)


def drawn(lengths, n, *, min_shift=0.1, fewest=1, seed=0):
    """Curves in row order of groups of some lengths, and permutations of them."""
    ordered = np.split(np.arange(sum(lengths)), np.cumsum(lengths)[:-1])
    rng = np.random.default_rng(seed)
    return ordered, list(shift_permutations(ordered, n, min_shift=min_shift, fewest=fewest, rng=rng))


@pytest.mark.parametrize("level", [1, 2, 3, 5])
def test_the_curve_visits_every_cell_of_a_full_grid_once_and_steps_to_a_neighbour(level):
    positions = grid(2**level)
    index = hilbert_index(positions)
    assert len(np.unique(index)) == 4**level
    steps = np.diff(positions[np.argsort(index)], axis=0)
    assert (np.abs(steps).sum(axis=1) == 1).all()
    assert tuple(positions[np.argmin(index)]) == (0, 0)


def test_the_smallest_curve_is_the_one_drawn_by_hilbert():
    assert grid(2)[np.argsort(hilbert_index(grid(2)))].tolist() == [[0, 0], [0, 1], [1, 1], [1, 0]]


@settings(max_examples=40, deadline=None)
@given(st.floats(1e-3, 1e4), st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.integers(2, 21), st.integers(2, 21))
def test_moving_and_scaling_change_no_order(scale, dx, dy, width, height):
    positions = grid(width, height)
    moved = positions * scale + scale * np.array([dx, dy])
    assert (np.argsort(hilbert_index(moved)) == np.argsort(hilbert_index(positions))).all()


def test_samples_on_a_line_stand_in_its_order():
    line = np.stack([np.random.default_rng(0).permutation(50), np.zeros(50)], axis=1)
    (curve,) = curves(line, np.zeros(50, dtype=int))
    assert (np.diff(line[curve, 0]) == 1).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.floats(0, 0.49), st.integers(0, 100))
def test_every_group_is_turned_by_one_offset_that_is_far_enough_from_none(lengths, min_shift, seed):
    ordered, permutations = drawn(lengths, 8, min_shift=min_shift, seed=seed)
    for permutation in permutations:
        for curve in ordered:
            assert sorted(permutation[curve]) == list(curve)
            turn = np.unique((permutation[curve] - curve) % len(curve))
            assert len(turn) == 1
            if len(offsets(len(curve), min_shift=min_shift)):
                assert min(turn[0], len(curve) - turn[0]) >= max(1, min_shift * len(curve) - 1e-9)
            else:
                assert turn[0] == 0


def test_groups_are_turned_independently():
    ordered, permutations = drawn([20, 20], 400)
    turns = np.array([[permutation[curve[0]] - curve[0] for curve in ordered] for permutation in permutations])
    assert set(turns[:, 0]) == set(range(2, 19))
    assert abs(np.corrcoef(turns.T)[0, 1]) < 0.2


def test_where_few_shifts_differ_each_comes_once():
    _, permutations = drawn([30], 200)
    assert len(permutations) == len({tuple(p) for p in permutations}) == 25


def test_too_many_shifts_to_number_are_drawn_one_by_one():
    ordered, permutations = drawn([50] * 40, 3)
    assert len(permutations) == 3
    assert len({tuple(p) for p in permutations}) == 3
    assert len(ordered) == 40


def test_groups_have_frames_of_their_own():
    positions = np.concatenate([grid(8), 1000 * grid(8) - 5000])
    first, second = curves(positions, np.repeat([0, 1], 64))
    assert (second - 64 == first).all()


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        (np.zeros((9, 2)), r"\(9, 2\) for 10 samples"),
        (np.zeros((10, 3)), "one \\(x, y\\)"),
        (np.full((10, 2), np.nan), "NaN"),
    ],
)
def test_positions_that_cannot_be_used_are_named(positions, message):
    with pytest.raises(InputError, match=message):
        checked_positions(positions, n=10)


def test_a_group_at_one_position_has_no_order():
    with pytest.raises(InputError, match="4 samples at one position"):
        curves(np.repeat([[0.0, 1.0], [5.0, 5.0]], 4, axis=0), np.repeat([0, 1], 4))


@pytest.mark.parametrize(("min_shift", "message"), [(0.5, "below 0.5"), (-0.1, "from 0"), (0.1, "25 different shifts")])
def test_shifts_that_leave_no_null_are_refused(min_shift, message):
    with pytest.raises(InputError, match=message):
        list(islice(shift_permutations([np.arange(30)], 5, min_shift=min_shift, fewest=26, rng=None), 1))
