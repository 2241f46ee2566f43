import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from beyond_alignment.alignment.subspace import variate_angles
from beyond_alignment.alignment.views import LATENTS, correlated_views
from beyond_alignment.errors import InputError
from beyond_alignment.fusion.canonical import CanonicalCorrelation

RHO = (0.9, 0.6, 0.3)


@pytest.mark.parametrize("law", ["gaussian", "bits"])
def test_samples_have_the_correlations_and_directions_that_were_asked_for(law):
    views = correlated_views(RHO, n=60_000, dims=(6, 5), latents=law, seed=1)
    fitted = CanonicalCorrelation(3, regularisation=0).fit((views.x1, views.x2))
    assert fitted.correlations_ == pytest.approx(RHO, abs=0.01)
    for x, w, truth in (
        (views.x1, fitted.weights1_, views.directions1),
        (views.x2, fitted.weights2_, views.directions2),
    ):
        assert variate_angles(x, w, truth).max() < 3
        assert variate_angles(x, w[:, :1], truth[:, :1]).max() < 3
        assert np.cov(x @ truth, rowvar=False) == pytest.approx(np.eye(3), abs=0.02)


def test_squares_are_dependent_and_not_correlated():
    views = correlated_views(RHO, n=60_000, dims=(6, 5), latents="squares", seed=1)
    assert views.directions1.shape == (6, 0)
    assert views.directions2.shape == (5, 0)
    assert views.correlations.size == 0
    fitted = CanonicalCorrelation(1, regularisation=0).fit((views.x1, views.x2))
    assert fitted.correlations_[0] < 0.02
    twin = correlated_views(RHO, n=1, dims=(6, 5), seed=1)  # the same maps
    for rank, rho in enumerate(RHO):
        first, second = views.x1 @ twin.directions1[:, rank], views.x2 @ twin.directions2[:, rank]
        assert np.corrcoef(first**2, second)[0, 1] == pytest.approx(rho, abs=0.02)
        assert spearmanr(np.abs(first), second).statistic > 0.2


def test_the_maps_do_not_depend_on_the_number_of_samples_or_the_law_and_hide_the_directions():
    few = correlated_views(RHO, n=10, seed=3)
    for other in (correlated_views(RHO, n=500, seed=3), correlated_views(RHO, n=10, latents="bits", seed=3)):
        assert np.array_equal(few.directions1, other.directions1)
        assert np.array_equal(few.directions2, other.directions2)
    assert not np.allclose(few.directions1, correlated_views(RHO, n=10, seed=4).directions1)
    many = correlated_views(RHO, n=5000, seed=3)
    principal = np.linalg.svd(many.x1 - many.x1.mean(axis=0), full_matrices=False)[2][:3].T
    assert variate_angles(many.x1, principal, many.directions1).max() > 30


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(0, 1), max_size=4).map(lambda rho: sorted(rho, reverse=True)),
    st.integers(1, 5),
    st.tuples(st.integers(4, 6), st.integers(4, 6)),
    st.sampled_from(sorted(LATENTS)),
)
def test_any_falling_correlations_give_finite_views(rho, n, dims, law):
    views = correlated_views(rho, n=n, dims=dims, latents=law)
    assert (views.x1.shape, views.x2.shape) == ((n, dims[0]), (n, dims[1]))
    assert np.isfinite(views.x1).all()
    assert np.isfinite(views.x2).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(allow_nan=True), min_size=1, max_size=4))
def test_other_correlations_are_refused(rho):
    falling = all(0 <= r <= 1 for r in rho) and sorted(rho, reverse=True) == rho
    if not falling:
        with pytest.raises(InputError, match="falling numbers from 0 to 1"):
            correlated_views(rho, n=5, dims=(4, 4))


@pytest.mark.parametrize(
    ("rho", "options", "message"),
    [
        ((0.5, 0.9), {}, "falling"),
        ((0.9, 0.5), {"dims": (5, 1)}, "at most one a feature"),
        ((), {"dims": (0, 3)}, "at most one a feature"),
        (([0.5], [0.4]), {}, "falling"),
        ((0.5,), {"latents": "cubes"}, "gaussian, bits, squares"),
        ((0.5,), {"n": 0}, "at least 1"),
    ],
)
def test_bad_input_is_named(rho, options, message):
    with pytest.raises(InputError, match=message):
        correlated_views(rho, **{"n": 5, **options})
