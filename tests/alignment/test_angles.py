import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beyond_alignment.alignment.angles import principal_angles
from beyond_alignment.errors import InputError


@given(st.floats(0, 90))
def test_the_angle_of_two_lines_is_found(degrees):
    turned = np.array([[np.cos(np.radians(degrees))], [np.sin(np.radians(degrees))], [0]])
    assert principal_angles(np.eye(3)[:, :1], turned) == pytest.approx([degrees], abs=1e-5)


def test_planes_share_a_line_and_part_at_a_right_angle():
    assert principal_angles(np.eye(3)[:, :2], np.eye(3)[:, 1:]) == pytest.approx([0, 90], abs=1e-6)


def test_the_choice_of_basis_does_not_matter():
    rng = np.random.default_rng(0)
    first, second = rng.standard_normal((8, 3)), rng.standard_normal((8, 2))
    mixed = first @ rng.standard_normal((3, 3))
    assert principal_angles(mixed, second) == pytest.approx(principal_angles(first, second))
    assert principal_angles(first, mixed) == pytest.approx([0, 0, 0], abs=1e-5)


@pytest.mark.parametrize(
    ("second", "message"), [(np.eye(4)[:, :1], "4 features"), (np.zeros((3, 1)), "zeros"), (np.ones(3), "matrix")]
)
def test_bad_bases_are_refused(second, message):
    with pytest.raises(InputError, match=message):
        principal_angles(np.eye(3)[:, :2], second)
