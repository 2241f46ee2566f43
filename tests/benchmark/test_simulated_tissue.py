"""Simulated tissue follows the contract of a release, and its truth is the truth."""

import numpy as np
import pytest

from beyond_alignment.benchmark.describe import describe_tasks
from beyond_alignment.benchmark.grid import run_grid
from beyond_alignment.benchmark.metrics import score, tile_weights
from beyond_alignment.benchmark.plan import plan_contests
from beyond_alignment.benchmark.simulated_tissue import (
    EXPRESSION,
    FIRST,
    MORPHOLOGY,
    RULES,
    SECOND,
    simulate_tissue,
    simulated_truth,
)
from beyond_alignment.datasets import read_release
from beyond_alignment.datasets.release import write_release
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.labels import absence
from beyond_alignment.tasks.registry import TASKS
from beyond_alignment.tasks.splits import microns

TERMS = ("redundancy", "unique1", "unique2", "synergy_additive", "synergy_interaction")


@pytest.fixture(scope="module")
def tissue():
    return simulate_tissue(side=12, seed=1)


@pytest.mark.parametrize(
    ("task", "truth"),
    [
        ("simulated_redundant", (1, 0, 0, 0, 0)),
        ("simulated_unique1", (0, 1, 0, 0, 0)),
        ("simulated_unique2", (0, 0, 1, 0, 0)),
        ("simulated_and", (0.3113, 0, 0, 0.5, 0)),
        ("simulated_xor", (0, 0, 0, 0, 1)),
        ("simulated_mixed", (1, 1, 0, 0, 1)),
        ("simulated_niche", (0, 1, 1, 0, 0)),
    ],
)
def test_truths_are_those_of_the_gates(task, truth):
    found = simulated_truth(task)
    assert [getattr(found, term) for term in TERMS] == pytest.approx(truth, abs=1e-3)


def test_labels_are_as_uncertain_as_the_truth_says():
    big = simulate_tissue(n_donors=8, side=30, spatial_range_um=0, seed=3)
    for task in RULES:
        labels = big.obs[f"task_{task}"].to_numpy()
        counts = np.unique(labels, return_counts=True)[1] / big.n_obs
        entropy = -(counts * np.log2(counts)).sum()
        assert entropy == pytest.approx(sum(getattr(simulated_truth(task), term) for term in TERMS), abs=0.02)


def test_every_task_of_the_data_set_is_carried_with_its_origin(tissue):
    mine = [name for name, task in TASKS.items() if task.data_set == "simulated"]
    assert {name for name in mine if not absence(tissue, name)} == set(mine)
    assert {tissue.uns[f"task_{name}"]["made_from"] for name in mine} == {"simulated"}
    assert set(describe_tasks({"simulated": tissue})["task"]) == set(mine)


def test_it_goes_through_a_release_file(tissue, tmp_path):
    write_release(tissue, "simulated", folder=tmp_path)
    again = read_release("simulated", folder=tmp_path)
    assert again.uns["task_simulated_xor"]["truth_bits"]["synergy_interaction"] == pytest.approx(1)
    np.testing.assert_allclose(again.obsm[f"X_{EXPRESSION}"], tissue.obsm[f"X_{EXPRESSION}"], atol=2e-3)
    assert plan_contests({"simulated": again}) == plan_contests({"simulated": tissue})


def test_donors_have_sections_and_spots_stand_a_pitch_apart(tissue):
    table = tissue.obs.groupby("donor", observed=True)["section"].nunique()
    assert table.tolist() == [2, 2, 2, 2]
    places = microns(tissue[tissue.obs["section"] == "S1"])
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    np.testing.assert_allclose(apart.min(axis=1), 100, rtol=1e-6)


def test_bits_come_in_patches_and_donors_differ(tissue):
    label = (tissue.obs["task_simulated_unique1"] == "class 1").to_numpy().reshape(8, 12, 12)
    assert (label[:, :, 1:] == label[:, :, :-1]).mean() > 0.65
    loose = simulate_tissue(side=12, seed=1, spatial_range_um=0)
    label = (loose.obs["task_simulated_unique1"] == "class 1").to_numpy().reshape(8, 12, 12)
    assert (label[:, :, 1:] == label[:, :, :-1]).mean() == pytest.approx(0.5, abs=0.06)


def test_it_is_the_same_by_seed_and_another_by_another():
    first, again, other = (simulate_tissue(side=4, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.obsm[f"X_{MORPHOLOGY}"], again.obsm[f"X_{MORPHOLOGY}"])
    assert not np.array_equal(first.obsm[f"X_{MORPHOLOGY}"], other.obsm[f"X_{MORPHOLOGY}"])


def test_the_benchmark_finds_what_each_expert_holds(tissue):
    tasks = ("simulated_redundant", "simulated_unique1", "simulated_and", "simulated_xor")
    methods = ("expression_only", "morphology_only", "concat")
    contests = plan_contests({"simulated": tissue}, tasks=tasks, splits=("donor",), methods=methods)
    assert {(c.expression, c.morphology) for c in contests} == {(EXPRESSION, MORPHOLOGY)}
    found = run_grid({"simulated": tissue}, contests).predictions
    weights = [tile_weights(run.tiles, run.strata, n_replicates=1) for run in found]
    bits = {
        (contest.task, contest.method): score(run, w)["bits"].value
        for contest, run, w in zip(contests, found, weights, strict=True)
    }
    assert bits["simulated_redundant", "expression_only"] > 0.9
    assert bits["simulated_redundant", "morphology_only"] > 0.9
    assert bits["simulated_unique1", "expression_only"] > 0.9
    assert bits["simulated_unique1", "morphology_only"] < 0.05
    assert bits["simulated_and", "concat"] > 0.6  # of 0.81: additive synergy is within a linear probe's reach
    assert bits["simulated_xor", "concat"] < 0.05  # an interaction is not


def test_the_shared_bit_is_the_only_one_that_both_hold():
    assert set(FIRST) & set(SECOND) == {"s"}


def test_bad_input_is_named():
    with pytest.raises(InputError, match="2 or more donors"):
        simulate_tissue(n_donors=1)
    with pytest.raises(InputError, match="negative"):
        simulate_tissue(noise=-1)
    with pytest.raises(InputError, match="'niche' is not known"):
        simulated_truth("niche")
