import numpy as np
import pandas as pd
import pytest

from beyond_alignment.errors import InputError
from beyond_alignment.tasks import verify_release as checking
from tests.tissue import make_tissue


def tissue():
    adata = make_tissue(side=4)
    rng = np.random.default_rng(0)
    adata.obsm["X_hallmark"] = rng.normal(size=(adata.n_obs, 10)).astype(np.float32)
    adata.uns["hallmark"] = {"params": {"expert": "hallmark"}}
    adata.obs["task_cell_type"] = pd.Categorical(np.where(rng.random(adata.n_obs) < 0.5, "a", "b"))
    return adata


def test_the_same_data_agree_and_rounding_is_forgiven():
    released, again = tissue(), tissue()
    released.obsm["X_hallmark"] = np.rint(released.obsm["X_hallmark"] * 512) / 512
    (row,) = checking.compare_embeddings(released, again[5:20]).to_dict("records")
    assert row["agrees"]
    assert row["spots"] == 15
    assert 0 < row["max_difference"] <= 0.5 / 512
    assert row["agreement"] == pytest.approx(1.0, abs=1e-4)


def test_one_spot_that_differs_is_noticed():
    released, again = tissue(), tissue()
    again.obsm["X_hallmark"][3] *= -1
    (row,) = checking.compare_embeddings(released, again).to_dict("records")
    assert not row["agrees"]
    assert row["agreement"] == pytest.approx(-1.0)


def test_labels_agree_where_both_are_missing_and_not_where_one_is():
    released, again = tissue(), tissue()
    for adata in (released, again):
        adata.obs.iloc[0, adata.obs.columns.get_loc("task_cell_type")] = None
    assert checking.compare_labels(released, again)["agreement"].item() == 1.0
    again.obs.iloc[1:3, again.obs.columns.get_loc("task_cell_type")] = None
    (row,) = checking.compare_labels(released, again).to_dict("records")
    assert row["agreement"] == pytest.approx(1 - 2 / again.n_obs)
    assert not row["agrees"]


def test_spots_of_other_data_are_refused():
    again = tissue()
    again.obs_names = [f"other_{name}" for name in again.obs_names]
    with pytest.raises(InputError, match="no spot other_A1_0x0"):
        checking.compare_embeddings(tissue(), again)


def test_spots_are_drawn_from_every_section_and_by_the_seed():
    adata = tissue()
    names = checking.draw_spots(adata, n_spots=3, seed=0)
    assert adata[names].obs["section"].value_counts().tolist() == [3, 3, 3]
    assert names == checking.draw_spots(adata, n_spots=3, seed=0) != checking.draw_spots(adata, n_spots=3, seed=1)
    assert len(checking.draw_spots(adata, n_spots=99, seed=0)) == adata.n_obs
