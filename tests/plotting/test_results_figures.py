import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.figure import Figure

from beyond_alignment import plotting
from beyond_alignment.plotting.scores import plot_field_of_view

METHODS = ("expression_only", "morphology_only", "concat", "late_average")


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")
    assert plt.get_fignums() == []


def scores():
    return pd.DataFrame(
        {"task": task, "made_from": "neighbours", "method": method, "field_um": field, "value": 0.5, "low": 0.4}
        | {"high": 0.6}
        for task in ("niche", "domain")
        for method in METHODS
        for field in (100, 600)
    )


def gains():
    return pd.DataFrame({"task": ["niche", "domain"], "made_from": "neighbours", "gain": [0.1, -0.1],
                         "low": [0.0, -0.2], "high": [0.2, 0.0]})  # fmt: skip


FIGURES = {
    "scores": (lambda: plotting.plot_scores(scores()[scores()["field_um"] == 100], label="macro-F1"), "macro-F1"),
    "gains": (lambda: plotting.plot_gains(gains(), label="gain"), "gain"),
    "fields": (
        lambda: plot_field_of_view(scores(), tasks=["niche", "domain"], fields_um=[100, 600], label="bits"),
        "field of view",
    ),
    "spectrum": (
        lambda: plotting.plot_spectrum([0.9, 0.5, 0.2], [0.2, 0.2, 0.1], 0.2),
        "canonical",
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_comes_back_with_labelled_axes(name):
    draw, label = FIGURES[name]
    figure = draw()
    assert isinstance(figure, Figure)
    figure.canvas.draw()
    words = [text for ax in figure.axes for text in (ax.get_xlabel(), ax.get_ylabel())]
    assert any(label in text for text in words)
    assert any(ax.lines or ax.collections for ax in figure.axes)


def test_the_style_keeps_a_white_ground():
    with plt.rc_context():
        plotting.use_style()
        assert plt.rcParams["figure.facecolor"] == plt.rcParams["savefig.facecolor"] == "white"
