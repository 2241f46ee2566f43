import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from beyond_alignment.information.known_truth import SCENARIOS, draw
from beyond_alignment.information.known_truth.curves import arm_points, default_turns
from beyond_alignment.information.known_truth.draw import symbol_coordinates
from beyond_alignment.information.known_truth.injection import injective_map


@pytest.mark.parametrize("n_arms", [2, 3, 4, 5])
def test_arms_interleave_and_never_touch(n_arms):
    positions = np.linspace(0, 1, 400)
    arms = [
        arm_points(np.full(400, arm), positions, n_arms=n_arms, turns=default_turns(n_arms)) for arm in range(n_arms)
    ]
    apart = min(np.linalg.norm(a[:, None] - b[None], axis=2).min() for i, a in enumerate(arms) for b in arms[i + 1 :])
    along = np.linalg.norm(np.diff(arms[0], axis=0), axis=1)
    assert apart > 0.25
    assert along.sum() > 6 * apart
    assert along.std() < 0.01 * along.mean()
    assert np.concatenate(arms).var(axis=0) == pytest.approx(np.ones(2), rel=0.15)


def test_a_single_curve_never_meets_itself():
    positions = np.linspace(0, 1, 400)
    points = arm_points(np.zeros(400, dtype=np.int64), positions, n_arms=1, turns=default_turns(1))
    far = np.abs(positions[:, None] - positions[None]) > 0.1
    assert np.linalg.norm(points[:, None] - points[None], axis=2)[far].min() > 0.4


@pytest.mark.parametrize("d", [16, 128])
def test_the_map_is_injective(d):
    rng = np.random.default_rng(0)
    latents = rng.standard_normal((400, 8))
    step = 1e-6
    moved = np.concatenate([latents, *(latents + step * axis for axis in np.eye(8))])
    images = injective_map(moved, d=d, rng=np.random.default_rng(1)).reshape(9, 400, d)
    jacobians = ((images[1:] - images[0]) / step).transpose(1, 2, 0)
    assert np.linalg.svd(jacobians, compute_uv=False)[:, -1].min() > 0.02
    pairs = np.triu_indices(400, 1)
    before, after = (np.linalg.norm(a[pairs[0]] - a[pairs[1]], axis=1) for a in (latents, images[0]))
    assert (after / before).min() > 0.05


def test_the_map_bends():
    latents = np.random.default_rng(0).standard_normal((2000, 6))
    x = injective_map(latents, d=64, rng=np.random.default_rng(1))
    centred = x - x.mean(axis=0)
    design = np.column_stack([latents, np.ones(2000)])
    residual = x - design @ np.linalg.lstsq(design, x, rcond=None)[0]
    assert (residual**2).sum() / (centred**2).sum() > 0.05
    assert np.linalg.matrix_rank(centred) > 30


@pytest.mark.parametrize("name", ["tuning_xor", "tuning_unique", "redundant_five", "mixture_told"])
def test_latents_determine_the_state(name):
    scenario = SCENARIOS[name]
    rng = np.random.default_rng(0)
    state = rng.integers(0, scenario.p.shape[0], 20_000)
    latents = symbol_coordinates(state, scenario.first, sweep=scenario.sweep, rng=rng)
    nearest = KNeighborsClassifier(1).fit(latents[:15_000], state[:15_000])
    assert nearest.score(latents[15_000:], state[15_000:]) > 0.998


def test_clusters_do_not_recover_the_symbols():
    for name, purity in (("tuning_xor", 0.85), ("tuning_unique", 0.75), ("redundant_five", 0.75)):
        sample = draw(name, n=3000, seed=0)
        pca = PCA(15, random_state=0).fit_transform(StandardScaler().fit_transform(sample.x1))
        cluster = KMeans(20, n_init=1, random_state=0).fit_predict(pca)
        found = sum(np.bincount(sample.state1[cluster == c]).max() for c in range(20)) / 3000
        assert found < purity
