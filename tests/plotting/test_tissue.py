import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure

from beyond_alignment.errors import InputError
from beyond_alignment.plotting.tissue import plot_overlay, plot_patches, plot_sections


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def section():
    adata = ad.AnnData(obs=pd.DataFrame({"section": ["S", "S"]}, index=["a", "b"]))
    adata.obsm["spatial"] = np.array([[100.0, 200.0], [300.0, 200.0]])
    factors = {"microns_per_pixel": 2.0, "spot_diameter_fullres": 50.0, "tissue_image_scalef": 0.5}
    adata.uns["spatial"] = {"S": {"scalefactors": factors}}
    return adata


def test_spots_have_their_place_and_diameter_and_the_bar_its_length():
    ax = Figure().add_subplot()
    figure = plot_overlay(section(), "S", np.zeros((200, 400, 3), dtype=np.uint8), ax=ax, max_px=100)
    (circles,) = (c for c in ax.collections if isinstance(c, EllipseCollection))
    assert figure is ax.get_figure()
    np.testing.assert_array_equal(circles.get_offsets(), section().obsm["spatial"])
    np.testing.assert_allclose(circles.get_widths(), 50.0)
    np.testing.assert_allclose(np.ptp(ax.lines[0].get_xdata()), 500.0 / 2.0)
    assert ax.texts[0].get_text() == "500 um"
    assert ax.images[0].get_extent() == [0.0, 800.0, 400.0, 0.0]
    assert ax.images[0].get_array().shape == (50, 100, 3)
    assert ax.get_title() == "S: 2 spots\nimage 4.00 um/px"


def test_overlay_of_an_absent_section_is_refused():
    with pytest.raises(InputError, match="'Z'"):
        plot_overlay(section(), "Z", np.zeros((9, 9, 3), dtype=np.uint8))


def test_patches_of_the_same_spots_stand_below_each_other():
    patches = {view: np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), np.uint8)
               for view in (100.0, 600.0)}  # fmt: skip
    figure = plot_patches({"A1": patches, "B1": patches}, n=3)
    shown = [int(ax.images[0].get_array()[0, 0, 0]) for ax in figure.axes]
    assert shown == 4 * [1, 2, 3]
    assert [figure.axes[i].get_ylabel() for i in (0, 3)] == ["100 um", "600 um"]
    assert [block.get_suptitle() for block in figure.subfigs] == ["Section A1", "Section B1"]


def test_patches_of_different_spots_are_refused():
    one, two = np.zeros((1, 4, 4, 3), np.uint8), np.zeros((2, 4, 4, 3), np.uint8)
    for wrong in ({}, {100.0: one, 200.0: two}, {100.0: one[:0]}):
        with pytest.raises(InputError, match="same spots"):
            plot_patches({"A1": wrong})


def test_a_window_shows_its_width_around_the_middlemost_spot():
    image = np.zeros((200, 400, 3), dtype=np.uint8)
    figure = plot_overlay(section(), "S", image, window_um=160.0)
    (ax,) = figure.axes
    np.testing.assert_allclose(ax.get_xlim(), (60.0, 140.0))
    np.testing.assert_allclose(ax.get_ylim(), (240.0, 160.0))
    assert ax.images[0].get_array().shape == (40, 40, 3)
    assert ax.get_title(loc="center") + ax.get_title(loc="left") == "S, 160 um"
    assert ax.texts[0].get_text() == "200 um"


def test_sections_stand_side_by_side_with_a_window_below_each(monkeypatch):
    image = np.zeros((200, 400, 3), dtype=np.uint8)
    monkeypatch.setattr("beyond_alignment.plotting.tissue.read_image", lambda adata, name: image)
    axes = plot_sections([(section(), "S"), (section(), "S")], window_um=160.0).axes
    titles = [ax.get_title(loc="center") + ax.get_title(loc="left") for ax in axes]
    assert titles == ["S: 2 spots\nimage 4.00 um/px"] * 2 + ["S, 160 um"] * 2
