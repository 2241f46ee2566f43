"""Figures of fitted curves, crossovers and compute: what is drawn is what was found."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from beyond_alignment.benchmark import CONTESTANTS
from beyond_alignment.benchmark.crossover import Outcome, crossover_of_fits, crossover_of_points
from beyond_alignment.benchmark.curve_fit import fit_curve
from beyond_alignment.benchmark.pareto import on_front
from beyond_alignment.errors import InputError
from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.plotting.learning_curves import method_styles, plot_fitted_curves
from beyond_alignment.plotting.pareto import plot_pareto

SIZES = np.array([20.0, 63.0, 200.0, 632.0, 2000.0])
LAWS = {"expression_only": (0.7, 0.6), "concat": (0.8, 1.8), "low_rank": (0.9, 1.0), "bottleneck": (0.6, 1.0)}


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def made():
    """Fits and crossovers: one at 144 spots, one from the start on, one never."""
    noise = 0.002 * np.random.default_rng(0).normal(size=(5, 6))
    scores = {m: (c - a * SIZES**-0.5)[:, None] + noise for m, (c, a) in LAWS.items()}
    fits = {("niche", "donor", m): fit_curve(SIZES, s, n_bootstrap=50) for m, s in scores.items()}
    crossovers = {
        ("niche", "donor", m): {
            "points": crossover_of_points(SIZES, scores[m], scores["expression_only"], n_bootstrap=50),
            "fits": crossover_of_fits(fits["niche", "donor", m], fits["niche", "donor", "expression_only"]),
        }
        for m in list(LAWS)[1:]
    }
    return fits, crossovers


@pytest.mark.parametrize("way", ["points", "fits"])
def test_crossovers_stand_where_they_are_and_outcomes_in_words(way):
    fits, crossovers = made()
    figure = plot_fitted_curves(fits, panels_of=[("niche", "donor")], methods=list(LAWS), label="macro-F1",
                                crossovers=crossovers, way=way)  # fmt: skip
    figure.canvas.draw()
    ax = figure.axes[0]
    drawn = [float(line.get_xdata()[0]) for line in ax.lines if len(line.get_xdata()) == 1]
    assert crossovers["niche", "donor", "concat"][way].value in drawn
    words = [text.get_text() for text in ax.texts]
    assert sorted(words) == sorted([Outcome.ALWAYS, Outcome.NEVER])
    assert (ax.get_xscale(), ax.get_xlabel(), ax.get_ylabel()) == ("log", "paired training spots", "macro-F1")
    assert max(ax.get_yticks()) < ax.get_ylim()[1]
    assert len(figure.legends[0].get_texts()) == len(LAWS)


def test_the_fit_is_drawn_as_it_predicts_and_dashed_beyond_what_was_measured():
    fits, _ = made()
    figure = plot_fitted_curves(fits, panels_of=[("niche", "donor")], methods=["concat"], label="macro-F1")
    _, inside, beyond = figure.axes[0].lines
    fit = fits["niche", "donor", "concat"]
    assert (inside.get_linestyle(), beyond.get_linestyle()) == ("-", "--")
    assert (inside.get_xdata()[-1], beyond.get_xdata()[-1]) == pytest.approx((2000, 20_000))
    assert beyond.get_ydata()[-1] == pytest.approx(fit.predict(20_000).value)
    band = figure.axes[0].collections[-1].get_paths()[0].vertices
    assert band[:, 1].max() == pytest.approx(max(fit.predict(n).high for n in np.geomspace(2000, 20_000, 121)))


def test_the_gap_is_straight_on_two_log_axes():
    fits, _ = made()
    figure = plot_fitted_curves(fits, panels_of=[("niche", "donor")], methods=["concat"], label="macro-F1", scale="gap")
    _, line, _ = figure.axes[0].lines
    slopes = np.diff(np.log(line.get_ydata())) / np.diff(np.log(line.get_xdata()))
    assert slopes == pytest.approx(-fits["niche", "donor", "concat"].exponent)
    assert figure.axes[0].get_yscale() == "log"


def test_flat_and_missing_curves_are_drawn():
    flat = fit_curve(SIZES, np.full((5, 3), 0.5), n_bootstrap=20)
    for scale in ("score", "gap"):
        fits = {("niche", "donor", "concat"): flat, ("domain", "block", "low_rank"): flat}
        figure = plot_fitted_curves(fits, panels_of=[("niche", "donor"), ("domain", "block")], label="macro-F1",
                                    methods=["concat", "low_rank"], crossovers={}, scale=scale, horizon=1)  # fmt: skip
        figure.canvas.draw()
        assert [ax.get_title(loc="left") or ax.get_title() for ax in figure.axes] == [
            "niche (donor)\n(from neighbours)",
            "domain (block)\n(from neighbours)",
        ]


def test_methods_of_a_family_are_told_apart():
    styles = method_styles(FUSION_METHODS)
    assert all(to_hex(colour) for colour, _ in styles.values())
    interaction = [m for m, record in FUSION_METHODS.items() if record.family == "interaction"]
    assert len({styles[m] for m in interaction}) == len(interaction)
    drawn = [styles[m][0] for m in CONTESTANTS]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("beside", [[], ["comm", "bottleneck"], ["clip", "gated", "tensor_fusion"]])
@pytest.mark.parametrize("method", CONTESTANTS)
def test_a_method_looks_the_same_whatever_stands_beside_it(method, beside):
    assert method_styles([*beside, method])[method] == method_styles(FUSION_METHODS)[method]


def costs():
    return pd.DataFrame(
        {"method": ["expression_only", "concat", "low_rank", "clip"], "score": [0.6, 0.7, 0.8, 0.65],
         "seconds": [0.1, 1.0, 10.0, 20.0], "parameters": [0, 0, 120_000, 300_000]}
    ).assign(low=lambda t: t["score"] - 0.02, high=lambda t: t["score"] + 0.02)  # fmt: skip


def test_compute_has_a_panel_a_cost_and_fills_the_front():
    figure = plot_pareto(costs(), label="macro-F1")
    figure.canvas.draw()
    assert [ax.get_xlabel() for ax in figure.axes] == ["training time (seconds)", "trained parameters"]
    assert [ax.get_xscale() for ax in figure.axes] == ["log", "symlog"]
    filled = [[line.get_markerfacecolor() != "white" for line in ax.lines[:4]] for ax in figure.axes]
    assert filled == [[True, True, True, False], [False, True, True, False]]


def test_costs_that_are_none_are_refused():
    with pytest.raises(InputError, match="none of the costs"):
        plot_pareto(costs()[["method", "score", "low", "high"]], label="x")
    with pytest.raises(InputError, match="negative or not finite"):
        plot_pareto(costs().assign(seconds=-1.0), label="x")


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=8))
def test_the_front_is_what_no_other_point_dominates(points):
    cost, score = np.array(points, dtype=float).reshape(-1, 2).T
    slow = [
        not any((c <= a and s >= b) and (c < a or s > b) for c, s in points)
        for a, b in points
    ]  # fmt: skip
    assert on_front(cost, score).tolist() == slow


def test_a_front_of_nan_is_refused():
    with pytest.raises(InputError, match="hold NaN"):
        on_front([1.0, np.nan], [1.0, 2.0])
