from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import qr
from scipy.stats import ortho_group
from sklearn.cross_decomposition import CCA

from beyond_alignment.alignment.spectral import spectral_ceiling
from beyond_alignment.errors import InputError
from beyond_alignment.simulate import linear_embedding_task

CORRELATIONS = np.array([0.8, 0.5, 0.2])


def gaussian(n, *, seed, correlations=CORRELATIONS, dims=(5, 4)):
    """Two views whose population canonical correlations are known, behind invertible maps."""
    rng = np.random.default_rng(seed)
    z1, z2 = rng.standard_normal((n, dims[0])), rng.standard_normal((n, dims[1]))
    k = len(correlations)
    z2[:, :k] = correlations * z1[:, :k] + np.sqrt(1 - correlations**2) * z2[:, :k]
    return z1 @ rng.standard_normal((dims[0], dims[0])), z2 @ rng.standard_normal((dims[1], dims[1]))


def spectrum(x1, x2, **options):
    return spectral_ceiling(x1, x2, **{"n_permutations": 20, "n_bootstrap": 0, "n_folds": 0, **options}).singular_values


def test_large_samples_reach_the_population_correlations():
    result = spectral_ceiling(*gaussian(100_000, seed=0), regularisation=0, n_permutations=40, n_bootstrap=0)
    assert result.singular_values[:3] == pytest.approx(CORRELATIONS, abs=0.01)
    assert result.ceiling == pytest.approx((CORRELATIONS**2).sum(), abs=0.01)
    assert result.effective_rank == 3


def test_unregularised_values_are_those_of_the_qr_definition_and_of_sklearn():
    x1, x2 = gaussian(400, seed=1)
    q1, q2 = (qr(x - x.mean(axis=0), mode="economic")[0] for x in (x1, x2))
    values = spectrum(x1, x2, regularisation=0)
    assert values == pytest.approx(np.linalg.svd(q1.T @ q2, compute_uv=False), abs=1e-8)
    scores = CCA(n_components=3, max_iter=5000, tol=1e-12).fit(x1, x2).transform(x1, x2)
    fitted = [np.corrcoef(a, b)[0, 1] for a, b in zip(scores[0].T, scores[1].T, strict=True)]
    assert values[:3] == pytest.approx(fitted, abs=1e-4)


def test_the_interval_covers_the_population_ceiling_which_the_plain_sum_overstates():
    truth, covered, overstated = (CORRELATIONS**2).sum(), 0, 0
    for seed in range(20):
        x1, x2 = gaussian(150, seed=seed, dims=(10, 10))
        result = spectral_ceiling(x1, x2, regularisation=0, n_permutations=20, n_bootstrap=60)
        covered += result.interval[0] <= truth <= result.interval[1]
        overstated += result.ceiling > truth
    assert covered >= 17
    assert overstated == 20


def test_xor_has_no_ceiling_beyond_noise():
    task = linear_embedding_task("xor", n=2000, seed=0)
    result = spectral_ceiling(task.x1, task.x2, groups=task.groups, n_bootstrap=0)
    assert result.effective_rank == 0
    assert abs(result.excess) < 0.03
    assert result.p_value > 0.05


def test_a_shared_bit_is_found_at_its_correlation_and_nothing_else_is():
    task = linear_embedding_task("mixed", n=5000, noise=0.5, seed=0)
    result = spectral_ceiling(task.x1, task.x2, groups=task.groups, n_permutations=100, n_bootstrap=50)
    assert result.effective_rank == 1
    assert result.singular_values[0] == pytest.approx(1 / 1.25, abs=0.02)
    assert result.interval[0] < result.excess < result.interval[1]
    assert result.p_value == pytest.approx(1 / 101)


def test_the_threshold_holds_its_level():
    rng = np.random.default_rng(0)
    above = [
        spectral_ceiling(rng.normal(size=(100, 5)), rng.normal(size=(100, 5)), n_permutations=60, n_bootstrap=0, seed=s)
        for s in range(100)
    ]
    assert sum(r.effective_rank > 0 for r in above) <= 12


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_invertible_maps_change_nothing_without_regularisation(seed):
    x1, x2 = gaussian(300, seed=2)
    rng = np.random.default_rng(seed)
    mapped = x1 @ (np.eye(5) + 0.2 * rng.standard_normal((5, 5))) + rng.standard_normal(5)
    assert spectrum(mapped, 3 * x2, regularisation=0) == pytest.approx(spectrum(x1, x2, regularisation=0), abs=1e-6)


@pytest.mark.parametrize("regularisation", ["by_size", "ledoit_wolf", 0.3])
def test_rotations_change_nothing_with_regularisation(regularisation):
    x1, x2 = gaussian(60, seed=3)
    rotated = x1 @ ortho_group.rvs(5, random_state=0)
    options = {"regularisation": regularisation}
    assert spectrum(rotated, x2, **options) == pytest.approx(spectrum(x1, x2, **options), abs=1e-10)


@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_shrinkage_keeps_the_null_below_one_where_features_are_as_many_as_samples(decay):
    rng = np.random.default_rng(0)
    scale = np.arange(1, 51) ** -decay
    x1, x2 = (rng.standard_normal((60, 50)) * scale for _ in range(2))
    result = spectral_ceiling(x1, x2, n_bootstrap=0)
    assert result.threshold < 0.9
    assert result.effective_rank == 0
    with pytest.raises(InputError, match="ledoit_wolf"):
        spectral_ceiling(x1, x2, regularisation=0)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100), st.floats(0.01, 0.9))
def test_regularised_values_are_correlations(seed, regularisation):
    rng = np.random.default_rng(seed)
    x1 = rng.standard_normal((10, 12))
    assert spectrum(x1, -x1, regularisation=regularisation).max() <= 1 + 1e-12


def test_white_embeddings_keep_the_correlation_they_share():
    rng = np.random.default_rng(0)
    x1, x2 = rng.standard_normal((2000, 30)), rng.standard_normal((2000, 30))
    x2[:, 0] = x1[:, 0]
    found = spectral_ceiling(x1, x2, n_bootstrap=0)
    assert found.effective_rank == 1
    assert found.singular_values[0] > 0.99
    assert found.excess == pytest.approx(1, abs=0.1)
    assert found.held_out_ceiling == pytest.approx(1, abs=0.1)
    assert spectrum(x1, x2, regularisation="ledoit_wolf")[0] < 0.2


@pytest.mark.parametrize(("n", "dims"), [(60, (3, 8)), (60, (20, 30)), (200, (40, 10))])
def test_the_mean_under_permutation_is_that_of_pillai(n, dims):
    x1, x2 = gaussian(n, seed=0, correlations=np.zeros(0), dims=dims)
    found = spectral_ceiling(x1, x2, regularisation=0, n_permutations=300, n_bootstrap=0, n_folds=0)
    assert found.null_ceiling == pytest.approx(dims[0] * dims[1] / (n - 1), rel=0.03)


@pytest.mark.parametrize("dims", [(40, 40), (20, 120)])
def test_the_threshold_lies_at_the_edge_of_wachter(dims):
    x1, x2 = gaussian(400, seed=0, correlations=np.zeros(0), dims=dims)
    c1, c2 = np.array(dims) / 399
    edge = np.sqrt(c1 * (1 - c2)) + np.sqrt(c2 * (1 - c1))
    found = spectral_ceiling(x1, x2, regularisation=0, n_permutations=60, n_bootstrap=0, n_folds=0)
    assert found.threshold == pytest.approx(edge, abs=0.02)


def test_excess_falls_short_of_the_population_by_the_share_of_both_sizes():
    n, dims = 300, (30, 15)
    found = [
        spectral_ceiling(*gaussian(n, seed=s, dims=dims), regularisation=0, n_bootstrap=0, n_folds=0, n_permutations=40)
        for s in range(15)
    ]
    expected = (CORRELATIONS**2).sum() * np.prod(1 - np.array(dims) / n)
    assert np.mean([f.excess for f in found]) == pytest.approx(expected, abs=0.05)


def test_what_groups_share_is_no_alignment_when_pairs_are_permuted_within_them():
    rng = np.random.default_rng(0)
    groups = np.repeat([f"donor {i}" for i in range(4)], 100)
    shift = np.repeat(3 * rng.standard_normal((4, 3)), 100, axis=0)
    x1, x2 = shift + rng.standard_normal((400, 3)), shift + rng.standard_normal((400, 3))
    options = {"n_permutations": 100, "n_bootstrap": 0}
    assert spectral_ceiling(x1, x2, **options).effective_rank >= 1
    assert spectral_ceiling(x1, x2, groups=groups, **options).effective_rank == 0


def test_offsets_of_groups_hide_what_is_shared_inside_them_until_they_are_taken_out():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(6), 80)
    offset, shared = 5 * rng.standard_normal((6, 3))[groups], rng.standard_normal((480, 1))
    x1, x2 = (offset + rng.standard_normal((480, 3)) + shared * [0, 1, 0] for _ in range(2))
    options = {"groups": groups, "n_permutations": 60, "n_bootstrap": 0}
    plain, within = (spectral_ceiling(x1, x2, within_groups=w, **options) for w in (False, True))
    assert plain.effective_rank == 0
    assert within.effective_rank == 1
    assert within.singular_values[0] == pytest.approx(0.5, abs=0.1)
    assert within.held_out_ceiling == pytest.approx(0.25, abs=0.1)


def test_constant_columns_change_nothing():
    x1, x2 = gaussian(200, seed=4)
    padded = np.insert(x1, 2, 7.3, axis=1)
    assert spectrum(padded, x2) == pytest.approx(spectrum(x1, x2))


def test_duplicated_features_change_nothing_without_regularisation_and_little_with_it():
    x1, x2 = gaussian(200, seed=4)
    doubled = np.hstack([x1, x1[:, :2]])
    assert spectrum(doubled, x2, regularisation=0) == pytest.approx(spectrum(x1, x2, regularisation=0), abs=1e-9)
    assert spectrum(doubled, x2) == pytest.approx(spectrum(x1, x2), abs=0.05)


def test_the_same_embedding_behind_a_map_correlates_wholly():
    x1, _ = gaussian(100, seed=5)
    x2 = x1 @ np.random.default_rng(6).standard_normal((5, 5))
    found = spectral_ceiling(x1, x2, regularisation=0, n_permutations=40, n_bootstrap=30)
    assert found.singular_values == pytest.approx(np.ones(5), abs=1e-9)
    assert found.effective_rank == 5
    assert 4.5 < found.interval[0] <= found.interval[1] <= 5
    assert 4 < found.held_out_ceiling <= 5


@pytest.mark.parametrize("options", [{}, {"groups": np.repeat([0, 1, 2], 20)}, {"positions": "grid"}])
def test_more_features_than_samples_give_no_alarm_and_a_held_out_ceiling_at_zero(options):
    rng = np.random.default_rng(1)
    if options.get("positions") is not None:
        options = {"positions": np.stack([np.arange(60) % 8, np.arange(60) // 8], axis=1)}
    x1, x2 = rng.standard_normal((2, 60, 100))
    found = spectral_ceiling(x1, x2, n_permutations=40, n_bootstrap=10, **options)
    assert found.p_value > 0.05
    assert found.singular_values[0] < 1
    assert abs(found.held_out_ceiling) < 0.3
    assert 0 <= found.interval[0] <= found.interval[1] <= 59


def test_ten_samples_are_enough_to_be_told_that_they_show_nothing():
    rng = np.random.default_rng(2)
    found = spectral_ceiling(*rng.standard_normal((2, 10, 3)), n_permutations=50, n_bootstrap=20)
    assert found.effective_rank == 0
    assert found.held_out_interval[0] < 0


def test_few_spots_are_shifted_in_every_way_once():
    rng = np.random.default_rng(3)
    places = np.stack([np.arange(30), np.zeros(30)], axis=1)
    found = spectral_ceiling(*rng.standard_normal((2, 30, 2)), positions=places, n_bootstrap=0)
    assert found.n_permutations == 25
    assert found.p_value >= 1 / 26


def test_the_seed_decides_everything():
    x1, x2 = gaussian(80, seed=5)
    one, two = (spectral_ceiling(x1, x2, seed=6, n_permutations=20, n_bootstrap=20) for _ in range(2))
    assert (one.threshold, one.interval, one.p_value) == (two.threshold, two.interval, two.p_value)
    with pytest.raises(FrozenInstanceError):
        one.ceiling = 0


GOOD = np.random.default_rng(9).standard_normal((12, 2))


@pytest.mark.parametrize(
    ("x1", "x2", "options", "message"),
    [
        (GOOD, GOOD[:-1], {}, "12 rows and x2 has 11"),
        (GOOD[:9], GOOD[:9], {}, "9 rows and 10"),
        (GOOD[:, 0], GOOD, {}, "matrix"),
        (np.where(GOOD > 1, np.nan, GOOD), GOOD, {}, "NaN"),
        (np.where(GOOD > 1, -np.inf, GOOD), GOOD, {}, "infinite"),
        (np.ones((12, 2)), GOOD, {}, "x1 is constant"),
        (GOOD, GOOD, {"regularisation": -1}, "from 0 to 0.95"),
        (GOOD, GOOD, {"regularisation": "lasso"}, "lasso"),
        (GOOD, GOOD, {"n_permutations": 3}, "at least 20"),
        (GOOD, GOOD, {"groups": range(12)}, "single sample"),
        (GOOD, GOOD, {"groups": ["a"] * 12}, "one group"),
        (GOOD, GOOD, {"groups": [0, 1]}, "one value a sample"),
        (GOOD, GOOD, {"within_groups": True}, "there are no groups"),
        (GOOD, GOOD, {"n_folds": 1}, "from 2 to 6"),
        (GOOD, GOOD, {"n_folds": 7}, "7 folds"),
        (GOOD, GOOD, {"positions": GOOD[:5]}, "one .x, y. a sample"),
        (GOOD, GOOD, {"positions": GOOD}, "9 different shifts"),
        (GOOD, GOOD, {"positions": GOOD, "min_shift": 0.6}, "below 0.5"),
        (GOOD, GOOD, {"positions": np.ones((12, 2))}, "at one position"),
        (GOOD, GOOD, {"groups": [None] + ["a"] * 11}, "misses 1"),
    ],
)
def test_bad_input_is_named(x1, x2, options, message):
    with pytest.raises(InputError, match=message):
        spectral_ceiling(x1, x2, **options)
