"""What alignment keeps of tasks on synthetic tissue with a shared bit and a private one."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.alignment.retained_terms import COLUMNS, RETAINED_TERMS, InformationRetained
from beyond_alignment.benchmark.tissue_pairs import task_contests, tissue_pair
from beyond_alignment.pages.alignment import retained
from beyond_alignment.tasks.labels import set_labels, set_targets
from tests.tissue import make_tissue

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


def pair_of(tissue, task):
    (contest,) = task_contests({"her2st": tissue}, [task], **EXPERTS)
    return tissue_pair(tissue, contest)


def test_a_linear_probe_loses_the_private_bit_to_one_direction_and_has_it_back_with_all(tissue):
    shared, private = pair_of(tissue, "niche"), pair_of(tissue, "niche_immune")
    assert retained.described(shared) | {"expression": ""} == {
        "made_from": "neighbours", "data_set": "her2st", "expression": "", "morphology": "mobilenetv2_200um",
        "unit": "donor", "n": 400, "n_groups": 4,
    }  # fmt: skip
    whole, one, lost = (retained.told_of(*given) for given in ((shared, 0), (shared, 1), (private, 1)))
    assert [found["representation"] for found in (whole, one)] == [retained.RAW, retained.ALIGNED]
    assert whole["bits"] > 0.85
    assert one["bits"] > 0.85
    assert retained.told_of(private, 0)["bits"] > 0.85
    assert lost["bits"] < 0.05
    assert retained.told_of(shared, 5)["bits"] == pytest.approx(whole["bits"], abs=0.03)
    for found in (whole, one, lost):
        assert found["low_bits"] <= found["bits"] <= found["high_bits"]
        assert found["bits"] == pytest.approx(found["fraction"] * found["entropy"])


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

    def estimate(views, y, groups, *, transformer, **options):
        asked.append({"views": views, "directions": transformer.n_directions, **options})
        table = pd.DataFrame({"term": RETAINED_TERMS} | dict.fromkeys(COLUMNS, transformer.n_directions))
        table = table.astype(dict.fromkeys(COLUMNS[6:], "Float64"))
        table.loc[1, "kept"] = None
        return InformationRetained(1, 0, table)

    monkeypatch.setattr(retained, "information_retained", estimate)
    return asked


def test_a_task_is_decomposed_a_record_a_term_and_an_absent_share_is_none(tissue, estimated):
    found = retained.terms_of(pair_of(tissue, "niche"), 2, 20)
    assert [record["term"] for record in found] == list(RETAINED_TERMS)
    assert [record["after"] for record in found] == [2] * 6
    assert [record["kept"] is None for record in found] == [False, True, False, False, False, False]
    (asked,) = estimated
    assert (asked["directions"], asked["n_bootstrap"]) == (2, 20)
    assert len(set(asked["blocks"])) == 16


def test_components_are_turned_so_that_scaling_features_does_not_level_them(tissue, estimated):
    retained.terms_of(pair_of(tissue, "niche"), 10, 20)
    turned = estimated[0]["views"][0]
    values = np.linalg.eigvalsh(np.cov(np.asarray(tissue.obsm["X_pca"]).T))
    assert np.linalg.eigvalsh(np.cov(turned.T)) == pytest.approx(values / values.mean(), rel=1e-4)
    assert np.abs(np.corrcoef(turned.T) - np.eye(6)).max() > 0.05  # no longer the components themselves
