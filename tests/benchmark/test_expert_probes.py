"""Experts alone: the benchmark's own numbers, genes whose correlation is known, and differences that are paired."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge

from beyond_alignment.benchmark import Contest, PointStore, build_scoreboard, run_benchmark
from beyond_alignment.benchmark.expert_probes import by_fold, draw_tiles, expert_scores, experts_of, modality_read
from beyond_alignment.benchmark.gene_probes import gene_prediction, widest_split
from beyond_alignment.benchmark.paired_scores import ALL_TASKS, ExpertScores, join_scores, same_field, shipping
from beyond_alignment.benchmark.problem import pose
from beyond_alignment.benchmark.runner import out_of_fold
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


@pytest.fixture(scope="module")
def scores(tissue):
    return expert_scores(tissue, experts=list(STRENGTH), n_replicates=200, n_jobs=1)


def test_the_scores_are_those_of_the_benchmark(tissue, scores):
    contests = [
        Contest("niche", "donor", "morphology_only", "hallmark", "mobilenetv2_100um"),
        Contest("niche", "donor", "expression_only", "hallmark", "mobilenetv2_100um"),
    ]
    board = build_scoreboard(contests, run_benchmark({"her2st": tissue}, contests, n_jobs=1), n_replicates=200).table
    for contest, expert in zip(contests, ("mobilenetv2_100um", "hallmark"), strict=True):
        for metric in ("macro_f1", "accuracy", "bits"):
            theirs = board[(board["method"] == contest.method) & (board["metric"] == metric)].iloc[0]
            table = scores.table
            chosen = (table["expert"] == expert) & (table["task"] == "niche") & (table["metric"] == metric)
            mine = table[chosen].iloc[0]
            assert mine[["value", "low", "high", "n", "n_tiles"]].tolist() == pytest.approx(
                theirs[["value", "low", "high", "n", "n_tiles"]].tolist()
            )


def test_every_expert_has_every_task_and_says_what_the_label_was_made_from(scores):
    main = scores.table[scores.table["main"]]
    assert len(main) == len(STRENGTH) * 3
    assert set(main["metric"]) == {"macro_f1", "pearson_in_fold"}
    circular = main.set_index(["expert", "task"])["same_source"]
    assert circular["hallmark", "cell_type"]
    assert not circular["hallmark", "niche"]
    assert not circular["mobilenetv2_100um", "cell_type"]
    assert (main["chance"] < 0.55).all()


def test_an_expert_that_knows_nothing_is_at_chance(scores):
    rows = scores.table[(scores.table["expert"] == "hallmark") & (scores.table["task"] == "niche")].set_index("metric")
    for metric in ("accuracy", "bits"):
        assert rows.loc[metric, "low"] < rows.loc[metric, "chance"] < rows.loc[metric, "high"] + 0.01
    assert rows.loc["accuracy", "chance"] == pytest.approx(0.5, abs=0.01)


def test_the_mean_of_a_donor_counts_for_nothing_within_a_fold(tissue, scores):
    """Over all folds at once the training means make every prediction of the composition look wrong."""
    rows = scores.table[(scores.table["expert"] == "mobilenetv2_100um") & (scores.table["task"] == "composition")]
    value = rows.set_index("metric")["value"]
    assert value["pearson"] < -0.5
    assert value["pearson_in_fold"] > 0.8
    spots, problem = pose(tissue, "composition", split="donor")
    folds = make_splits(spots, "donor")
    x = np.asarray(tissue.obsm["X_mobilenetv2_100um"], dtype=np.float32)
    found = out_of_fold(problem, (x, x), folds, "morphology_only")
    slow = [np.corrcoef(part.truth[:, 0], part.probability[:, 0])[0, 1] for part in by_fold(found, folds)]
    assert value["pearson_in_fold"] == pytest.approx(np.mean(slow))


def test_a_difference_is_paired_and_says_who_is_better(scores):
    table = scores.beats("colour_100um").set_index(["expert", "task"])
    assert table.loc[("mobilenetv2_100um", "niche"), "verdict"] == "better"
    assert table.loc[("hallmark", "niche"), "verdict"] == "worse"
    assert (table["difference"] == table["value"] - table["reference_value"]).all()
    draws = [scores.draws[name, "niche", "donor", "macro_f1"] for name in ("mobilenetv2_100um", "colour_100um")]
    low, high = np.quantile((draws[0] - draws[1])[1:], [0.025, 0.975])
    row = table.loc[("mobilenetv2_100um", "niche")]
    assert (row["low"], row["high"]) == (pytest.approx(low), pytest.approx(high))
    tasks = table.loc["mobilenetv2_100um"].drop(ALL_TASKS)
    assert table.loc[("mobilenetv2_100um", ALL_TASKS), "difference"] == pytest.approx(tasks["difference"].mean())
    assert set(scores.overall()["expert"]) == set(STRENGTH)


def test_an_expert_is_not_told_apart_from_its_copy(tissue):
    copy = tissue.copy()
    copy.obsm["X_colour_100um"] = copy.obsm["X_mobilenetv2_100um"]
    found = expert_scores(
        copy, experts=["colour_100um", "mobilenetv2_100um"], tasks=["niche"], n_replicates=20, n_jobs=1
    )
    table = found.beats({"mobilenetv2_100um": "colour_100um"})
    assert (table["difference"] == 0).all()
    assert set(table["verdict"]) == {"not told apart"}
    assert not shipping(found, {"mobilenetv2_100um": ["colour_100um"]})["default"].any()


def test_only_who_beats_every_reference_ships(scores):
    found = shipping(scores, {"mobilenetv2_100um": ["colour_100um", "hallmark"], "hallmark": ["colour_100um"]})
    ships = found.groupby("expert")["default"].all()
    assert ships["mobilenetv2_100um"]
    assert not ships["hallmark"]


def test_references_at_the_same_field_are_paired_and_unknown_ones_refused(scores):
    names = ["vit_100um", "vit_600um", "colour_100um", "pca"]
    assert same_field(names, "colour") == {"vit_100um": "colour_100um"}
    with pytest.raises(InputError, match="no score of 'nobody'"):
        scores.beats("nobody")


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


def test_a_killed_run_goes_on_and_another_embedding_is_another_point(tissue, tmp_path, monkeypatch):
    store = PointStore(tmp_path)
    given = {"experts": ["hallmark"], "tasks": ["niche"], "n_replicates": 10, "store": store, "n_jobs": 1}
    first = expert_scores(tissue, **given)
    assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.setattr("beyond_alignment.benchmark.runner.predict_fold", None)  # nothing is computed again
    assert expert_scores(tissue, **given).table.equals(first.table)
    monkeypatch.undo()
    other = tissue.copy()
    other.obsm["X_hallmark"] = other.obsm["X_mobilenetv2_100um"]
    assert expert_scores(other, **given).table["value"].iloc[0] > first.table["value"].iloc[0]
    assert len(list(tmp_path.iterdir())) == 2


def gene_tissue(*, side=22, rho=(0.9, 0.6, 0.3, 0.0), seed=0):
    """Return log expression that is linear in an embedding, with noise that leaves these correlations, donors apart."""
    adata = make_tissue(side=side, sections=("A1", "B1", "C1"))
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(adata.n_obs, 6))
    adata.obsm["X_mobilenetv2_100um"] = z @ np.linalg.qr(rng.normal(size=(6, 6)))[0]
    adata.obsm["X_colour_100um"] = rng.normal(size=(adata.n_obs, 3))
    rho = np.array(rho)
    y = z[:, : len(rho)] * rho + rng.normal(size=(adata.n_obs, len(rho))) * np.sqrt(1 - rho**2)
    y = 5 + 0.4 * y + np.array([0.0, 0.3, -0.3])[adata.obs["donor"].cat.codes][:, None]
    obs = adata.obs.assign(total_counts=1e4)
    return adata, AnnData(sparse.csr_matrix(np.expm1(y)), obs=obs, var=pd.DataFrame(index=[f"g{r}" for r in rho]))


@pytest.mark.filterwarnings("ignore:.*non-integers")
def test_planted_genes_are_predicted_with_their_correlation():
    tissue, counts = gene_tissue()
    shuffled = counts[np.random.default_rng(0).permutation(counts.n_obs)].copy()
    found = gene_prediction(tissue, experts=["mobilenetv2_100um", "colour_100um"], counts=shuffled,
                            genes=list(counts.var_names), n_replicates=200, n_jobs=1)  # fmt: skip
    r = found.genes.groupby(["expert", "gene"])["r"].mean()
    assert np.allclose(r["mobilenetv2_100um"][["g0.9", "g0.6", "g0.3", "g0.0"]], [0.9, 0.6, 0.3, 0.0], atol=0.05)
    assert np.abs(r["colour_100um"]).max() < 0.1
    table = found.scores.table.set_index("expert")
    assert table.loc["mobilenetv2_100um", "value"] == pytest.approx(r["mobilenetv2_100um"].mean())
    assert table.loc["mobilenetv2_100um", "low"] < 0.45 < table.loc["mobilenetv2_100um", "high"]
    assert table.loc["colour_100um", "low"] < 0 < table.loc["colour_100um", "high"]
    assert list(found.folds["fold"].unique()) == ["A", "B", "C"]
    assert found.scores.beats("colour_100um")["verdict"].tolist() == ["better", "better"]


def test_the_ridge_equals_a_slow_reference():
    """At the least penalty on few clean features, ridge on the components is ridge on the components by hand."""
    tissue, counts = gene_tissue(side=8)
    name, genes = "mobilenetv2_100um", list(counts.var_names)
    found = gene_prediction(tissue, experts=[name], counts=counts, genes=genes, n_replicates=5, n_jobs=1)
    x = np.asarray(tissue.obsm[f"X_{name}"], dtype=np.float32)
    y = log_expression(counts).X.toarray().astype(float)
    donor = tissue.obs["donor"].to_numpy()
    best = {}
    for fold in "ABC":
        train, test = donor != fold, donor == fold
        pca = PCA().fit(x[train])
        scale = np.sqrt(pca.explained_variance_.mean())
        z = pca.transform(x) / scale
        guesses = [Ridge(alpha=a * train.sum()).fit(z[train], y[train]).predict(z[test]) for a in (0.01, 0.1, 1, 10)]
        best[fold] = [pearson_columns(y[test], guess) for guess in guesses]
    for fold, rows in found.genes.groupby("fold"):
        assert min(np.abs(rows["r"].to_numpy() - r).max() for r in best[fold]) < 1e-3


def test_genes_are_chosen_without_the_scored_spots():
    tissue = make_tissue(side=10, sections=("A1", "B1"))
    rng = np.random.default_rng(0)
    dense = rng.poisson(5, (tissue.n_obs, 30)).astype(np.float32)
    first = (tissue.obs["donor"] == "A").to_numpy()
    dense[first, 0] = rng.negative_binomial(0.3, 0.02, first.sum()) + 1  # gene 0 varies in donor A, gene 1 in donor B
    dense[~first, 1] = rng.negative_binomial(0.3, 0.02, (~first).sum()) + 1
    tissue.X = sparse.csr_matrix(dense)
    tissue.obsm["X_hallmark"] = rng.normal(size=(tissue.n_obs, 3))
    found = gene_prediction(tissue, experts=["hallmark"], n_genes=1, n_replicates=5, n_jobs=1)
    assert dict(zip(found.genes["fold"], found.genes["gene"], strict=True)) == {"A": "1", "B": "0"}


def test_what_is_missing_is_named():
    tissue, counts = gene_tissue(side=4)
    with pytest.raises(InputError, match="lack 16 of 48 spots"):
        gene_prediction(tissue, counts=counts[16:].copy(), genes=["g0.9"])
    with pytest.raises(InputError, match="not in the counts, nothing"):
        gene_prediction(tissue, counts=counts, genes=["nothing"])
    tissue.X = None
    with pytest.raises(InputError, match="no counts"):
        gene_prediction(tissue)


def test_the_strictest_split_at_hand_is_taken():
    kinds = [widest_split(make_tissue(side=3, sections=names)) for names in (("A1", "B1"), ("A1", "A2"), ("A1",))]
    assert kinds == ["donor", "section", "block"]


def test_scores_with_other_replicates_are_not_joined(tissue, scores):
    other = expert_scores(tissue, experts=["hallmark"], tasks=["niche"], n_replicates=20, n_jobs=1)
    with pytest.raises(InputError, match="20, 200 replicates"):
        join_scores(scores, other)
    assert isinstance(join_scores(scores), ExpertScores)
