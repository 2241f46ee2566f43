import numpy as np
import pytest
from scipy.stats import chisquare
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from beyond_alignment.errors import InputError
from beyond_alignment.simulate import SCENARIOS, draw, mixture
from beyond_alignment.simulate.draw import (
    arm_points,
    default_turns,
    donor_of_samples,
    draw_states,
    injective_map,
    normal_fields,
    spot_coordinates,
    symbol_coordinates,
)


def counts_of(sample):
    counts = np.zeros(sample.p.shape)
    np.add.at(counts, (sample.state1, sample.state2, sample.y), 1)
    return counts


def p_value(counts, p):
    occupied = p > 0
    assert counts[~occupied].sum() == 0
    return chisquare(counts[occupied], p[occupied] * counts.sum()).pvalue


@pytest.mark.parametrize("name", [name for name, s in SCENARIOS.items() if s.spatial_range == 0 and s.p.size < 200])
def test_states_and_labels_follow_the_table(name):
    sample = draw(name, n=20_000, d1=16, d2=16, seed=0)
    assert p_value(counts_of(sample), sample.p) > 1e-4


def test_cells_of_continuous_quantities_follow_the_table():
    sample = draw("additive_curve", n=20_000, d1=16, d2=16, seed=0)
    coarse = [a.reshape(8, 8, 8, 8, 2).sum(axis=(1, 3)) for a in (counts_of(sample), sample.p)]
    assert p_value(*coarse) > 1e-4


def test_patches_follow_the_table_over_many_draws():
    scenario, rng = SCENARIOS["xor_spatial"], np.random.default_rng(0)
    groups = donor_of_samples(40, 2)
    places = spot_coordinates(groups)
    shares = np.zeros((1000, *scenario.p.shape))
    for draw_of in shares:
        field = normal_fields(places, groups, n_fields=1, spatial_range=scenario.spatial_range, rng=rng)[:, 0]
        np.add.at(draw_of, draw_states(scenario, field, groups), 1 / 40)
    # Samples of one draw depend on one another, draws do not.
    error = shares.std(axis=0) / np.sqrt(len(shares))
    assert (np.abs(shares.mean(axis=0) - scenario.p) < 4 * error).all()
    assert shares[..., 0].sum(axis=(1, 2)).std() > 1.5 * np.sqrt(0.25 / 40)


def test_sizes_defaults_and_places():
    sample = draw("sum_bits", n=103, seed=1)
    assert sample.x1.shape == sample.x2.shape == (103, 128)
    assert sample.y.shape == sample.groups.shape == (103,)
    assert np.array_equal(np.unique(np.bincount(sample.groups)), [10, 11])
    assert (np.diff(sample.groups) >= 0).all()
    other = draw("sum_bits", n=50, d1=64, d2=256, seed=1)
    assert (other.x1.shape, other.x2.shape) == ((50, 64), (50, 256))
    distances = np.linalg.norm(sample.coordinates[:, None] - sample.coordinates[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert distances.min() == pytest.approx(100)
    assert distances[sample.groups[:, None] != sample.groups[None]].min() > 1000


def test_the_seed_decides_everything():
    one, two, other = (draw("copy_six", n=60, seed=seed) for seed in (3, 3, 4))
    for field in ("x1", "x2", "y", "groups", "coordinates"):
        assert getattr(one, field).tobytes() == getattr(two, field).tobytes()
    assert not np.array_equal(one.x1, other.x1)
    assert not np.array_equal(one.y, other.y)


def test_every_donor_follows_the_table_unless_its_prior_is_tilted():
    even, tilted = draw("sum_donors", n=20_000, seed=0), draw("redundant_unique_tilted", n=20_000, seed=0)
    shares = [[np.bincount(s.y[s.groups == g], minlength=s.p.shape[2]) for g in range(10)] for s in (even, tilted)]
    prior = even.p.sum(axis=(0, 1))
    assert min(chisquare(row, prior * 2000).pvalue for row in shares[0]) > 1e-3
    assert shares[1][0][0] > 1.9 * shares[1][9][0]
    assert p_value(counts_of(tilted), tilted.p) > 1e-4


def test_donors_shift_the_embeddings_where_the_scenario_says_so():
    def spread(name):
        sample = draw(name, n=10_000, seed=0)
        means = np.stack([sample.x1[sample.groups == g].mean(axis=0) for g in range(10)])
        return float((means.var(axis=0) / sample.x1.var(axis=0)).mean())

    assert spread("redundant_unique_tilted") < 0.03
    assert spread("sum_donors") > 0.1


def test_labels_lie_in_patches_where_the_scenario_says_so():
    def agreement(name):
        sample = draw(name, n=4000, d1=16, d2=16, seed=0)
        near = np.linalg.norm(np.diff(sample.coordinates, axis=0), axis=1) < 150
        return float((sample.y[1:] == sample.y[:-1])[near].mean())

    assert agreement("unique_spatial") > 0.65
    assert agreement("tuning_xor") == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("scenario", "options", "message"),
    [
        ("nand", {}, "There is no scenario 'nand'"),
        ("tuning_xor", {"n": 9}, "9 samples for 10 donors"),
        ("tuning_xor", {"d1": 5}, "5 features has no room for 6"),
        ("tuning_xor", {"d2": 0}, "0 features has no room for 6"),
        ("tuning_xor", {"seed": -1}, "seed is -1"),
        (mixture(1, 0, 0, 0, name="small"), {"n": 0}, "0 samples"),
    ],
)
def test_impossible_draws_are_refused(scenario, options, message):
    with pytest.raises(InputError, match=message):
        draw(scenario, **{"n": 40, "seed": 0, **options})


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
