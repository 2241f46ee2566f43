"""Labels say what they were made from."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.errors import InputError
from beyond_alignment.tasks import get_task
from beyond_alignment.tasks.labels import (
    label_bacteria,
    label_cell_type,
    label_composition,
    label_region,
    labelled,
    set_labels,
)
from beyond_alignment.tasks.registry import TASKS
from tests.tissue import make_tissue


def test_every_task_names_its_origin_and_a_split():
    for task in TASKS.values():
        assert task.made_from in {"expression", "morphology", "neighbours", "independent", "simulated"}
        assert task.splits


def test_cell_type_is_the_largest_share_and_rare_types_are_other():
    adata = make_tissue()
    label_cell_type(adata)
    largest = adata.obsm["composition"].idxmax(axis=1)
    kept = largest.isin(["Epithelial", "Plasma Cells", "CAFs"])
    assert (adata.obs["task_cell_type"].astype(str)[kept] == largest[kept]).all()
    assert (adata.obs["task_cell_type"][~kept] == "other").all()
    assert adata.uns["task_cell_type"]["made_from"] == "expression"


def test_region_keeps_one_section_and_leaves_undetermined_spots_out():
    adata = make_tissue()
    drawn = np.resize(["invasive cancer", "adipose tissue", "undetermined", None], adata.n_obs)
    adata.obs["pathologist"] = pd.Categorical(drawn)
    label_region(adata)
    found = adata.obs["task_region"]
    assert found[adata.obs["section"] != "A1"].isna().all()
    assert found.value_counts().to_dict() == {"cancer": 16, "connective or adipose": 16}


def test_bacteria_are_counted_from_one_read():
    adata = make_tissue()
    adata.obs["bacterial_umis"] = np.resize([0, 1, 7], adata.n_obs)
    label_bacteria(adata)
    assert (adata.obs["task_bacteria"] == "bacteria").sum() == 128


def test_labelled_returns_only_spots_with_a_label():
    adata = make_tissue()
    set_labels(adata, "niche", [None, "a", "b"] + [None] * (adata.n_obs - 3))
    positions, labels = labelled(adata, "niche")
    assert positions.tolist() == [1, 2]
    assert labels.tolist() == ["a", "b"]
    label_composition(adata)
    positions, targets = labelled(adata, "composition")
    assert targets.shape == (adata.n_obs, 8)


def test_missing_labels_and_unknown_tasks_are_named():
    with pytest.raises(InputError, match="task_niche"):
        labelled(make_tissue(), "niche")
    with pytest.raises(InputError, match="no task 'colour'"):
        get_task("colour")


def test_a_set_of_tasks_holds_known_ones_and_no_simulated_one():
    from beyond_alignment.tasks import task_set
    from beyond_alignment.tasks.registry import CORE_TASKS, TASKS

    assert task_set("core") == CORE_TASKS
    assert set(CORE_TASKS) < set(task_set("all")) < set(TASKS)
    assert not any(TASKS[name].made_from == "simulated" for name in task_set("all"))
    with pytest.raises(InputError, match="no set of tasks 'some'"):
        task_set("some")
