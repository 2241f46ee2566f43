"""Experts alone: the benchmark's own numbers, genes whose correlation is known, and differences that are paired."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge

from beyond_alignment.benchmark.expert_probes import draw_tiles, experts_of, modality_read, score_expert
from beyond_alignment.benchmark.gene_probes import predict_genes, widest_split
from beyond_alignment.benchmark.grid import run_grid
from beyond_alignment.benchmark.paired_scores import ALL_TASKS, beats, genes_as_task, shipping
from beyond_alignment.benchmark.predictions import by_fold
from beyond_alignment.benchmark.problem import Contest, pose
from beyond_alignment.benchmark.runner import out_of_fold
from beyond_alignment.benchmark.scoreboard import build_scoreboard
from beyond_alignment.correlations import pearson_columns
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.genes import log_expression
from beyond_alignment.tasks.labels import set_labels, set_targets
from beyond_alignment.tasks.splits import make_splits
from tests.tissue import make_tissue

STRENGTH = {"mobilenetv2_100um": 1.5, "colour_100um": 0.4, "hallmark": 0.0}


@pytest.fixture(scope="module")
def tissue():
    """Three experts that hold a label, and composition, with different strength."""
    adata = make_tissue(side=12)
    rng = np.random.default_rng(0)
    bit = rng.integers(0, 2, adata.n_obs)
    for name, strength in STRENGTH.items():
        signal = np.outer(strength * (2 * bit - 1), np.ones(4))
        adata.obsm[f"X_{name}"] = signal + rng.normal(size=(adata.n_obs, 4))
    set_labels(adata, "niche", np.array(["low", "high"])[bit])
    set_labels(adata, "cell_type", np.array(["x", "y"])[bit])
    donor = np.where(adata.obs["donor"] == "A", 10.0, -10.0)
    set_targets(adata, "composition", pd.DataFrame({"t": bit + donor}, index=adata.obs_names))
    return adata


def table_of(tissue, experts, tasks, **options):
    """Return the scores of experts on tasks."""
    return pd.DataFrame(
        {"expert": expert, "task": task, **row}
        for expert in experts
        for task in tasks
        for row in score_expert(tissue, expert, task, **options)
    )


@pytest.fixture(scope="module")
def scores(tissue):
    return table_of(tissue, STRENGTH, ["niche", "cell_type", "composition"], n_replicates=200)


@pytest.fixture(scope="module")
def main(scores):
    return scores[scores["main"]]


def test_the_scores_are_those_of_the_benchmark(tissue, scores):
    contests = [
        Contest("niche", "donor", "morphology_only", "hallmark", "mobilenetv2_100um"),
        Contest("niche", "donor", "expression_only", "hallmark", "mobilenetv2_100um"),
    ]
    board = build_scoreboard(contests, run_grid({"her2st": tissue}, contests).predictions, n_replicates=200).table
    for contest, expert in zip(contests, ("mobilenetv2_100um", "hallmark"), strict=True):
        for metric in ("macro_f1", "accuracy", "bits"):
            theirs = board[(board["method"] == contest.method) & (board["metric"] == metric)].iloc[0]
            chosen = (scores["expert"] == expert) & (scores["task"] == "niche") & (scores["metric"] == metric)
            mine = scores[chosen].iloc[0]
            assert mine[["value", "low", "high", "n", "n_tiles"]].tolist() == pytest.approx(
                theirs[["value", "low", "high", "n", "n_tiles"]].tolist()
            )


def test_every_expert_has_every_task_and_says_what_the_label_was_made_from(main):
    assert len(main) == len(STRENGTH) * 3
    assert set(main["metric"]) == {"macro_f1", "pearson_in_fold"}
    circular = main.set_index(["expert", "task"])["same_source"]
    assert circular["hallmark", "cell_type"]
    assert not circular["hallmark", "niche"]
    assert not circular["mobilenetv2_100um", "cell_type"]
    assert (main["chance"] < 0.55).all()


def test_an_expert_that_knows_nothing_is_at_chance(scores):
    rows = scores[(scores["expert"] == "hallmark") & (scores["task"] == "niche")].set_index("metric")
    for metric in ("accuracy", "bits"):
        assert rows.loc[metric, "low"] < rows.loc[metric, "chance"] < rows.loc[metric, "high"] + 0.01
    assert rows.loc["accuracy", "chance"] == pytest.approx(0.5, abs=0.01)


def test_the_mean_of_a_donor_counts_for_nothing_within_a_fold(tissue, scores):
    """Over all folds at once the training means make every prediction of the composition look wrong."""
    rows = scores[(scores["expert"] == "mobilenetv2_100um") & (scores["task"] == "composition")]
    value = rows.set_index("metric")["value"]
    assert value["pearson"] < -0.5
    assert value["pearson_in_fold"] > 0.8
    spots, problem = pose(tissue, "composition", split="donor")
    folds = make_splits(spots, "donor")
    x = np.asarray(tissue.obsm["X_mobilenetv2_100um"], dtype=np.float32)
    found = out_of_fold(problem, (x, x), folds, "morphology_only")
    slow = [np.corrcoef(part.truth[:, 0], part.probability[:, 0])[0, 1] for part in by_fold(found, folds)]
    assert value["pearson_in_fold"] == pytest.approx(np.mean(slow))


def test_a_difference_is_paired_and_says_who_is_better(main):
    pairs = [(name, "colour_100um") for name in ("mobilenetv2_100um", "hallmark")]
    table = beats(main, pairs).set_index(["expert", "task"])
    assert table.loc[("mobilenetv2_100um", "niche"), "verdict"] == "better"
    assert table.loc[("hallmark", "niche"), "verdict"] == "worse"
    assert (table["difference"] == table["value"] - table["reference_value"]).all()
    drawn = main.set_index(["expert", "task"])["draws"]
    change = drawn["mobilenetv2_100um", "niche"] - drawn["colour_100um", "niche"]
    row = table.loc[("mobilenetv2_100um", "niche")]
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(change, [0.025, 0.975])), abs=1e-6)
    tasks = table.loc["mobilenetv2_100um"].drop(ALL_TASKS)
    assert table.loc[("mobilenetv2_100um", ALL_TASKS), "difference"] == pytest.approx(tasks["difference"].mean())


def test_an_expert_is_not_told_apart_from_its_copy(tissue):
    copy = tissue.copy()
    copy.obsm["X_colour_100um"] = copy.obsm["X_mobilenetv2_100um"]
    found = table_of(copy, ["colour_100um", "mobilenetv2_100um"], ["niche"], n_replicates=20)
    found = found[found["main"]]
    table = beats(found, [("mobilenetv2_100um", "colour_100um")])
    assert (table["difference"] == 0).all()
    assert set(table["verdict"]) == {"not told apart"}
    assert not shipping(found, {"mobilenetv2_100um": ["colour_100um"]})["default"].any()


def test_only_who_beats_every_reference_ships(main):
    found = shipping(main, {"mobilenetv2_100um": ["colour_100um", "hallmark"], "hallmark": ["colour_100um"]})
    ships = found.groupby("expert")["default"].all()
    assert ships["mobilenetv2_100um"]
    assert not ships["hallmark"]


def test_unknown_experts_and_experts_without_a_common_task_are_refused(main):
    with pytest.raises(InputError, match="no score of 'nobody'"):
        beats(main, [("hallmark", "nobody")])
    apart = main[(main["expert"] == "hallmark") == (main["task"] == "niche")]
    with pytest.raises(InputError, match="share no task"):
        beats(apart, [("hallmark", "colour_100um")])


def test_replicates_of_a_task_are_those_of_its_part_of_the_tissue(tissue):
    drawn = draw_tiles(tissue, n_replicates=3)
    part = drawn.names[[4, 2]]
    assert (drawn.of(np.repeat(part, 3)) == drawn.weights[:, [2, 4]]).all()


def test_what_an_expert_reads_is_recorded_or_in_its_name():
    adata = make_tissue(side=3)
    adata.obsm["X_new_100um"] = np.zeros((adata.n_obs, 2))
    assert experts_of(adata) == ("new_100um", "pca")
    assert modality_read(adata, "new_100um") == "unknown"
    assert modality_read(adata, "mobilenetv2_100um") == "morphology"
    adata.uns["new_100um"] = {"params": {"modality": "morphology"}}
    assert modality_read(adata, "new_100um") == "morphology"


def gene_tissue(*, side=22, rho=(0.9, 0.6, 0.3, 0.0), seed=0):
    """Return log expression that is linear in an embedding, with noise that leaves these correlations, donors apart."""
    adata = make_tissue(side=side, sections=("A1", "B1", "C1"))[:, : len(rho)].copy()
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(adata.n_obs, 6))
    adata.obsm["X_mobilenetv2_100um"] = z @ np.linalg.qr(rng.normal(size=(6, 6)))[0]
    adata.obsm["X_colour_100um"] = rng.normal(size=(adata.n_obs, 3))
    rho = np.array(rho)
    y = z[:, : len(rho)] * rho + rng.normal(size=(adata.n_obs, len(rho))) * np.sqrt(1 - rho**2)
    y = 5 + 0.4 * y + np.array([0.0, 0.3, -0.3])[adata.obs["donor"].cat.codes][:, None]
    adata.obs["total_counts"] = 1e4
    adata.X, adata.var_names = sparse.csr_matrix(np.expm1(y)), [f"g{r}" for r in rho]
    return adata


@pytest.mark.filterwarnings("ignore:.*non-integers")
def test_planted_genes_are_predicted_with_their_correlation():
    tissue = gene_tissue()
    experts, genes = ["mobilenetv2_100um", "colour_100um"], list(tissue.var_names)
    rows = [
        {"data_set": "her2st", "expert": expert, **row}
        for expert in experts
        for row in predict_genes(tissue, expert, genes=genes, n_replicates=200)
    ]
    r = {expert: np.mean([row["r"] for row in rows if row["expert"] == expert], axis=0) for expert in experts}
    assert np.allclose(r["mobilenetv2_100um"], [0.9, 0.6, 0.3, 0.0], atol=0.05)
    assert np.abs(r["colour_100um"]).max() < 0.1
    assert [(row["fold"], row["genes"]) for row in rows[:3]] == [(fold, " ".join(genes)) for fold in "ABC"]
    task = genes_as_task(pd.DataFrame(rows), {"her2st": "genes"})
    table = task.set_index("expert")
    assert table.loc["mobilenetv2_100um", "value"] == pytest.approx(r["mobilenetv2_100um"].mean(), abs=1e-6)
    assert table.loc["mobilenetv2_100um", "low"] < 0.45 < table.loc["mobilenetv2_100um", "high"]
    assert table.loc["colour_100um", "low"] < 0 < table.loc["colour_100um", "high"]
    assert beats(task, [("mobilenetv2_100um", "colour_100um")])["verdict"].tolist() == ["better", "better"]


def test_the_ridge_equals_a_slow_reference():
    """At the least penalty on few clean features, ridge on the components is ridge on the components by hand."""
    tissue = gene_tissue(side=8)
    name, genes = "mobilenetv2_100um", list(tissue.var_names)
    found = predict_genes(tissue, name, genes=genes, n_replicates=5)
    x = np.asarray(tissue.obsm[f"X_{name}"], dtype=np.float32)
    y = log_expression(tissue).X.toarray().astype(float)
    donor = tissue.obs["donor"].to_numpy()
    for row in found:
        train, test = donor != row["fold"], donor == row["fold"]
        pca = PCA().fit(x[train])
        scale = np.sqrt(pca.explained_variance_.mean())
        z = pca.transform(x) / scale
        guesses = [Ridge(alpha=a * train.sum()).fit(z[train], y[train]).predict(z[test]) for a in (0.01, 0.1, 1, 10)]
        assert min(np.abs(row["r"] - pearson_columns(y[test], guess)).max() for guess in guesses) < 1e-3


def test_genes_are_chosen_without_the_scored_spots():
    tissue = make_tissue(side=10, sections=("A1", "B1"))
    rng = np.random.default_rng(0)
    dense = rng.poisson(5, (tissue.n_obs, 30)).astype(np.float32)
    first = (tissue.obs["donor"] == "A").to_numpy()
    dense[first, 0] = rng.negative_binomial(0.3, 0.02, first.sum()) + 1  # gene 0 varies in donor A, gene 1 in donor B
    dense[~first, 1] = rng.negative_binomial(0.3, 0.02, (~first).sum()) + 1
    tissue.X = sparse.csr_matrix(dense)
    tissue.obsm["X_hallmark"] = rng.normal(size=(tissue.n_obs, 3))
    found = predict_genes(tissue, "hallmark", n_genes=1, n_replicates=5)
    assert {row["fold"]: row["genes"] for row in found} == {"A": "1", "B": "0"}


def test_what_is_missing_is_named():
    tissue = gene_tissue(side=4)
    with pytest.raises(InputError, match="not in the counts, nothing"):
        predict_genes(tissue, "colour_100um", genes=["nothing"])
    tissue.X = None
    with pytest.raises(InputError, match="no counts"):
        predict_genes(tissue, "colour_100um")


def test_the_strictest_split_at_hand_is_taken():
    kinds = [widest_split(make_tissue(side=3, sections=names)) for names in (("A1", "B1"), ("A1", "A2"), ("A1",))]
    assert kinds == ["donor", "section", "block"]
