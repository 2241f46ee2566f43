"""The estimators of the field: counts of clusters, and jointly Gaussian variables."""

import numpy as np
import pytest

from beyond_alignment.information.comparison import gaussian_union, leading_components
from beyond_alignment.information.estimate import estimate_pid
from beyond_alignment.information.exact import PID, broja
from beyond_alignment.information.gates import gate
from beyond_alignment.information.samples import Centred
from beyond_alignment.resampling import unit_weights

PARTS = tuple(PID.__dataclass_fields__)[:6]
N = 4000


def cvx(x1, x2, y, groups=None, *, n_bootstrap=20, **options):
    return estimate_pid(x1, x2, y, groups, method="cvx", n_null=0, n_bootstrap=n_bootstrap, **options)


def gaussian(x1, x2, y, groups=None, *, n_bootstrap=20, **options):
    return estimate_pid(x1, x2, y, groups, method="gaussian", n_null=0, n_bootstrap=n_bootstrap, **options)


def test_components_of_features_that_do_not_vary_are_left_out():
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(size=(50, 2)), np.ones(50)])
    found = leading_components(Centred(np.hstack([x, x]), None), 10, whiten=True)
    assert found.shape == (50, 2)
    np.testing.assert_allclose(np.cov(found.T), np.eye(2), atol=1e-6)


# -------------------------------------------------------------------------------------------- clusters and counts


def one_hot(name, n=400):
    """As many samples of each state as the gate has, sources as one-hot columns."""
    states = np.repeat(np.arange(gate(name).size), np.round(n * gate(name).ravel()).astype(int))
    i, j, y = np.unravel_index(np.random.default_rng(0).permutation(states), gate(name).shape)
    return np.eye(2)[i], np.eye(2)[j], y


def table_of(x1, x2, y, weights=None):
    counts = np.zeros((2, 2, y.max() + 1))
    np.add.at(counts, (x1.argmax(axis=1), x2.argmax(axis=1), y), 1 if weights is None else weights)
    return counts / counts.sum()


@pytest.mark.parametrize("name", ["xor", "and", "sum", "copy", "noisy_views"])
def test_sources_of_few_states_give_the_decomposition_of_their_table(name):
    x1, x2, y = one_hot(name)
    found, exact = cvx(x1, x2, y), broja(table_of(x1, x2, y))
    for part in PARTS:
        assert getattr(found.pid, part) == pytest.approx(getattr(exact, part), abs=1e-5)
    assert found.pid.gap < 1e-6
    assert not any("exaggerated" in warning for warning in found.warnings)


def test_groups_are_the_weighted_mean_of_their_own_tables():
    # Halves of each bit in every group, so that what is centred within groups is the bit in all of them.
    sizes = {"xor": 400, "unique1": 200, "and": 600}
    pieces = [one_hot(name, size) for name, size in sizes.items()]
    x1, x2, y = (np.concatenate(part) for part in zip(*pieces, strict=True))
    groups = np.repeat(list(sizes), list(sizes.values()))
    found = cvx(x1, x2, y, groups, seed=3)
    every = np.vstack([np.ones(len(y)), unit_weights(len(y), n_bootstrap=20, seed=3)[:4]])
    expected = np.zeros((5, 8))
    for row, weights in zip(expected, every, strict=True):
        for name in sizes:
            held = groups == name
            exact = broja(table_of(x1[held], x2[held], y[held], weights[held]))
            share = weights[held].sum() / weights.sum()
            row += share * np.array([*(getattr(exact, part) for part in PARTS), exact.I1, exact.I12])
    terms = [*PARTS, "I1", "I12"]
    np.testing.assert_allclose([found.value(term) for term in terms], expected[0], atol=1e-5)
    np.testing.assert_allclose(found.replicates.loc[:3, terms], expected[1:], atol=5e-4)


def test_what_only_the_group_tells_is_nothing():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(4), 200)
    y = (rng.random(800) < np.array([0.1, 0.4, 0.6, 0.9])[groups]).astype(int)
    x1, x2 = (5 * rng.normal(size=(4, 2))[groups] + rng.normal(size=(800, 2)) for _ in range(2))
    within, over_all = (cvx(x1, x2, y, g, n_clusters=3) for g in (groups, None))
    assert within.mutual_information.I12 < 0.05  # the excess of counts
    assert over_all.mutual_information.I12 > 0.2


def test_synergy_of_gates_is_certain_and_its_part_is_told():
    xor, copy = (cvx(*one_hot(name), n_bootstrap=100) for name in ("xor", "copy"))
    assert xor.p_synergy == xor.p_interaction == pytest.approx(1 / 101)
    assert xor.sis == pytest.approx(1, abs=1e-3)
    assert copy.p_synergy > 0.05
    assert cvx(*one_hot("and"), n_bootstrap=100).p_interaction > 0.05


def test_counts_of_many_clusters_invent_synergy_that_the_interval_takes_off():
    rng = np.random.default_rng(1)
    x1, x2, y = rng.normal(size=(1000, 12)), rng.normal(size=(1000, 12)), rng.integers(0, 2, 1000)
    found = cvx(x1, x2, y, n_bootstrap=100, n_clusters=8)
    assert found.synergy_raw > 0.03
    assert found.intervals["synergy"][0] == 0
    assert found.p_synergy > 0.05
    assert any("exaggerated" in warning for warning in found.warnings)


def test_blocks_are_resampled_whole_and_a_seed_gives_the_same_bytes():
    rng = np.random.default_rng(2)
    y = rng.integers(0, 3, 600)
    x1, x2 = rng.normal(size=(600, 6)) + y[:, None], rng.normal(size=(600, 6)) - y[:, None]
    blocks = np.arange(600) // 50
    found, again = (cvx(x1, x2, y, blocks=blocks, seed=3, n_clusters=6) for _ in range(2))
    assert found.replicates.to_numpy().tobytes() == again.replicates.to_numpy().tobytes()
    apart = cvx(x1, x2, y, seed=3, n_clusters=6)
    assert apart.pid == found.pid
    assert not apart.replicates.equals(found.replicates)
    assert (found.resampled, apart.resampled) == ("block", "sample")


# ----------------------------------------------------------------------------------------------- jointly Gaussian


def half_log(x):
    return np.log2(x) / 2


def with_nuisance(signal, rng, n_nuisance=3):
    return np.column_stack([signal, rng.normal(size=(len(signal), n_nuisance))])


@pytest.mark.parametrize("shift", [None, 20.0])
def test_two_noisy_sums_of_one_number_have_the_closed_form_within_groups_too(shift):
    rng = np.random.default_rng(0)
    groups = np.arange(N) % 5
    y = rng.normal(size=N)
    x1 = with_nuisance(y + rng.normal(size=N), rng)
    x2 = with_nuisance(y + 2 * rng.normal(size=N), rng)
    moves = (shift or 0.0) * rng.normal(size=(5, 3))[groups]
    found = gaussian(
        x1 + moves[:, :1],
        x2 + moves[:, 1:2],
        y + moves[:, 2] / 20,
        None if shift is None else groups,
        n_bootstrap=50,
    )
    first, second, both = half_log(1 + 1), half_log(1 + 1 / 4), half_log(1 + 1 + 1 / 4)
    assert found.pid.redundancy == pytest.approx(second, abs=0.03)
    assert found.pid.unique1 == pytest.approx(first - second, abs=0.03)
    assert found.pid.unique2 == pytest.approx(0, abs=1e-9)
    assert found.pid.synergy == pytest.approx(both - first, abs=0.03)
    assert found.pid.synergy_additive == found.pid.synergy
    assert found.pid.synergy_interaction == 0
    assert found.p_synergy < 0.05
    assert np.isnan(found.p_interaction)


def test_groups_are_the_same_as_residuals_within_them():
    rng = np.random.default_rng(6)
    groups, noise = np.repeat(np.arange(3), 200), rng.normal(size=(600, 6))
    y = noise[:, 0] + 0.3 * groups
    x1, x2 = (noise[:, [0, k]] + noise[:, k + 1 : k + 3] + 5 * rng.normal(size=(3, 2))[groups] for k in (1, 3))
    left = [Centred(x, groups)[np.arange(600)] for x in (x1, x2)]
    means = np.array([y[groups == g].mean() for g in range(3)])
    found, residual = gaussian(x1, x2, y, groups), gaussian(*left, y - means[groups])
    for name in ("I1", "I2", "I12", "synergy_raw"):
        assert found.value(name) == pytest.approx(residual.value(name), abs=1e-4)


def test_the_union_of_one_target_is_the_larger_information():
    value, gap = gaussian_union(np.array([[[4.0]]]), np.array([[[2.0]]]))
    assert value == pytest.approx(half_log(5), abs=1e-6)
    assert (gap < 1e-6).all()


def test_the_union_of_targets_apart_is_known():
    copy = np.stack([np.diag([9.0, 0]), np.diag([4.0, 1])]), np.stack([np.diag([0, 9.0]), np.diag([1.0, 4])])
    value, gap = gaussian_union(*copy)
    np.testing.assert_allclose(value, [2 * half_log(10), 2 * half_log(5)], atol=1e-6)
    assert (gap < 1e-5).all()


def test_the_union_lies_between_its_bounds_and_is_certified():
    rng = np.random.default_rng(1)
    signal = rng.normal(size=(2, 40, 3, 3)) * 0.7
    first, second = signal.swapaxes(-1, -2) @ signal
    value, gap = gaussian_union(first, second)
    one, two, both = (half_log(np.linalg.det(np.eye(3) + s)) for s in (first, second, first + second))
    assert (value >= np.maximum(one, two) - 1e-9).all()
    assert (value <= np.minimum(both, one + two) + 1e-9).all()
    assert (np.median(gap) < 1e-6) & (gap.max() < 0.02)


def test_copy_is_unique_and_xor_is_not_seen():
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 2, (2, N))
    x1, x2 = (with_nuisance(bit + 0.3 * rng.normal(size=N), rng) for bit in (a, b))
    copy = gaussian(x1, x2, 2 * a + b)
    assert copy.pid.redundancy < 0.01
    assert copy.pid.synergy < 0.01
    assert copy.pid.unique1 == pytest.approx(copy.pid.unique2, rel=0.1)
    xor = gaussian(x1, x2, a ^ b)
    assert xor.pid.I12 < 0.01
    assert xor.p_synergy > 0.05


def test_informations_above_the_entropy_of_the_classes_are_told():
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, 400)
    x1 = np.column_stack([3 * y + 0.01 * rng.normal(size=400), rng.normal(size=400)])
    found = gaussian(x1, rng.normal(size=(400, 2)), y)
    assert any("above the entropy" in warning for warning in found.warnings)
