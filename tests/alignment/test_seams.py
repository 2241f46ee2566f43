import numpy as np
import pytest

from beyond_alignment.alignment.seams import seam_factor
from beyond_alignment.alignment.shifts import curves, offsets, shifted
from beyond_alignment.alignment.spectral import spectral_ceiling

WIDTH, SECTIONS = 20, 4
N = WIDTH**2
PLACES = np.stack(np.meshgrid(np.arange(WIDTH), np.arange(WIDTH)), axis=-1).reshape(-1, 2).astype(float)
POSITIONS = np.tile(PLACES, (SECTIONS, 1))
GROUPS = np.repeat(np.arange(SECTIONS), N)
SQUARED = ((PLACES[:, None] - PLACES[None]) ** 2).sum(axis=2)


def covariance(length):
    """Gaussian covariance between spots of a section whose length scale is in spots."""
    return np.exp(-SQUARED / (2 * length**2)) + 1e-6 * np.eye(N)


def fields(n_features, rng, root):
    """Independent smooth Gaussian fields in every section, stacked (spot, feature)."""
    return np.concatenate([root @ rng.standard_normal((N, n_features)) for _ in range(SECTIONS)])


@pytest.mark.parametrize("length", [1.0, 3.0])
def test_the_factor_is_that_of_the_known_covariance(length):
    centring = np.eye(N) - 1 / N
    within = centring @ covariance(length) @ centring
    (curve,) = curves(PLACES, np.zeros(N, dtype=int))
    ordered = within[np.ix_(curve, curve)]
    places = np.arange(N)
    torn = np.mean(
        [
            (ordered * ordered[np.ix_(moved, moved)]).sum()
            for moved in (shifted(places, k) for k in offsets(N, min_shift=0.1)[::20])
        ]
    )
    exact = np.sqrt((within**2).sum() / torn)
    rng = np.random.default_rng(0)
    root = np.linalg.cholesky(covariance(length))
    z1, z2 = (fields(5, rng, root) for _ in range(2))
    z1, z2 = ((z.reshape(SECTIONS, N, -1) - z.reshape(SECTIONS, N, -1).mean(1, keepdims=True)) for z in (z1, z2))
    found = seam_factor(z1.reshape(-1, 5), z2.reshape(-1, 5), POSITIONS, curves(POSITIONS, GROUPS), min_shift=0.1)
    assert 1.15 < exact < 1.3
    assert found == pytest.approx(exact, abs=0.12)


def test_white_noise_has_no_seams():
    rng = np.random.default_rng(0)
    z1, z2 = rng.standard_normal((2, SECTIONS * N, 4))
    assert seam_factor(z1, z2, POSITIONS, curves(POSITIONS, GROUPS), min_shift=0.1) == pytest.approx(1, abs=0.02)


def test_groups_too_small_to_shift_have_no_seams():
    z1, z2 = np.random.default_rng(0).standard_normal((2, 6, 2))
    pairs = [np.array([0, 1]), np.array([2]), np.array([3, 4]), np.array([5])]
    assert seam_factor(z1, z2, PLACES[:6], pairs, min_shift=0.1) == 1


def test_independent_smooth_tissue_passes_for_shared_under_spot_permutation_and_not_under_shifts():
    root = np.linalg.cholesky(covariance(2.0))
    options = {"groups": GROUPS, "n_permutations": 40, "n_bootstrap": 0, "n_folds": 0}
    spots, shifts = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        x1, x2 = fields(4, rng, root), fields(4, rng, root)
        spots.append(spectral_ceiling(x1, x2, **options).p_value <= 0.05)
        shifts.append(spectral_ceiling(x1, x2, positions=POSITIONS, **options).p_value <= 0.05)
    assert np.mean(spots) > 0.9
    assert np.mean(shifts) <= 0.2


def test_shifts_still_find_a_smooth_component_that_is_shared():
    root = np.linalg.cholesky(covariance(2.0))
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x1, x2, shared = fields(4, rng, root), fields(4, rng, root), fields(1, rng, root)[:, 0]
        x1[:, 0] += 1.5 * shared
        x2[:, 1] += 1.5 * shared
        found = spectral_ceiling(
            x1, x2, groups=GROUPS, positions=POSITIONS, n_permutations=40, n_bootstrap=0, n_folds=4
        )
        assert found.effective_rank == 1
        assert found.p_value == pytest.approx(1 / 41)
        assert found.held_out_ceiling > 0.2
