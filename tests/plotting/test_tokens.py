"""Figures of token-level fusion show what they are given."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from beyond_alignment import plotting
from beyond_alignment.errors import InputError
from beyond_alignment.plotting.style import use_style
from tests.tokens.fields import lattice, tiles_at

RNG = np.random.default_rng(0)
ARMS = ("min_mae", "expression_tile", "late_concat_token_frozen", "early_add_trained")


@pytest.fixture(autouse=True)
def _style():
    with mpl.rc_context():
        use_style()
        yield


@pytest.fixture(scope="module")
def tiles():
    n = 30
    return tiles_at(
        np.tile(lattice(5, 3, 16.0), (2, 1)), group=np.repeat(["a", "b"], 15), core=RNG.poisson(3.0, (n, 6)),
        targets=RNG.normal(1.0, 0.3, (n, 4)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def scores():
    rows = [{"arm": a, "label": a.upper(), "fold": f, "spearman": RNG.uniform()} for a in ARMS for f in "xyz"]
    return pd.DataFrame(rows)


def test_arms_are_ordered_by_their_mean(scores):
    figure = plotting.plot_arms(scores)
    shown = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    means = scores.groupby("label")["spearman"].mean().sort_values(ascending=False)
    assert shown == list(means.index)
    points = [line for line in figure.axes[0].lines if line.get_marker() == "."]
    assert [len(line.get_xdata()) for line in points] == [3] * 4


def test_settings_have_a_panel_each(scores):
    both = pd.concat([scores.assign(setting="one"), scores.assign(setting="two")])
    assert [ax.get_title(loc="left") for ax in plotting.plot_arms(both).axes] == ["one", "two"]


def test_an_unknown_arm_is_named(scores):
    with pytest.raises(InputError, match="no arm 'nonsense'"):
        plotting.plot_arms(scores.assign(arm="nonsense"))


def test_predictability_names_the_rank_correlation():
    table = pd.DataFrame({"largest_r": [0.1, 0.2, 0.3], "ridge_r2": [0.3, 0.2, 0.1], "core_share": [0, 0.5, 1.0]})
    figure = plotting.plot_predictability(table.assign(spearman=[0.2, 0.4, 0.6]), label="arm")
    assert [ax.get_title(loc="left").split()[-1] for ax in figure.axes] == ["1.00", "-1.00", "1.00"]


def test_examples_are_drawn_by_group(tiles):
    figure = plotting.plot_example_tiles(tiles, n=2)
    assert [ax.get_title(loc="left") for ax in figure.axes[:2]] == ["a", "b"]


def test_the_worth_of_clusters_is_a_mean_over_folds():
    table = pd.DataFrame({"arm": "expression_token", "fold": list("aabb"), "coherence": [0.1, 0.3, 0.5, 0.7],
                          "molecular": [0.2, 0.2, 0.4, 0.4]})  # fmt: skip
    ax = plotting.plot_cluster_worth(table).axes[0]
    np.testing.assert_allclose(ax.lines[1].get_xydata(), [[0.4, 0.3]])
    np.testing.assert_allclose(ax.lines[0].get_xdata(), [0.2, 0.6])


def test_meeting_is_drawn_as_means_over_folds():
    rows = [
        {"arm": arm, "co_location_um": um, "fold": fold, "spearman": value + add}
        for arm, value in (("nuclei_meeting_core_in_patch", 0.9), ("nuclei_meeting_core_in_tile", 0.7),
                           ("nuclei_and_core", 0.6))
        for um in (20.0, 80.0)
        for fold, add in (("a", -0.05), ("b", 0.05))
    ]  # fmt: skip
    ax = plotting.plot_meeting(pd.DataFrame(rows), tile_um=128.0, patch_um=32.0).axes[0]
    assert [line.get_ydata()[0] for line in ax.lines[:3]] == pytest.approx([0.9, 0.7, 0.6])
    assert ax.texts[0].get_text() == "met in each patch"
