"""What alignment keeps of tasks on synthetic tissue with a shared bit and a private one."""

import sys

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.alignment.retained_terms import COLUMNS, RETAINED_TERMS, InformationRetained
from beyond_alignment.benchmark import PointStore
from beyond_alignment.benchmark.tissue_pairs import task_contests, tissue_pair
from beyond_alignment.benchmark.tissue_retained import ALIGNED, RAW, terms_on_tissue, told_on_tissue
from beyond_alignment.tasks.labels import set_labels, set_targets
from tests.tissue import make_tissue

TASKS = ("niche", "niche_immune")
EXPERTS = {"expression": "pca", "morphology": "mobilenetv2", "field_um": 600}


@pytest.fixture(scope="module")
def tissue():
    adata = make_tissue(side=10, sections=("A1", "B1", "C1", "D1"))
    rng = np.random.default_rng(0)
    n = adata.n_obs
    shared, private = rng.integers(0, 2, (2, n))
    first = np.column_stack([2 * shared - 1, 2 * private - 1, rng.normal(size=(n, 4))])
    second = np.column_stack([2 * shared - 1, rng.normal(size=(n, 4))])
    adata.obsm["X_pca"] = first + 0.3 * rng.normal(size=first.shape)
    adata.obsm["X_mobilenetv2_200um"] = second + 0.3 * rng.normal(size=second.shape)
    set_labels(adata, "niche", np.array(["a", "b"])[shared])
    set_labels(adata, "niche_immune", np.array(["a", "b"])[private])
    set_targets(adata, "composition", adata.obsm["composition"])
    return adata


def test_a_linear_probe_loses_the_private_bit_to_one_direction_and_has_it_back_with_all(tissue):
    table = told_on_tissue({"her2st": tissue}, tasks=TASKS, directions=(1, 5))
    assert table["made_from"].unique().tolist() == ["neighbours"]
    assert table["unit"].unique().tolist() == ["donor"]
    bits = table.set_index(["task", "representation", "directions"])["bits"]
    assert bits["niche", RAW, 0] > 0.85
    assert bits["niche", ALIGNED, 1] > 0.85
    assert bits["niche_immune", RAW, 0] > 0.85
    assert bits["niche_immune", ALIGNED, 1] < 0.05
    assert bits["niche", ALIGNED, 5] == pytest.approx(bits["niche", RAW, 0], abs=0.03)
    assert (table["low_bits"] <= table["bits"]).all()
    assert (table["bits"] <= table["high_bits"]).all()
    assert np.allclose(table["bits"], table["fraction"] * table["entropy"])


def test_tasks_that_are_not_there_are_left_out_and_compositions_become_classes(tissue):
    tasks = ("domain", "composition", "niche")
    contests = task_contests({"her2st": tissue}, tasks, **EXPERTS)
    assert [(c.task, c.split, c.morphology) for c in contests] == [
        ("composition", "donor", "mobilenetv2_200um"),
        ("niche", "donor", "mobilenetv2_200um"),
    ]
    pair = tissue_pair(tissue, contests[0])
    assert len(np.unique(pair.classes)) == 5
    assert len(pair.views[0]) == len(pair.tiles) == len(pair.groups) == tissue.n_obs


@pytest.fixture
def estimated(monkeypatch):
    """Keep what was asked, and answer with the width of the aligned pair."""
    asked = []

    def estimate(views, y, groups, *, transformer, before, **options):
        asked.append({"views": views, "before": before, "directions": transformer.n_directions, **options})
        table = pd.DataFrame({"term": RETAINED_TERMS} | dict.fromkeys(COLUMNS, transformer.n_directions))
        table = table.astype(dict.fromkeys(COLUMNS[6:], "Float64"))
        table.loc[1, "kept"] = None
        return InformationRetained(before or len(asked), 0, table)

    monkeypatch.setattr(sys.modules[terms_on_tissue.__module__], "information_retained", estimate)
    return asked


def test_the_raw_pair_is_estimated_once_for_all_numbers_of_directions(tissue, estimated, tmp_path):
    options = {"tasks": TASKS, "directions": (1, 2), "n_jobs": 1, "store": PointStore(tmp_path)}
    table = terms_on_tissue({"her2st": tissue}, **options)
    assert [(a["directions"], a["before"]) for a in estimated] == [(1, None), (2, 1), (1, None), (2, 3)]
    assert estimated[0]["n_folds"] == 4
    assert len(set(estimated[0]["blocks"])) == 16
    assert table.groupby(["task", "directions"], sort=False)["term"].agg(list).tolist() == [list(RETAINED_TERMS)] * 4
    assert table["after"].tolist() == [1] * 6 + [2] * 6 + [1] * 6 + [2] * 6
    assert table["kept"].isna().tolist() == [False, True, False, False, False, False] * 4
    again = terms_on_tissue({"her2st": tissue}, **options)
    assert len(estimated) == 4
    pd.testing.assert_frame_equal(again, table)


def test_components_are_turned_so_that_scaling_features_does_not_level_them(tissue, estimated):
    terms_on_tissue({"her2st": tissue}, tasks=TASKS[:1], n_jobs=1)
    turned = estimated[0]["views"][0]
    values = np.linalg.eigvalsh(np.cov(np.asarray(tissue.obsm["X_pca"]).T))
    assert np.linalg.eigvalsh(np.cov(turned.T)) == pytest.approx(values / values.mean(), rel=1e-4)
    assert np.abs(np.corrcoef(turned.T) - np.eye(6)).max() > 0.05  # no longer the components themselves
