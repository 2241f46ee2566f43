import numpy as np
import pytest
from beyond_alignment.information.gaussian_pid import gaussian_pid
from beyond_alignment.information.gaussian_union import gaussian_union

from beyond_alignment.errors import InputError
from beyond_alignment.information.exact import JointInformations

N = 4000


def half_log(x):
    return np.log2(x) / 2


def with_nuisance(signal, rng, n_nuisance=3):
    return np.column_stack([signal, rng.normal(size=(len(signal), n_nuisance))])


def test_two_noisy_sums_of_one_number_have_the_closed_form():
    rng = np.random.default_rng(0)
    y = rng.normal(size=N)
    x1 = with_nuisance(y + rng.normal(size=N), rng)
    x2 = with_nuisance(y + 2 * rng.normal(size=N), rng)
    found = gaussian_pid(x1, x2, y, n_bootstrap=50)
    first, second, both = half_log(1 + 1), half_log(1 + 1 / 4), half_log(1 + 1 + 1 / 4)
    assert found.pid.redundancy == pytest.approx(second, abs=0.03)
    assert found.pid.unique1 == pytest.approx(first - second, abs=0.03)
    assert found.pid.unique2 == pytest.approx(0, abs=1e-9)
    assert found.pid.synergy == pytest.approx(both - first, abs=0.03)
    assert found.pid.synergy_additive == found.pid.synergy
    assert found.pid.synergy_interaction == 0
    assert found.p_synergy < 0.05
    assert np.isnan(found.p_interaction)


def test_the_union_of_one_target_is_the_larger_information():
    first, second = np.array([[[4.0]]]), np.array([[[2.0]]])
    found = gaussian_union(first, second)
    assert found.value == pytest.approx(half_log(5), abs=1e-6)
    assert (found.gap < 1e-6).all()


def test_the_union_of_targets_apart_is_known():
    copy = np.stack([np.diag([9.0, 0]), np.diag([4.0, 1])]), np.stack([np.diag([0, 9.0]), np.diag([1.0, 4])])
    found = gaussian_union(*copy)
    np.testing.assert_allclose(found.value, [2 * half_log(10), 2 * half_log(5)], atol=1e-6)
    assert (found.gap < 1e-5).all()


def test_the_union_lies_between_its_bounds_and_is_certified():
    rng = np.random.default_rng(1)
    signal = rng.normal(size=(2, 40, 3, 3)) * 0.7
    first, second = signal.swapaxes(-1, -2) @ signal
    found = gaussian_union(first, second)
    one, two, both = (half_log(np.linalg.det(np.eye(3) + s)) for s in (first, second, first + second))
    assert (found.value >= np.maximum(one, two) - 1e-9).all()
    assert (found.value <= np.minimum(both, one + two) + 1e-9).all()
    assert (np.median(found.gap) < 1e-6) & (found.gap.max() < 0.02)


def test_copy_is_unique_and_does_not_see_xor():
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 2, (2, N))
    x1, x2 = (with_nuisance(bit + 0.3 * rng.normal(size=N), rng) for bit in (a, b))
    copy = gaussian_pid(x1, x2, 2 * a + b, n_bootstrap=20)
    assert copy.pid.redundancy < 0.01
    assert copy.pid.synergy < 0.01
    assert copy.pid.unique1 == pytest.approx(copy.pid.unique2, rel=0.1)
    xor = gaussian_pid(x1, x2, a ^ b, n_bootstrap=20)
    assert xor.pid.I12 < 0.01
    assert xor.p_synergy > 0.05


def test_the_estimate_is_consistent_and_repeats():
    rng = np.random.default_rng(3)
    x1, x2, y = rng.normal(size=(300, 5)), rng.normal(size=(300, 4)), rng.integers(0, 3, 300)
    groups = np.arange(300) % 12
    found, again = (gaussian_pid(x1, x2, y, groups, n_bootstrap=20, seed=4) for _ in range(2))
    assert found.table().equals(again.table())
    assert found.replicates.to_numpy().tobytes() == again.replicates.to_numpy().tobytes()
    informations = found.mutual_information
    assert informations == JointInformations(found.pid.I1, found.pid.I2, found.pid.I12)
    for low, high in found.intervals.values():
        assert 0 <= low <= high
    assert (found.n, found.n_groups, found.classes) == (300, 12, ("0", "1", "2"))


def test_informations_above_the_entropy_of_the_classes_are_told():
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, 400)
    x1 = np.column_stack([3 * y + 0.01 * rng.normal(size=400), rng.normal(size=400)])
    found = gaussian_pid(x1, rng.normal(size=(400, 2)), y, n_bootstrap=20)
    assert any("above the entropy" in warning for warning in found.warnings)


def test_bad_samples_are_refused():
    with pytest.raises(InputError, match="rows"):
        gaussian_pid(np.zeros((300, 2)), np.zeros((299, 2)), np.arange(300) % 2)
