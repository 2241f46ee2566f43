import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beyond_alignment.alignment import LINEAR_METHODS
from beyond_alignment.alignment.angles import principal_angles
from beyond_alignment.alignment.subspace import aligned_subspaces, n_distinct, variate_angles
from beyond_alignment.alignment.views import correlated_views
from beyond_alignment.errors import InputError
from beyond_alignment.fusion.canonical import CanonicalCorrelation

RHO = (0.9, 0.6)
TRAINED = [name for name, method in LINEAR_METHODS.items() if method.network]
PROVED = [name for name in TRAINED if LINEAR_METHODS[name].theory == "proved"]
SHORT = {"n_components": 2, "steps": 200, "batch_size": 256, "learning_rate": 2e-2, "device": "cpu"}


def aligned_subspace(method, x1, x2, *, seed=0, **options):
    """One pair alone."""
    return aligned_subspaces(method, [(x1, x2)], seeds=[seed], **options)[0]


def views(rho=RHO, *, n=2000, seed=1, dims=(5, 4)):
    drawn = correlated_views(rho, n=n, dims=dims, seed=seed)
    return drawn.x1, drawn.x2


def largest_angle(pair, one, other):
    """The larger of both sides' largest angle between variates."""
    weights = ((one.weights1, other.weights1), (one.weights2, other.weights2))
    return max(variate_angles(x, a, b)[-1] for x, (a, b) in zip(pair, weights, strict=True))


def correlations(pair, found):
    z1, z2 = found.project(*pair)
    q1, q2 = (np.linalg.qr(z - z.mean(axis=0))[0] for z in (z1, z2))
    return np.linalg.svd(q1.T @ q2, compute_uv=False)


def test_cca_is_the_closed_form():
    pair = views()
    found, fitted = aligned_subspace("cca", *pair, n_components=2), CanonicalCorrelation(2).fit(pair)
    assert np.array_equal(found.weights1, fitted.weights1_)
    assert np.array_equal(found.transform(*pair), fitted.transform(pair))
    assert found.losses.size == 0


@pytest.mark.parametrize("method", [*PROVED, "barlow_twins_strong"])
def test_what_is_proved_to_be_canonical_is_and_barlow_twins_where_correlations_are_strong(method):
    pair = views()
    found = aligned_subspace(method, *pair, **SHORT)
    assert largest_angle(pair, found, aligned_subspace("cca", *pair, n_components=2)) < 3
    assert found.losses.shape == (200,)
    assert correlations(pair, found) == pytest.approx(RHO, abs=0.03)


@pytest.mark.parametrize("method", ["barlow_twins", "vicreg"])
def test_published_weights_find_the_strongest_direction_twice_unless_correlations_are_equal(method):
    pair, equal = views(), views((0.8, 0.8))
    doubled, whole = aligned_subspaces(method, [pair, equal], seeds=[0, 0], **SHORT | {"steps": 500})
    assert n_distinct(pair[0], doubled.weights1) < 1.1
    assert n_distinct(equal[0], whole.weights1) > 1.7
    assert largest_angle(equal, whole, aligned_subspace("cca", *equal, n_components=2)) < 3
    strongest = aligned_subspace("cca", *pair, n_components=1)
    for weights in doubled.weights1.T:
        assert variate_angles(pair[0], weights[:, None], strongest.weights1)[0] < 10


def test_regression_on_raw_views_finds_reduced_rank_regression_instead():
    pair = views((0.9, 0.8, 0.7))
    found = aligned_subspace("projection_raw", *pair, **SHORT | {"learning_rate": 5e-2, "steps": 300})
    x1, x2 = (x - x.mean(axis=0) for x in pair)
    fit = x1 @ np.linalg.lstsq(x1, x2)[0]
    reduced = np.linalg.lstsq(x1, fit @ np.linalg.svd(fit, full_matrices=False)[2][:2].T)[0]
    assert variate_angles(x1, found.weights1, reduced)[-1] < 5
    assert variate_angles(x1, found.weights1, aligned_subspace("cca", *pair, n_components=2).weights1)[-1] > 20


def test_the_seed_decides_everything_and_company_nothing():
    pairs = [views(seed=1), views(seed=2)]
    options = SHORT | {"steps": 30}
    together = aligned_subspaces("info_nce", pairs, seeds=[3, 4], **options)
    for pair, seed, found in zip(pairs, [3, 4], together, strict=True):
        alone = aligned_subspace("info_nce", *pair, seed=seed, **options)
        assert found.weights1 == pytest.approx(alone.weights1, abs=1e-5)
        assert found.losses == pytest.approx(alone.losses, abs=1e-5)
    again = aligned_subspaces("info_nce", pairs, seeds=[3, 4], **options)
    assert np.array_equal(again[1].weights2, together[1].weights2)
    other = aligned_subspace("info_nce", *pairs[0], seed=5, **options)
    assert not np.allclose(other.weights1, together[0].weights1, atol=1e-3)


@pytest.mark.parametrize("method", ["cca", "second_order", "projection"])
def test_invertible_maps_change_no_variate_without_regularisation(method):
    pair, rng = views(), np.random.default_rng(0)
    mapped = (pair[0] @ (np.eye(5) + 0.3 * rng.standard_normal((5, 5))) + 2, pair[1] * [1, 30, 1, 0.2])
    options = SHORT | {"regularisation": 0}
    plain, other = aligned_subspace(method, *pair, **options), aligned_subspace(method, *mapped, **options)
    turned = [
        np.linalg.lstsq(x - x.mean(axis=0), z)[0] for x, z in zip(pair, other.project(*mapped), strict=True)
    ]  # the other variates as weights of the plain features
    for x, weights, same in zip(pair, (plain.weights1, plain.weights2), turned, strict=True):
        assert variate_angles(x, weights, same)[-1] < (1e-4 if method == "cca" else 2)


@pytest.mark.parametrize("method", ["cca", "second_order", "projection_raw"])
def test_constant_columns_have_no_weight_and_change_no_variate(method):
    pair = views()
    padded = np.insert(pair[0], 2, 7.3, axis=1)
    found = aligned_subspace(method, padded, pair[1], **SHORT)
    assert not found.weights1[2].any()
    if method != "projection_raw":
        plain = aligned_subspace(method, *pair, **SHORT)
        assert variate_angles(pair[0], np.delete(found.weights1, 2, axis=0), plain.weights1)[-1] < 2


@pytest.mark.parametrize(("method", "regularisation"), [("cca", 0), ("cca", "ledoit_wolf"), ("second_order", 0)])
def test_duplicated_features_change_no_variate(method, regularisation):
    pair, options = views(), SHORT | {"regularisation": regularisation}
    doubled = np.hstack([pair[0], pair[0][:, :2]])
    plain, found = (aligned_subspace(method, x, pair[1], **options) for x in (pair[0], doubled))
    assert np.isfinite(found.weights1).all()
    padded = np.vstack([plain.weights1, np.zeros((2, 2))])
    assert variate_angles(doubled, found.weights1, padded)[-1] < 2
    if regularisation == 0:
        with pytest.raises(InputError, match="the embeddings have 4"):
            aligned_subspace(method, doubled[:, [0, 0, 1, 2, 3, 3]], doubled[:, :4], **options | {"n_components": 5})


@pytest.mark.parametrize("method", ["cca", "second_order", "deep_cca", "vicreg_strong"])
def test_views_that_are_maps_of_one_another_correlate_wholly(method):
    x1, _ = views()
    pair = x1, x1 @ np.random.default_rng(0).standard_normal((5, 5))
    found = aligned_subspace(method, *pair, **SHORT)
    assert correlations(pair, found).min() > 0.98


def test_more_features_than_samples_are_refused_or_fitted_by_chance():
    x1, x2 = np.random.default_rng(0).standard_normal((2, 30, 40))
    options = SHORT | {"learning_rate": 1e-2}
    for method in ("cca", "second_order"):
        with pytest.raises(InputError, match="too few"):
            aligned_subspace(method, x1, x2, **options, regularisation=0)
        found = aligned_subspace(method, x1, x2, **options)
        assert np.isfinite(found.transform(x1, x2)).all()
        assert correlations((x1, x2), found).min() > 0.8  # of independent views


GOOD = np.random.default_rng(9).standard_normal((12, 3))


@pytest.mark.parametrize("method", ["cca", "clip"])
@pytest.mark.parametrize(
    ("x1", "x2", "options", "message"),
    [
        (GOOD[:9], GOOD[:9], {}, "9 rows and 10"),
        (GOOD, GOOD[:-1], {}, "12 rows and x2 has 11"),
        (np.where(GOOD > 1, np.nan, GOOD), GOOD, {}, "NaN"),
        (GOOD, np.where(GOOD > 1, np.inf, GOOD), {}, "x2 holds . NaN or infinite"),
        (GOOD, np.ones((12, 3)), {}, "x2 is constant"),
        (GOOD, GOOD, {"n_components": 4}, "4 components"),
        (GOOD, GOOD, {"n_components": 0}, "0 components"),
        (GOOD, GOOD, {"regularisation": 2}, "from 0 to 0.95"),
    ],
)
def test_bad_input_is_named(method, x1, x2, options, message):
    with pytest.raises(InputError, match=message):
        aligned_subspace(method, x1, x2, **{"n_components": 2, "steps": 2, **options})


def test_unknown_methods_empty_trainings_and_other_features_are_named():
    with pytest.raises(InputError, match=r"'pca'.*second_order"):
        aligned_subspace("pca", GOOD, GOOD, n_components=1)
    with pytest.raises(InputError, match="0 steps"):
        aligned_subspace("clip", GOOD, GOOD, n_components=1, steps=0)
    with pytest.raises(InputError, match="diverged at step"):
        aligned_subspace("second_order", GOOD, GOOD, n_components=1, steps=50, learning_rate=1e30)
    found = aligned_subspace("cca", GOOD, GOOD, n_components=1)
    with pytest.raises(InputError, match="2 and 3 features and were fitted with 3 and 3"):
        found.project(GOOD[:, :2], GOOD)
    assert found.transform(GOOD[:1], GOOD[:1]).shape == (1, 2)
    assert aligned_subspaces("clip", [], n_components=1, seeds=[]) == []


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 3), st.sampled_from([3, 20]))
def test_variate_angles_are_those_of_the_scores(seed, k, m, n):
    rng = np.random.default_rng(seed)
    x, first, second = rng.standard_normal((n, 6)) + 5, rng.standard_normal((6, k)), rng.standard_normal((6, m))
    centred = x - x.mean(axis=0)
    expected = principal_angles(centred @ first, centred @ second)
    assert variate_angles(x, first, second) == pytest.approx(expected, abs=1e-4)


def test_distinct_projections_are_counted():
    x = np.random.default_rng(0).standard_normal((50, 4))
    x = np.linalg.qr(x - x.mean(axis=0))[0]
    assert n_distinct(x, np.eye(4) * [1, 20, 3, 0.1]) == pytest.approx(4)
    assert n_distinct(x, np.eye(4)[:, [1, 1, 1]] * [1, -2, 5]) == pytest.approx(1)
    assert n_distinct(x, np.eye(4)[:, [0, 0, 1]]) == pytest.approx(9 / 5)
    assert n_distinct(x + 7, np.eye(4)[:, :1]) == pytest.approx(1)
    half = np.array([[1, 0.5], [0, np.sqrt(0.75)], [0, 0], [0, 0]])  # correlation 0.5
    assert n_distinct(x, half) == pytest.approx(4 / 2.5)
