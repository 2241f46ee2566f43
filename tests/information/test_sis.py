import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beyond_alignment.errors import InputError
from beyond_alignment.information import sis_gain
from beyond_alignment.information.exact import joint_informations
from beyond_alignment.information.gates import gate
from beyond_alignment.information.sis import sis_gain_interval, verbal_level

positive = st.floats(0.01, 100)


def gain_of(name):
    info = joint_informations(gate(name))
    return sis_gain(info.I12, info.I1, info.I2)


def test_on_informations_copy_gains_everything_and_redundancy_nothing():
    assert gain_of("copy") == pytest.approx(1)
    assert gain_of("redundant") == pytest.approx(0)
    assert gain_of("unique1") == pytest.approx(0)
    assert gain_of("sum") == pytest.approx(2)


def test_xor_has_no_ratio():
    with pytest.raises(InputError, match="no meaning"):
        gain_of("xor")


@given(positive, positive, positive, positive)
def test_the_gain_has_no_unit_and_no_order_of_modalities(joint, first, second, scale):
    gain = sis_gain(joint, first, second)
    assert gain == pytest.approx((joint - max(first, second)) / max(first, second))
    assert sis_gain(scale * joint, scale * second, scale * first) == pytest.approx(gain)


def test_arrays_go_element_by_element():
    gains = sis_gain([0.8, 0.6], [0.5, 0.4], [0.4, 0.6])
    assert gains == pytest.approx([0.6, 0.0])


def test_chance_is_taken_from_all_three():
    assert sis_gain(0.75, 0.625, 0.5, chance=0.5) == pytest.approx(1)
    assert sis_gain(0.75, 0.625, 0.5) == pytest.approx(0.2)


@pytest.mark.parametrize("scores", [(0.05, -0.1, -0.2), (0.5, 0.0, 0.0), (0.5, np.nan, 0.4), (np.inf, 0.3, 0.2)])
def test_a_ratio_without_meaning_is_refused(scores):
    with pytest.raises(InputError, match="no meaning"):
        sis_gain(*scores)


def test_scores_of_different_shapes_are_refused():
    with pytest.raises(InputError, match="one shape"):
        sis_gain([0.5, 0.6], [0.4, 0.5, 0.6], [0.4, 0.5])


def test_the_interval_holds_the_paired_replicates():
    first = np.linspace(0.4, 0.6, 201)
    result = sis_gain_interval(1.2 * first, first, first - 0.1)
    assert (result.value, result.low, result.high) == pytest.approx((0.2, 0.2, 0.2))
    assert (result.n_replicates, result.n_undefined) == (201, 0)


def test_the_value_is_the_ratio_of_means_and_the_interval_the_central_share():
    joint = np.arange(1.0, 1001.0)
    result = sis_gain_interval(joint, np.ones(1000), np.zeros(1000), level=0.9)
    assert result.value == pytest.approx(joint.mean() - 1)
    assert ((joint - 1 >= result.low) & (joint - 1 <= result.high)).mean() == pytest.approx(0.9, abs=0.003)


def test_undefined_replicates_are_counted_and_widen_the_interval():
    joint, first = np.full(100, 0.6), np.full(100, 0.5)
    few = sis_gain_interval(joint, np.where(np.arange(100) < 1, 0.0, first), np.zeros(100))
    assert few.n_undefined == 1
    assert (few.low, few.high) == pytest.approx((0.2, 0.2))
    many = sis_gain_interval(joint, np.where(np.arange(100) < 10, 0.0, first), np.zeros(100))
    assert many.n_undefined == 10
    assert (many.low, many.high) == (-np.inf, np.inf)


@pytest.mark.parametrize(("scores", "level"), [([], 0.95), ([[1.0]], 0.95), ([1.0], 1.0)])
def test_bad_replicates_are_refused(scores, level):
    with pytest.raises(InputError):
        sis_gain_interval(scores, scores, scores, level=level)


@pytest.mark.parametrize(("gain", "level"), [(0.11, "High"), (0.1, "Moderate"), (0.0, "Low"), (-3, "Low")])
def test_verbal_levels_are_those_of_the_published_code(gain, level):
    assert verbal_level(gain) == level


def test_nan_has_no_verbal_level():
    with pytest.raises(InputError):
        verbal_level(float("nan"))
