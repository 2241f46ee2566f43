"""Power laws recovered from curves that are power laws, and honest answers for curves that are not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from beyond_alignment.benchmark.curve_fit import fit_curve
from beyond_alignment.benchmark.power_law import MOST_EXPONENT, fit_power_laws
from beyond_alignment.benchmark.seed_resampling import mean_curve_draws, widening
from beyond_alignment.errors import InputError

SIZES = np.array([20.0, 63.0, 200.0, 632.0, 2000.0])


def curve(c, a, b, sizes=SIZES):
    return c - a * sizes**-b


def noisy(c, a, b, *, sd, n_seeds, seed, sizes=SIZES):
    """Scores (size, seed) whose spread falls with the size."""
    spread = sd * np.linspace(1.5, 0.5, len(sizes))[:, None]
    noise = np.random.default_rng(seed).normal(size=(len(sizes), n_seeds))
    return curve(c, a, b, sizes)[:, None] + spread * noise


@settings(max_examples=60, deadline=None)
@given(c=st.floats(-1, 1), a=st.floats(0.01, 3), b=st.floats(0.05, 2.5))
def test_parameters_are_recovered_from_a_curve_without_noise(c, a, b):
    found = fit_curve(SIZES, curve(c, a * SIZES[0] ** b, b), n_bootstrap=20)
    assert found.exponent == pytest.approx(b, abs=1e-6)
    assert found.asymptote == pytest.approx(c, abs=1e-5 * a)
    assert found.amplitude == pytest.approx(a * SIZES[0] ** b, rel=1e-5)
    assert found.misfit < 1e-9
    assert found.trend == "rises"
    far = found.predict(10**5)
    assert (far.extrapolated, found.predict(20).extrapolated, found.predict(10).extrapolated) == (True, False, True)
    assert far.value == pytest.approx(c - a * (10**5 / 20) ** -b, abs=1e-5)


def test_the_fit_is_the_least_squares_fit_of_scipy():
    rng = np.random.default_rng(3)
    for trial in range(5):
        mean = curve(0.8, 2.0, 0.5) + 0.02 * rng.normal(size=5)
        weights = rng.uniform(0.5, 3, size=5)
        found = fit_power_laws(SIZES, mean[None], weights, n_zooms=20)

        def residuals(p, mean=mean, weights=weights):
            return np.sqrt(weights) * (p[0] - p[1] * (SIZES / 20) ** -p[2] - mean)

        bounds = ([-np.inf, 0, 0], [np.inf, np.inf, MOST_EXPONENT])
        starts = [(0.8, 0.4, b) for b in (0.05, 0.2, 0.5, 1.0, 2.0)]
        peer = min((least_squares(residuals, s, bounds=bounds, xtol=1e-14, ftol=1e-14) for s in starts),
                   key=lambda fit: fit.cost)  # fmt: skip
        ours = (found.asymptote[0], found.amplitude[0], found.exponent[0])
        assert 0.5 * (residuals(ours) ** 2).sum() <= peer.cost * (1 + 1e-9), trial
        if 0.01 < peer.x[2] < MOST_EXPONENT - 0.1:
            assert ours == pytest.approx(peer.x, rel=1e-4)


def test_the_ceiling_binds_and_the_constrained_fit_is_that_of_scipy():
    mean = np.array([0.3, 0.5, 0.7, 0.88, 0.99])
    found = fit_power_laws(SIZES, mean[None], np.ones(5), ceiling=1.0, n_zooms=20)
    assert found.asymptote[0] == 1.0
    bounds = ([-np.inf, 0, 0], [1.0, np.inf, MOST_EXPONENT])
    peer = least_squares(lambda p: p[0] - p[1] * (SIZES / 20) ** -p[2] - mean, (0.9, 0.7, 0.3), bounds=bounds)
    loss = ((found.at(SIZES)[0] - mean) ** 2).sum()
    assert loss <= 2 * peer.cost * (1 + 1e-6)


@pytest.mark.parametrize("unit", [1e-3, 7.0, 1e4])
def test_the_unit_of_the_size_changes_the_amplitude_alone(unit):
    scores = noisy(0.8, 1.5, 0.5, sd=0.02, n_seeds=6, seed=1)
    one, other = (fit_curve(SIZES * u, scores, n_bootstrap=100) for u in (1.0, unit))
    assert other.exponent == pytest.approx(one.exponent, rel=1e-9)
    assert other.exponent_interval == pytest.approx(one.exponent_interval, rel=1e-9)
    assert other.asymptote_interval == pytest.approx(one.asymptote_interval, rel=1e-9)
    assert other.amplitude == pytest.approx(one.amplitude * unit**one.exponent, rel=1e-9)
    assert other.predict(9e3 * unit).high == pytest.approx(one.predict(9e3).high, rel=1e-9)


def test_the_order_of_the_sizes_does_not_matter():
    scores = noisy(0.8, 1.5, 0.5, sd=0.02, n_seeds=6, seed=1)
    order = np.array([3, 0, 4, 1, 2])
    one, other = fit_curve(SIZES, scores, n_bootstrap=50), fit_curve(SIZES[order], scores[order], n_bootstrap=50)
    assert one.exponent_interval == other.exponent_interval


def test_intervals_cover_the_truth_as_often_as_they_say():
    truth, runs = (0.8, 1.5, 0.5), 150
    for n_seeds, least in ((10, 0.88), (3, 0.88), (1, 0.86)):
        hits = np.zeros(4)
        for seed in range(runs):
            found = fit_curve(SIZES, noisy(*truth, sd=0.02, n_seeds=n_seeds, seed=seed), n_bootstrap=200, seed=seed)
            inside = found.predict(632), found.predict(20_000)
            bands = [(p.low, p.high, curve(*truth, sizes=p.n)) for p in inside]
            bands += [(*found.exponent_interval, truth[2]), (*found.asymptote_interval, truth[0])]
            hits += [low <= true <= high for low, high, true in bands]
        assert (hits / runs >= least).all(), (n_seeds, hits / runs)


def test_a_flat_curve_has_no_exponent_and_says_so():
    scores = 0.6 + 0.02 * np.random.default_rng(0).normal(size=(5, 10))
    found = fit_curve(SIZES, scores)
    assert found.trend == "no trend shown"
    assert not found.identified
    assert found.exponent_interval[1] == MOST_EXPONENT
    assert "no exponent to read" in found.statement
    assert found.predict(20_000).low < 0.6 < found.predict(20_000).high


@pytest.mark.parametrize("shift", [0.0, 0.2])
def test_a_constant_and_a_falling_curve(shift):
    scores = np.repeat((0.6 - shift * np.log(SIZES / 20) / 10)[:, None], 5, axis=1)
    scores = scores + (1e-3 * np.random.default_rng(0).normal(size=scores.shape) if shift else 0)
    found = fit_curve(SIZES, scores, n_bootstrap=50)
    assert found.trend == ("falls" if shift else "no trend shown")
    assert (found.exponent, found.amplitude, found.exponent_interval) == (0.0, 0.0, (0.0, MOST_EXPONENT))
    assert found.asymptote == pytest.approx(scores.mean(), abs=5e-3)
    assert not found.identified


def test_a_curve_that_does_not_bend_leaves_exponent_and_asymptote_open():
    scores = 0.1 + 0.08 * np.log(SIZES / 20)[:, None] + 0.005 * np.random.default_rng(0).normal(size=(5, 6))
    found = fit_curve(SIZES, scores, n_bootstrap=200)
    assert found.trend == "rises"
    assert (found.identified, found.exponent_interval[0], found.asymptote) == (False, 0.0, 1.0)
    assert found.asymptote_interval == pytest.approx((scores[-1].mean(), 1.0), abs=0.05)
    assert "without a bend" in found.statement
    free = fit_curve(SIZES, scores, ceiling=np.inf, n_bootstrap=200)
    assert free.exponent < 0.1
    assert free.misfit < found.misfit


def test_two_sizes_do_not_tell_an_exponent_and_the_band_widens_beyond_them():
    scores = np.array([[0.40, 0.42, 0.41, 0.39, 0.4, 0.41], [0.60, 0.61, 0.59, 0.6, 0.62, 0.6]])
    found = fit_curve([100, 1000], scores)
    assert found.exponent_interval == (0.0, MOST_EXPONENT)
    assert "2 sizes do not tell how" in found.statement
    inside, outside = found.predict(1000), found.predict(100_000)
    assert inside.value == pytest.approx(scores[1].mean())
    assert inside.high - inside.low < 0.05
    assert outside.high - outside.low > 0.2
    assert outside.high <= 1.0 + 1e-12


def test_given_replicates_stand_in_the_place_of_seeds():
    drawn = np.stack([curve(0.8, 1.5, b) for b in np.linspace(0.4, 0.6, 101)])
    found = fit_curve(SIZES[::-1], curve(0.8, 1.5, 0.5)[::-1], draws=drawn[:, ::-1])
    assert found.exponent_interval == pytest.approx((0.405, 0.595), abs=1e-3)
    assert found.n_seeds == 0


@pytest.mark.parametrize(
    ("sizes", "scores", "options", "says"),
    [
        (SIZES, np.full(5, np.nan), {}, "not finite"),
        ([20, np.inf, 3], [0.1, 0.2, 0.3], {}, "not finite"),
        ([20, 20, 30, 40], [0.1, 0.2, 0.3, 0.4], {}, "each above zero and given once"),
        ([0, 20, 30, 40], [0.1, 0.2, 0.3, 0.4], {}, "each above zero"),
        ([20], [0.1], {}, "two sizes or more"),
        (SIZES, [0.1, 0.2], {}, "one row of scores"),
        (SIZES, [], {}, "one row of scores"),
        ([20, 30, 40], [0.1, 0.2, 0.3], {}, "One seed at 3 sizes tells no noise"),
        (SIZES, np.linspace(0.5, 1.5, 5), {}, "above the ceiling of 1"),
        (SIZES, np.linspace(0.1, 0.5, 5), {"draws": np.full((3, 5), np.inf)}, "not finite"),
        (SIZES, np.linspace(0.1, 0.5, 5), {"draws": np.zeros((3, 4))}, "one row of scores"),
        (SIZES, np.zeros((2, 5, 3)), {}, "pass one curve"),
    ],
)
def test_what_is_no_curve_is_refused(sizes, scores, options, says):
    with pytest.raises(InputError, match=says):
        fit_curve(sizes, scores, **options)


@pytest.mark.parametrize("n", [0, -3, np.nan, np.inf])
def test_a_size_that_is_none_is_refused(n):
    with pytest.raises(InputError, match="positive number"):
        fit_curve(SIZES, curve(0.8, 1.5, 0.5), n_bootstrap=10).predict(n)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), n_sizes=st.integers(2, 6), n_seeds=st.integers(2, 7))
def test_every_finite_curve_has_a_finite_answer(data, n_sizes, n_seeds):
    scores = data.draw(st.lists(st.floats(-1, 1), min_size=n_sizes * n_seeds, max_size=n_sizes * n_seeds))
    found = fit_curve(10.0 ** np.arange(1, n_sizes + 1), np.reshape(scores, (n_sizes, n_seeds)), n_bootstrap=30)
    numbers = [found.exponent, *found.exponent_interval, found.asymptote, *found.asymptote_interval, found.amplitude]
    numbers += [found.misfit, *vars(found.predict(50)).values(), *vars(found.predict(1e9)).values()]
    assert np.isfinite(numbers).all()
    assert 0 <= found.exponent_interval[0] <= found.exponent <= found.exponent_interval[1] <= MOST_EXPONENT
    assert found.asymptote <= 1


def test_draws_of_a_mean_have_students_spread_and_keep_pairs():
    scores = np.random.default_rng(0).normal(size=(2, 3, 8))
    scores[1] = scores[0] + 0.5
    drawn = mean_curve_draws(scores, n_bootstrap=20_000)
    assert np.allclose(drawn[:, 1] - drawn[:, 0], 0.5)
    error = scores[0].std(axis=1, ddof=1) / np.sqrt(8)
    assert drawn[:, 0].std(axis=0) == pytest.approx(error * widening(7), rel=0.03)
    few = mean_curve_draws(scores[..., :3], n_bootstrap=20_000)
    assert np.allclose(few[:, 1] - few[:, 0], 0.5)
    assert np.allclose(few.mean(axis=0), scores[..., :3].mean(axis=-1), atol=0.02)
