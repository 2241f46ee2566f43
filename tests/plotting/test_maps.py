import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from beyond_alignment.errors import InputError
from beyond_alignment.plotting.maps import UNLABELLED, group_colours, plot_labels, plot_transcripts


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")
    assert plt.get_fignums() == []


def tissue(classes=("a", "b")):
    labels = [classes[i % len(classes)] for i in range(8)]
    adata = ad.AnnData(
        obs=pd.DataFrame({"section": ["S"] * 4 + ["T"] * 4, "task_niche": labels}, index=list("abcdefgh"))
    )
    adata.obs["task_niche"] = pd.Categorical(adata.obs["task_niche"])
    adata.obsm["spatial"] = np.array([[0, 0], [100, 0], [0, 100], [100, 100]] * 2, dtype=float)
    factors = {"microns_per_pixel": 2.0, "spot_diameter_fullres": 50.0}
    adata.uns["spatial"] = {name: {"scalefactors": factors} for name in "ST"}
    adata.uns["task_niche"] = {"made_from": "neighbours"}
    return adata


def test_labels_are_drawn_in_millimetres_with_their_origin():
    adata = tissue()
    adata.obs.iloc[0, 1] = None
    figure = plot_labels(adata, "niche", sections=["S", "T"])
    assert isinstance(figure, Figure)
    assert figure.get_suptitle() == "niche, made from: neighbours"
    assert [ax.get_title() for ax in figure.axes] == ["S", "T"]
    assert all(ax.get_xlabel() == "mm" for ax in figure.axes)
    assert figure.axes[0].get_ylabel() == "mm"
    spots = figure.axes[0].collections[0]
    np.testing.assert_allclose(spots.get_offsets().max(axis=0), 0.2)
    np.testing.assert_allclose(spots.get_widths(), 0.1)
    assert tuple(spots.get_facecolors()[0]) == to_rgba(UNLABELLED)
    assert [text.get_text() for text in figure.legends[0].texts] == ["a", "b", "no label"]


def test_labels_that_cannot_be_drawn_are_refused():
    with pytest.raises(InputError, match="task_region"):
        plot_labels(tissue(), "region", sections=["S"])
    with pytest.raises(InputError, match="7 classes"):
        plot_labels(tissue(classes="abcdefg"), "niche", sections=["S"])
    with pytest.raises(InputError, match="'Z'"):
        plot_labels(tissue(), "niche", sections=["Z"])


def test_transcripts_lie_in_microns_on_the_image():
    image = np.zeros((40, 80, 3), dtype=np.uint8)
    transcripts = pd.DataFrame({"gene": ["A", "A", "B"], "x": [0.0, 40.0, 80.0], "y": [0.0, 20.0, 40.0]})
    figure = plot_transcripts(image, transcripts, genes=["A"], microns_per_pixel=0.5)
    assert isinstance(figure, Figure)
    both = figure.axes[1]
    np.testing.assert_allclose(both.collections[0].get_offsets(), [[0.0, 0.0], [20.0, 10.0]])
    assert both.images[0].get_extent() == [0.0, 40.0, 20.0, 0.0]
    assert [ax.get_xlabel() for ax in figure.axes] == ["µm", "µm"]
    assert figure.axes[0].get_ylabel() == "µm"
    assert figure.legends[0].texts[0].get_text() == "A (2)"


def test_genes_that_cannot_be_drawn_are_refused():
    transcripts = pd.DataFrame({"gene": ["A"], "x": [0.0], "y": [0.0]})
    image = np.zeros((4, 4, 3), dtype=np.uint8)
    with pytest.raises(InputError, match="no transcript of B"):
        plot_transcripts(image, transcripts, genes=["B"], microns_per_pixel=1.0)
    with pytest.raises(InputError, match="0 genes"):
        plot_transcripts(image, transcripts, genes=[], microns_per_pixel=1.0)


def test_groups_have_colours_of_their_own():
    colours = group_colours(["x", "y", "x", "z"])
    assert list(colours) == ["x", "y", "z"]
    assert len(set(colours.values())) == 3
