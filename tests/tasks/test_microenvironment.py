"""Tumour beside immune cells, mixing, and bacteria around: what is around a spot, the spot itself left out."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.datasets import spatial_graph
from beyond_alignment.tasks.microenvironment import label_bacteria_around, label_interface, label_mixing
from beyond_alignment.tasks.niche import neighbour_composition
from tests.tissue import TYPES, make_tissue


@pytest.fixture
def tissue():
    """Left half tumour, right half immune cells, in every section."""
    adata = make_tissue(side=10)
    spatial_graph(adata, radius_um=300.0)
    left = adata.obs["array_x"].to_numpy() < 5
    pure = np.where(left[:, None], np.eye(8)[TYPES.index("Epithelial")], np.eye(8)[TYPES.index("T-cells")])
    adata.obsm["composition"] = pd.DataFrame(pure, index=adata.obs_names, columns=list(TYPES))
    return adata


def test_the_interface_is_where_tumour_meets_immune_cells(tissue):
    neighbour_composition(tissue)
    label_interface(tissue)
    found = tissue.obs["task_interface"]
    border = tissue.obs["array_x"].isin([4, 5])
    assert (found[border] == "high").all()
    assert (found[tissue.obs["array_x"].isin([0, 9])] != "high").mean() > 0.8
    assert tissue.uns["task_interface"]["made_from"] == "neighbours"


def test_mixing_is_highest_at_the_border_and_even_within_each_donor(tissue):
    label_mixing(tissue, "mob_mixing", tissue.obsm["composition"])
    assert (tissue.obs["task_mob_mixing"][tissue.obs["array_x"].isin([4, 5])] == "high").all()
    table = pd.crosstab(tissue.obs["donor"], tissue.obs["task_mob_mixing"])
    assert (table.max(axis=1) - table.min(axis=1) <= 1).all()


def test_bacteria_are_counted_around_a_spot_and_not_on_it(tissue):
    bears = np.zeros(tissue.n_obs, dtype=int)
    bears[44] = 3
    tissue.obs["bacterial_umis"] = bears
    label_bacteria_around(tissue)
    found = tissue.obs["task_bacteria_around"]
    assert found.iloc[44] == "none"
    assert (found == "up to half").sum() == 8
    tissue.obs["bacterial_umis"] = 1
    label_bacteria_around(tissue)
    assert set(tissue.obs["task_bacteria_around"]) == {"most"}
    assert tissue.uns["task_bacteria_around"]["made_from"] == "independent"
