"""A niche is what is around a spot, without the spot."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.datasets import spatial_graph
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.niche import fit_niches, label_niches, neighbour_composition, neighbour_mean, shares
from tests.tissue import TYPES, make_tissue


@pytest.fixture
def tissue():
    adata = make_tissue()
    spatial_graph(adata, radius_um=300.0)
    return adata


def test_the_spot_itself_has_no_say_in_its_niche(tissue):
    before = neighbour_composition(tissue).copy()
    spot = 20
    tissue.obsm["composition"].iloc[spot] = np.eye(len(TYPES))[0]
    after = neighbour_composition(tissue)
    assert np.allclose(before.iloc[spot], after.iloc[spot])
    assert not np.allclose(before, after)  # but it has one in its neighbours'


def test_neighbour_mean_equals_a_slow_loop(tissue):
    values = tissue.obsm["composition"].to_numpy()
    place = tissue.obs[["array_x", "array_y"]].to_numpy()
    section = tissue.obs["section"].to_numpy()
    slow = np.full(values.shape, np.nan)
    for i in range(tissue.n_obs):
        near = (np.abs(place - place[i]).max(axis=1) == 1) & (section == section[i])  # the eight around it
        slow[i] = values[near].mean(axis=0)
    assert np.allclose(neighbour_mean(tissue, values), slow)


def test_too_few_neighbours_give_no_label(tissue):
    alone = tissue[:2].copy()
    assert np.isnan(neighbour_mean(alone, alone.obsm["composition"].to_numpy())).all()


def test_shares_of_a_pure_and_of_an_even_neighbourhood():
    around = pd.DataFrame([np.eye(8)[3], np.full(8, 1 / 8)], columns=list(TYPES))
    found = shares(around)
    assert found["niche_epithelial"].tolist() == pytest.approx([1, 1 / 8])
    assert found["niche_immune"].tolist() == pytest.approx([0, 4 / 8])
    assert found["niche_mixing"].tolist() == pytest.approx([0, 3])  # log2 8


def test_tertiles_are_even_within_each_donor(tissue):
    definition = fit_niches(neighbour_composition(make_with_graph(seed=1)), n_niches=3)
    label_niches(tissue, definition)
    table = pd.crosstab(tissue.obs["donor"], tissue.obs["task_niche_mixing"])
    assert (table.max(axis=1) - table.min(axis=1) <= 1).all()
    assert tissue.uns["task_niche"]["made_from"] == "neighbours"


def test_niches_are_fixed_by_the_reference_alone(tissue):
    definition = fit_niches(neighbour_composition(make_with_graph(seed=1)), n_niches=3)
    label_niches(tissue, definition)
    half = tissue[tissue.obs["donor"] == "B"].copy()
    label_niches(half, definition)
    assert (half.obs["task_niche"].astype(str) == tissue.obs.loc[half.obs_names, "task_niche"].astype(str)).all()


def test_a_graph_is_asked_for():
    with pytest.raises(InputError, match="spatial_graph"):
        neighbour_mean(make_tissue(), np.zeros((192, 1)))


def make_with_graph(*, seed):
    adata = make_tissue(seed=seed)
    spatial_graph(adata, radius_um=300.0)
    return adata
