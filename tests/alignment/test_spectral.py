from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import qr
from scipy.stats import ortho_group
from sklearn.cross_decomposition import CCA

from beyond_alignment.alignment import spectral_ceiling
from beyond_alignment.errors import InputError
from beyond_alignment.information import linear_embedding_task

CORRELATIONS = np.array([0.8, 0.5, 0.2])


def gaussian(n, *, seed, correlations=CORRELATIONS, dims=(5, 4)):
    """Two views whose population canonical correlations are known, behind invertible maps."""
    rng = np.random.default_rng(seed)
    z1, z2 = rng.standard_normal((n, dims[0])), rng.standard_normal((n, dims[1]))
    k = len(correlations)
    z2[:, :k] = correlations * z1[:, :k] + np.sqrt(1 - correlations**2) * z2[:, :k]
    return z1 @ rng.standard_normal((dims[0], dims[0])), z2 @ rng.standard_normal((dims[1], dims[1]))


def spectrum(x1, x2, **options):
    return spectral_ceiling(x1, x2, **{"n_permutations": 20, "n_bootstrap": 0, **options}).singular_values


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


@pytest.mark.parametrize("regularisation", ["ledoit_wolf", 0.3])
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


def test_isotropic_embeddings_still_show_what_they_share():
    rng = np.random.default_rng(0)
    x1, x2 = rng.standard_normal((200, 30)), rng.standard_normal((200, 30))
    x2[:, 0] = x1[:, 0]
    assert spectral_ceiling(x1, x2, n_bootstrap=0).effective_rank == 1


def test_what_groups_share_is_no_alignment_when_pairs_are_permuted_within_them():
    rng = np.random.default_rng(0)
    groups = np.repeat([f"donor {i}" for i in range(4)], 100)
    shift = np.repeat(3 * rng.standard_normal((4, 3)), 100, axis=0)
    x1, x2 = shift + rng.standard_normal((400, 3)), shift + rng.standard_normal((400, 3))
    options = {"n_permutations": 100, "n_bootstrap": 0}
    assert spectral_ceiling(x1, x2, **options).effective_rank >= 1
    assert spectral_ceiling(x1, x2, groups=groups, **options).effective_rank == 0


def test_constant_columns_change_nothing():
    x1, x2 = gaussian(200, seed=4)
    padded = np.insert(x1, 2, 7.3, axis=1)
    assert spectrum(padded, x2) == pytest.approx(spectrum(x1, x2))


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
        (GOOD[:2], GOOD[:2], {}, "2 rows and 3"),
        (GOOD[:, 0], GOOD, {}, "matrix"),
        (np.where(GOOD > 1, np.nan, GOOD), GOOD, {}, "NaN"),
        (np.ones((12, 2)), GOOD, {}, "x1 is constant"),
        (GOOD, GOOD, {"regularisation": -1}, "from 0 to 0.95"),
        (GOOD, GOOD, {"regularisation": "lasso"}, "lasso"),
        (GOOD, GOOD, {"n_permutations": 3}, "at least 20"),
        (GOOD, GOOD, {"groups": range(12)}, "single sample"),
        (GOOD, GOOD, {"groups": ["a"] * 12}, "one group"),
        (GOOD, GOOD, {"groups": [0, 1]}, "one value a sample"),
        (GOOD, GOOD, {"groups": [None] + ["a"] * 11}, "misses 1"),
    ],
)
def test_bad_input_is_named(x1, x2, options, message):
    with pytest.raises(InputError, match=message):
        spectral_ceiling(x1, x2, **options)
