import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from beyond_alignment.plotting.embeddings import plot_components, plot_correlations, plot_shares


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")
    assert plt.get_fignums() == []


def test_components_of_every_embedding_have_a_panel_and_every_group_a_colour():
    place, share = np.arange(8.0).reshape(4, 2), np.array([0.5, 0.25])
    figure = plot_components({"pca": (place, share), "colour_200um": (place, share)}, list("ABAB"), group_name="donor")
    assert isinstance(figure, Figure)
    assert [ax.get_title(loc="left") or ax.get_title() for ax in figure.axes] == ["pca", "colour 200um"]
    assert figure.axes[0].get_xlabel() == "first, 50%"
    assert figure.axes[0].get_ylabel() == "second, 25%"
    assert [text.get_text() for text in figure.legends[0].texts] == ["donor A", "donor B"]
    drawn = np.asarray(figure.axes[0].collections[0].get_offsets())
    np.testing.assert_array_equal(drawn[np.argsort(drawn[:, 0])], place)


def test_correlations_stand_side_by_side_on_one_scale():
    table = pd.DataFrame([[1.0, 0.3], [0.3, 1.0]], index=["a", "b"], columns=["a", "b"])
    figure = plot_correlations({"all": table, "within": table}, label="RV")
    assert isinstance(figure, Figure)
    for ax in figure.axes[:2]:
        assert ax.collections[0].get_clim() == (0.0, 1.0)
        assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b"]
    assert figure.axes[2].get_ylabel() == "RV"


def test_shares_are_drawn_where_they_are():
    shares = pd.DataFrame({"between donors": [0.1, 0.2], "between sections": [0.3, 0.4]}, index=["pca", "hallmark"])
    figure = plot_shares(shares, label="share of variance")
    assert isinstance(figure, Figure)
    (ax,) = figure.axes
    assert ax.get_xlabel() == "share of variance"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["pca", "hallmark"]
    np.testing.assert_array_equal(ax.lines[1].get_xdata(), [0.3, 0.4])
