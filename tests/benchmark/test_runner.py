"""Predictions out of fold: nothing fitted on a test spot, the same answer however it is run."""

from dataclasses import replace

import numpy as np
import pytest

from beyond_alignment.benchmark.embeddings import embedding
from beyond_alignment.benchmark.grid import run_grid
from beyond_alignment.benchmark.problem import Contest, Workbench, inner_groups, make_problem, pose
from beyond_alignment.benchmark.runner import out_of_fold
from beyond_alignment.benchmark.scoreboard import build_scoreboard, gains
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.labels import set_labels
from beyond_alignment.tasks.splits import make_splits
from tests.tissue import make_tissue


@pytest.fixture(scope="module")
def tissue():
    """Two experts, each of which holds one of the two bits of a four-class label."""
    adata = make_tissue(side=10)
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (adata.n_obs, 2))
    for name, bit in (("pca", bits[:, 0]), ("mobilenetv2_200um", bits[:, 1])):
        adata.obsm[f"X_{name}"] = np.outer(2 * bit - 1, np.ones(6)) + rng.normal(size=(adata.n_obs, 6))
    set_labels(adata, "niche", np.array(["00", "01", "10", "11"])[2 * bits[:, 0] + bits[:, 1]])
    return adata


CONTESTS = [
    Contest("niche", "section", method, "pca", "mobilenetv2_200um")
    for method in ("expression_only", "morphology_only", "concat", "late_average")
]


def test_every_spot_is_predicted_once(tissue):
    found = run_grid({"her2st": tissue}, CONTESTS[:1]).predictions[0]
    assert sorted(found.positions) == list(range(tissue.n_obs))
    assert np.allclose(found.probability.sum(axis=1), 1)
    assert found.n_missing_classes == 0


def test_test_labels_and_test_embeddings_do_not_reach_the_fit(tissue):
    spots, problem = pose(tissue, "niche")
    pair = embedding(spots, "pca"), embedding(spots, "mobilenetv2_200um")
    split = make_splits(spots, "section")[0]
    clean = out_of_fold(problem, pair, [split], "concat")
    labels = problem.labels.copy()
    labels[split.test] = np.roll(labels[split.test], 1)
    other = tuple(x.copy() for x in pair)
    for x in other:
        x[split.test[1:]] = 1e3  # all test spots but the first are another tissue
    spoiled = out_of_fold(replace(problem, labels=labels), other, [split], "concat")
    assert np.array_equal(clean.probability[0], spoiled.probability[0])


def test_fusion_gains_where_each_expert_holds_half(tissue):
    found = run_grid({"her2st": tissue}, CONTESTS).predictions
    board = build_scoreboard(CONTESTS, found, n_replicates=200)
    gain = gains(board.replicates).iloc[0]
    assert gain["low"] > 0.2
    assert gain["gain"] == pytest.approx(gain["joint"] - max(gain["first"], gain["second"]))
    bits = board.table[board.table["metric"] == "bits"].set_index("method")["value"]
    assert bits["expression_only"] + bits["morphology_only"] - 0.05 < bits["concat"] < 2  # both bits, not more
    assert set(board.table["made_from"]) == {"neighbours"}


def test_no_gain_is_claimed_where_the_second_expert_is_noise(tissue):
    adata = tissue.copy()
    adata.obsm["X_mobilenetv2_200um"] = np.random.default_rng(5).normal(size=(adata.n_obs, 6))
    set_labels(adata, "niche", np.where(adata.obsm["X_pca"].mean(axis=1) > 0, "high", "low"))
    board = build_scoreboard(CONTESTS, run_grid({"her2st": adata}, CONTESTS).predictions, n_replicates=200)
    gain = gains(board.replicates).iloc[0]
    assert gain["low"] <= 0.01
    assert gain["gain"] < 0.02


def test_a_class_absent_from_training_is_counted(tissue):
    adata = tissue.copy()
    labels = adata.obs["task_niche"].astype(object).to_numpy()
    labels[(adata.obs["section"] == "A1").to_numpy() & (labels == "00")] = "only here"
    set_labels(adata, "niche", labels)
    found = run_grid({"her2st": adata}, CONTESTS[:1]).predictions[0]
    assert found.n_missing_classes == 1
    assert np.isfinite(found.probability).all()


def test_counts_stand_in_for_components_that_are_fitted_in_the_folds():
    adata = make_tissue()
    values = embedding(adata, "pca")
    assert values.shape == adata.shape
    assert np.allclose(np.expm1(values).sum(axis=1), 1e4, rtol=1e-4)
    with pytest.raises(InputError, match="X_uni"):
        embedding(adata, "uni")


def test_inner_folds_hold_out_what_outer_folds_do_while_there_are_two(tissue):
    spots, problem = pose(tissue, "niche", split="donor")
    everything = np.arange(spots.n_obs)
    assert set(inner_groups(problem, everything)) == {"A", "B"}
    donor_a = np.flatnonzero(spots.obs["donor"] == "A")
    assert set(inner_groups(problem, donor_a)) == {"A1", "A2"}
    alone = spots[spots.obs["section"] == "A1"]
    single = make_problem(alone, np.zeros(alone.n_obs).astype(str), split="block")
    assert len(set(inner_groups(single, np.arange(alone.n_obs)))) == 4


def test_contests_of_a_task_share_their_arrays(tissue):
    bench = Workbench({"her2st": tissue})
    first, second = (bench.prepare(contest) for contest in CONTESTS[:2])
    assert first[0] is second[0]
    assert all(a is b for a, b in zip(first[1], second[1], strict=True))  # one copy in the workers' shared memory
