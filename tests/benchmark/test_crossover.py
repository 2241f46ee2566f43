"""Crossings that are known in closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beyond_alignment.benchmark.crossover import Crossover, Outcome, crossover_of_fits, crossover_of_points
from beyond_alignment.benchmark.curve_fit import fit_curve
from beyond_alignment.errors import InputError

SIZES = np.array([20.0, 63.0, 200.0, 632.0, 2000.0])
NEVER, ALWAYS = Outcome.NEVER, Outcome.ALWAYS


def laws(fused, unimodal, *, sd=0.0, n_seeds=6, seed=0):
    """Two power laws (c, a, b) with noise that seeds share in part."""
    rng = np.random.default_rng(seed)
    common, *own = sd * rng.normal(size=(3, len(SIZES), n_seeds))
    return [
        c - a * SIZES[:, None] ** -b + common + noise / 2
        for (c, a, b), noise in zip((fused, unimodal), own, strict=True)
    ]


def fits(*scores, **options):
    return [fit_curve(SIZES, values, n_bootstrap=100, **options) for values in scores]


def place(found):
    """A place as a number: outcomes are infinities."""
    return {NEVER: np.inf, ALWAYS: -np.inf}.get(found, found)


def test_measured_curves_straight_in_log_n_cross_where_they_do():
    u = np.repeat(0.5 + 0.01 * np.log(SIZES)[:, None], 3, axis=1)
    f = np.repeat(0.5 + 0.03 * np.log(SIZES / 350.0)[:, None] + 0.01 * np.log(350), 3, axis=1)
    found = crossover_of_points(SIZES, f, u)
    assert found.value == pytest.approx(350.0)
    assert (found.low, found.high) == (pytest.approx(350.0), pytest.approx(350.0))
    assert (found.share_never, found.share_always, found.extrapolated) == (0, 0, False)
    assert found.words.startswith("350 spots (")


@pytest.mark.parametrize(("a", "extrapolated"), [(1.8, False), (6.6, True)])
def test_fitted_curves_cross_where_they_do(a, extrapolated):
    fused, unimodal = laws((0.8, a, 0.5), (0.7, 0.6, 0.5))  # 0.1 = (a - 0.6) / sqrt(n)
    found = crossover_of_fits(*fits(fused, unimodal))
    assert found.value == pytest.approx((10 * (a - 0.6)) ** 2, rel=2e-3)
    assert found.extrapolated is extrapolated
    assert ("extrapolated" in found.words) is extrapolated


@pytest.mark.parametrize(
    ("shift", "outcome", "shares"), [(-0.1, NEVER, (1.0, 0.0)), (0.1, ALWAYS, (0.0, 1.0)), (0.0, NEVER, (1.0, 0.0))]
)
def test_curves_that_do_not_cross(shift, outcome, shares):
    unimodal = laws((0, 0, 0), (0.7, 0.6, 0.5))[1]
    for found in (
        crossover_of_points(SIZES, unimodal + shift, unimodal),
        crossover_of_fits(*fits(unimodal + shift, unimodal)),
    ):
        assert (found.value, found.low, found.high) == (outcome, outcome, outcome)
        assert (found.share_never, found.share_always) == shares
        assert found.words == f"{outcome} (100 % of resamples)"
        assert not found.extrapolated


def test_a_touch_is_no_lead_and_the_lead_starts_there():
    unimodal = np.full((5, 4), 0.5)
    lead = np.array([0.1, 0.05, 0.0, 0.05, 0.1])[:, None]
    assert crossover_of_points(SIZES, unimodal + lead, unimodal).value == pytest.approx(200.0)
    assert crossover_of_points(SIZES, unimodal - lead, unimodal).value == NEVER


def test_only_a_lead_that_lasts_counts():
    unimodal = np.full((5, 4), 0.5)
    lost = np.array([0.1, 0.1, 0.1, 0.1, -0.1])[:, None]
    late = np.array([0.1, 0.1, -0.1, 0.1, 0.1])[:, None]
    assert crossover_of_points(SIZES, unimodal + lost, unimodal).value == NEVER
    assert crossover_of_points(SIZES, unimodal + late, unimodal).value == pytest.approx(np.sqrt(200 * 632))


def test_the_best_of_several_unimodal_paths_counts():
    steep, flat = np.linspace(0.3, 0.9, 5)[:, None], np.full((5, 1), 0.6)
    paths = np.repeat(np.stack([steep, flat]), 4, axis=2)
    fused = np.full((5, 4), 0.62)
    assert crossover_of_points(SIZES, fused, paths).value == NEVER
    assert crossover_of_points(SIZES, fused, paths[1]).value == ALWAYS
    many = fits(fused, *paths)
    assert crossover_of_fits(*many).value == NEVER
    assert crossover_of_fits(many[0], many[2]).value == ALWAYS


def test_the_interval_reaches_outcomes_and_shares_add_up():
    rng = np.random.default_rng(0)
    unimodal = np.full((5, 8), 0.5)
    noise = rng.normal(size=(5, 8))
    lead = np.linspace(-0.03, 0.01, 5)[:, None] + 0.03 * (noise - noise.mean(axis=1, keepdims=True))
    found = crossover_of_points(SIZES, unimodal + lead, unimodal)
    assert found.high == NEVER
    assert 0.025 < found.share_never < 1
    assert found.share_never + found.share_always <= 1
    assert "never within the range" in found.words


def test_intervals_cover_the_truth_as_often_as_they_say():
    truth = (10 * 1.2) ** 2
    exact = laws((0.8, 1.8, 0.5), (0.7, 0.6, 0.5))
    interpolated = crossover_of_points(SIZES, *exact).value
    for n_seeds in (3, 10):
        hits, runs = np.zeros(2), 80
        for seed in range(runs):
            scores = laws((0.8, 1.8, 0.5), (0.7, 0.6, 0.5), sd=0.02, n_seeds=n_seeds, seed=seed)
            found = crossover_of_points(SIZES, *scores, n_bootstrap=300, seed=seed)
            fitted = crossover_of_fits(*fits(*scores, seed=seed))
            hits += [place(found.low) <= interpolated <= place(found.high),
                     place(fitted.low) <= truth <= place(fitted.high)]  # fmt: skip
        assert (hits / runs >= 0.87).all(), (n_seeds, hits / runs)


def test_what_does_not_pair_is_refused():
    scores = np.full((5, 3), 0.5)
    for bad, says in (
        ((SIZES, scores, scores[:, :2]), "do not pair"),
        ((SIZES, scores[:, 0], scores[:, 0]), "do not pair"),
        ((SIZES, scores[:, :1], scores[:, :1]), "1 seeds"),
        ((SIZES, scores * np.nan, scores), "not finite"),
        ((SIZES[:4], scores, scores), "one row of scores"),
    ):
        with pytest.raises(InputError, match=says):
            crossover_of_points(*bad)
    one, other = fit_curve(SIZES, scores, n_bootstrap=10), fit_curve(SIZES, scores, n_bootstrap=20)
    for fitted, options, says in (
        ((one,), {}, "one alone"),
        ((one, other), {}, "replicates"),
        ((one, one), {"horizon": 0.5}, "at least 1"),
    ):
        with pytest.raises(InputError, match=says):
            crossover_of_fits(*fitted, **options)


@settings(max_examples=80, deadline=None)
@given(data=st.data(), n_seeds=st.integers(2, 6), n_paths=st.integers(1, 3))
def test_every_answer_lies_in_its_interval_and_in_the_range(data, n_seeds, n_paths):
    values = data.draw(st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.9]) | st.floats(0, 1), min_size=5 * n_seeds,
                                max_size=5 * n_seeds))  # fmt: skip
    fused = np.reshape(values, (5, n_seeds))
    paths = np.random.default_rng(n_seeds).uniform(size=(n_paths, 5, n_seeds)).round(1)
    found = crossover_of_points(SIZES, fused, paths, n_bootstrap=40)
    assert isinstance(found, Crossover)
    assert place(found.low) <= place(found.value) <= place(found.high)
    for end in (found.low, found.value, found.high):
        assert isinstance(end, Outcome) or 20 <= end <= 2000
    assert "nan" not in found.words
