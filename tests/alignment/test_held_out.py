import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beyond_alignment.alignment.held_out import held_out_ceiling
from beyond_alignment.alignment.shrinkage import shrinkage_by_size

CORRELATIONS = np.array([0.9, 0.7, 0.5])
TRUTH = (CORRELATIONS**2).sum()


def views(n, d, *, seed, correlations=CORRELATIONS, decay=0.0):
    rng = np.random.default_rng(seed)
    z1, z2 = rng.standard_normal((2, n, d))
    k = len(correlations)
    z2[:, :k] = correlations * z1[:, :k] + np.sqrt(1 - correlations**2) * z2[:, :k]
    scale = np.arange(1, d + 1) ** -decay
    return z1 * scale, z2 * scale


def held_out(x1, x2, **options):
    return held_out_ceiling(x1, x2, **{"n_folds": 5, "regularisation": "by_size", **options})


def test_large_samples_reach_the_population():
    value, (low, high) = held_out(*views(20_000, 6, seed=0))
    assert value == pytest.approx(TRUTH, abs=0.03)
    assert low < TRUTH < high


@pytest.mark.parametrize(("d", "decay"), [(12, 0.0), (60, 1.0), (108, 1.0), (180, 1.0)])
@pytest.mark.parametrize("regularisation", ["by_size", 0.5])
def test_it_stays_below_the_population_whatever_the_shrinkage_and_size(d, decay, regularisation):
    found = [held_out(*views(120, d, seed=s, decay=decay), regularisation=regularisation)[0] for s in range(4)]
    assert 0.4 < np.mean(found) < TRUTH


@pytest.mark.parametrize("d", [5, 50, 150])
def test_independent_embeddings_have_none_and_the_interval_says_so(d):
    found = [held_out(*views(100, d, seed=s, correlations=np.zeros(0))) for s in range(60 if d == 5 else 8)]
    values, lows = [v for v, _ in found], [low for _, (low, _) in found]
    assert abs(np.mean(values)) < 0.02
    assert np.mean(np.array(lows) > 0) <= 0.125


def test_the_same_embedding_behind_a_map_has_every_direction():
    x1, _ = views(2000, 4, seed=0)
    value, (low, high) = held_out(x1, x1 @ np.random.default_rng(1).standard_normal((4, 4)), regularisation=0)
    assert value == pytest.approx(4, abs=0.1)
    assert low <= value <= high <= 4


def test_directions_that_turn_round_in_the_other_group_count_below_zero():
    x1, _ = views(400, 3, seed=0)
    groups = np.repeat([0, 1], 200)
    value, _ = held_out(x1, np.where(groups[:, None] == 0, x1, -x1), groups=groups)
    assert value < -2


def test_what_groups_share_is_not_counted():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(8), 60)
    offset = 5 * rng.standard_normal((8, 3))[groups]
    x1, x2 = (offset + rng.standard_normal((480, 3)) for _ in range(2))
    assert abs(held_out(x1, x2, groups=groups)[0]) < 0.02
    assert held_out(x1, x2)[0] > 0.5


def test_stretches_of_a_curve_keep_smooth_neighbours_out_of_training():
    claimed = []
    for seed in range(20):
        x1, x2 = np.cumsum(np.random.default_rng(seed).standard_normal((2, 600, 1)), axis=1)
        options = [{}, {"curve": np.arange(600)}]
        claimed.append([held_out(x1, x2, **option)[1][0] > 0 for option in options])
    single, stretches = np.mean(claimed, axis=0)
    assert single > 0.8
    assert stretches <= 0.15


@settings(max_examples=10, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(-100, 100))
def test_units_change_nothing(scale, origin):
    x1, x2 = views(100, 4, seed=1)
    assert held_out(scale * x1 + origin, -x2)[0] == pytest.approx(held_out(x1, x2)[0], abs=1e-6)


@pytest.mark.parametrize(("n", "d", "expected"), [(50, 50, 0.25), (90, 10, 0.01), (10**6, 16, 2.56e-10), (1, 99, 0.95)])
def test_shrinkage_fades_with_the_square_of_size(n, d, expected):
    assert shrinkage_by_size(n, d) == pytest.approx(expected, rel=1e-4)
