"""Figures of the collapse say what the tables say."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from beyond_alignment.plotting.collapse import (
    HEADS,
    LEAST,
    plot_descent,
    plot_dial,
    plot_shares_by_directions,
    plot_shares_by_size,
)
from beyond_alignment.plotting.collapse_picture import plot_collapse
from beyond_alignment.plotting.style import BLUE, GREEN

METHODS = {"second_order": "proved", "clip": "measured", "barlow_twins": "other", "cca": "proved"}


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def angles():
    return pd.DataFrame(
        [
            {"method": method, "n": n, "seed": seed, "steps": steps, "angle": 1e-9 if method == "cca" else angle + seed}
            for method in METHODS
            for n in (100, 1000)
            for seed in (0, 1)
            for steps, angle in ([(0, 0.0)] if method == "cca" else [(10, 60.0 if n == 1000 else 70.0), (500, 2.0)])
        ]
    )


def found():
    return pd.DataFrame([{"method": m, "theory": theory, "label": m.upper()} for m, theory in METHODS.items()])


def drawn(ax):
    """Points of every line with more than the two ends of a reference line."""
    return [line.get_xydata().tolist() for line in ax.lines if line.get_marker() == "o"]


def test_descent_is_drawn_by_steps_above_and_by_samples_below_a_column_a_verdict_of_theory():
    figure = plot_descent(angles(), found())
    above, below = figure.axes[:3], figure.axes[3:]
    assert [ax.get_title() for ax in above] == ["theory: found", "no proof", "theory: another subspace"]
    for ax in above:
        assert drawn(ax) == [[[10, 60.5], [500, 2.5]]]
        assert ax.get_xlabel() == "training steps, 1,000 samples"
        assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
        assert any(set(line.get_ydata()) == {5.0} for line in ax.lines)
    for ax in below:
        assert drawn(ax) == [[[100, 2.5], [1000, 2.5]]]
        assert ax.get_xlabel() == "paired samples, 500 steps"
        assert [text.get_text() for text in ax.get_xticklabels()] == ["100", "1,000"]
    assert above[0].get_ylabel() == "largest principal angle"
    assert [text.get_text() for ax in figure.axes for text in ax.texts] == ["SECOND_ORDER", "CLIP", "BARLOW_TWINS"]
    band = above[0].collections[0].get_paths()[0].get_extents()
    assert (band.ymin, band.ymax) == (2, 61)


def test_a_tiny_angle_is_not_drawn_below_the_axis():
    table = angles().assign(angle=lambda t: t["angle"] * np.where(t["n"] == 1000, 1e-4, 1))
    figure = plot_descent(table, found())
    assert drawn(figure.axes[3]) == [[[100, 2.5], [1000, LEAST]]]
    assert figure.axes[0].get_ylim()[0] <= LEAST


def shares(x):
    return pd.DataFrame(
        [
            {"contender": name, "head": head, x: at, "seed": seed, "label": label, "probe": probe}
            | {"share": (0.1 * number + 0.1 * seed) if probe == "mlp" else 9.0}
            for name, head in (("cca_linear", "linear"), ("clip_nonlinear", "nonlinear"), ("bilinear", "interaction"))
            for at in (4, 16)
            for seed in (0, 1)
            for number, label in enumerate(("redundant", "xor"))
            for probe in ("linear", "mlp")
        ]
    )


def test_shares_are_drawn_a_panel_a_label_a_colour_a_head():
    figure = plot_shares_by_size(shares("n"), labels=["xor", "redundant"])
    assert [ax.get_title() for ax in figure.axes] == ["exclusive or (synergy)", "redundant label"]
    xor = [line for line in figure.axes[0].lines if line.get_marker() in {"o", "s", "D"}]
    assert [to_hex(line.get_color()) for line in xor] == [
        HEADS[head][1].lower() for head in ("linear", "nonlinear", "interaction")
    ]
    for line in xor:
        assert line.get_xydata() == pytest.approx(np.array([[4, 0.15], [16, 0.15]]))
    assert figure.axes[0].get_xscale() == "log"
    assert figure.axes[0].get_ylim() == pytest.approx((-0.06, 1.06))
    assert figure.axes[0].get_ylabel() == "share of the label's information"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        HEADS[head][0] for head in ("linear", "nonlinear", "interaction")
    ]


def test_directions_are_drawn_with_the_number_that_is_shared():
    figure = plot_shares_by_directions(shares("n_directions"), labels=["xor", "redundant"])
    for ax in figure.axes:
        assert any(set(line.get_xdata()) == {4.5} for line in ax.lines)
        assert ax.get_xscale() == "linear"
        assert ax.get_xlabel() == "directions kept a side"
    assert [text.get_text() for text in figure.axes[0].texts] == ["shared"]


def test_theory_lies_beneath_the_points_of_the_dial():
    table = pd.DataFrame(
        [
            {"contender": name, "head": head, "synergy_share": share, "seed": seed, "probe": "mlp"}
            | {"accuracy": 0.7 + 0.1 * seed, "bits": 0.3, "aligned_accuracy": 1 - share / 2, "joint_accuracy": 1.0}
            | {"aligned_bits": 1 - share, "joint_bits": 1.0}
            for name, head in (("cca_linear", "linear"), ("bilinear", "interaction"))
            for share in (1.0, 0.0, 0.5)
            for seed in (0, 1)
        ]
    )
    figure = plot_dial(table)
    assert [ax.get_ylabel() for ax in figure.axes] == ["accuracy", "bits about the label"]
    for ax, aligned in zip(figure.axes, ([1, 0.75, 0.5], [1, 0.5, 0]), strict=True):
        theory = {to_hex(line.get_color()): line for line in ax.lines if line.get_linewidth() == 7}
        assert theory[BLUE.lower()].get_xydata().tolist() == [[s, a] for s, a in zip((0, 0.5, 1), aligned, strict=True)]
        assert list(theory[GREEN.lower()].get_ydata()) == [1, 1, 1]
        points = [line for line in ax.lines if line.get_linewidth() != 7]
        assert len(points) == 2
        assert all(line.get_zorder() > theory[BLUE.lower()].get_zorder() for line in points)
        assert points[0].get_xdata() == pytest.approx(np.array([0, 0.5, 1]) - 0.006)
    assert figure.axes[0].lines[2].get_ydata() == pytest.approx([0.75] * 3)
    assert "theory: shared directions" in [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.parametrize("most", [0.3, 7.6])
def test_the_picture_is_drawn_from_what_was_computed(most):
    rng = np.random.default_rng(0)
    grid = np.linspace(-2, 2, 5)
    picture = {
        "labels": np.array([0, 1, 1, 0]),
        "aligned": rng.standard_normal((4, 2)),
        "halves": rng.standard_normal((4, 2)),
        "grid": grid,
        "log_odds": -np.outer(grid, grid) * most / 4,
        "aligned_accuracy": 0.512,
        "joint_accuracy": 0.987,
    }
    left, right, bar = plot_collapse(picture).axes
    assert (left.get_title(), right.get_title()) == ("aligned subspace: accuracy 0.51", "joint manifold: accuracy 0.99")
    for ax, points in ((left, picture["aligned"]), (right, picture["halves"])):
        dots = [one.get_offsets().data for one in ax.collections if len(one.get_offsets()) == 2]
        assert np.concatenate(dots) == pytest.approx(points[[0, 3, 1, 2]])
    assert right.get_xlim()[0] <= -2 < 2 <= right.get_xlim()[1]
    assert bar.get_ylabel() == "learnt log-odds, nats"
    assert bar.get_ylim() == pytest.approx((-most, most))  # ticks do not widen it
    assert bar.get_yticks() == pytest.approx([-most, 0, most])
    assert [text.get_text() for text in bar.get_yticklabels()][-1] == f"{most}"
    assert left.get_xlabel() == "canonical variate of expression"
