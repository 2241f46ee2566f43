"""What can be run is planned; what a release does not carry is left out with the reason."""

import numpy as np
import pytest

from beyond_alignment.benchmark.describe import describe_splits, describe_tasks
from beyond_alignment.benchmark.plan import plan_contests, skipped_tasks
from beyond_alignment.tasks.imputation import announce_imputation
from beyond_alignment.tasks.labels import set_labels
from beyond_alignment.tasks.registry import TASKS
from tests.tissue import make_tissue


@pytest.fixture
def old():
    """A release from before most tasks were defined."""
    adata = make_tissue(side=5)
    set_labels(adata, "domain", np.resize(["a", "b"], adata.n_obs))
    adata.obsm["X_mobilenetv2_200um"] = np.zeros((adata.n_obs, 4), np.float32)
    return adata


def test_an_old_release_is_run_on_what_it_carries(old):
    assert {contest.task for contest in plan_contests({"mob": old})} == {"domain"}
    assert describe_tasks({"mob": old})["task"].tolist() == ["domain"]
    assert set(describe_splits({"mob": old})["task"]) == {"domain"}


def test_each_task_that_is_left_out_has_its_reason(old):
    skipped = skipped_tasks({"mob": old})
    assert set(skipped) == {name for name, task in TASKS.items() if task.data_set == "mob"} - {"domain"}
    assert all("before this task was defined" in reason for reason in skipped.values())
    assert skipped_tasks({"mob": old}, tasks=("domain",)) == {}


def test_imputation_is_planned_with_the_expert_that_can_hide_genes(old):
    announce_imputation(old, "mob_genes", n_genes=3)
    planned = plan_contests({"mob": old}, expression=("pca", "hallmark"), tasks=("mob_genes", "domain"))
    assert {c.expression for c in planned if c.task == "mob_genes"} == {"pca"}
    assert {c.expression for c in planned if c.task == "domain"} == {"pca", "hallmark"}
    (row,) = describe_tasks({"mob": old}).query("task == 'mob_genes'").to_dict("records")
    assert row["classes"].endswith("genes")
    assert row["made from"] == "expression"
