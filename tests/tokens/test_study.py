"""The study on simulated tissue: its tables, its references and the rules of its verdicts."""

import numpy as np
import pandas as pd
import pytest
from beyond_alignment.results import CLAIMS, VERDICTS

from beyond_alignment.benchmark.verdicts import NOT_REPLICATED, REPLICATED, UNTESTABLE
from beyond_alignment.datasets.simulated_histology.dials import Dials
from beyond_alignment.errors import InputError
from beyond_alignment.tokens import compare_arms, only, outer_folds, retrieval_table, simulated_tiles, token_claims
from beyond_alignment.tokens.arm_scores import best_arm, fusion_and_rival, gain, predictability
from beyond_alignment.tokens.contrastive import ClipResult
from beyond_alignment.tokens.retrieval import Retrieval
from beyond_alignment.tokens.scores import score_genes
from tests.tokens.small import plan

ARMS = ("expression_tile", "morphology_frozen", "late_concat_tile_frozen", "late_concat_token_frozen")
FOLDS = ("a", "b", "c", "d")


@pytest.fixture(scope="module")
def made():
    return simulated_tiles(
        n_donors=3, size_um=200.0, microns_per_pixel=2.0, tile_um=64.0, stride_um=34.0, input_px=16, patch_px=8,
        min_transcripts=1, seed=3,
    )  # fmt: skip


@pytest.fixture(scope="module")
def compared(made):
    folds = outer_folds(made.tiles, n_folds=3)
    return folds, compare_arms(made.tiles, ARMS[:2], folds, plan=plan(), image_epochs=2, seeds=(0, 1), device="cpu")


def scores_of(means, *, wiggle=0.002):
    """Return scores of four donors, the mean of each arm and a little of each donor's own."""
    own = dict(zip(FOLDS, np.linspace(-1, 1, 4), strict=True))
    return pd.DataFrame(
        [
            {"arm": arm, "label": arm, "fold": fold, "seed": 0, "n_tiles": 10,
             "spearman": mean + 0.05 * own[fold] + wiggle * own[fold] * (-1) ** number}
            for number, (arm, mean) in enumerate(means.items())
            for fold in FOLDS
        ]
    )  # fmt: skip


MEANS = {
    "min_mae": 0.70, "ridge_core": 0.80, "morphology_frozen": 0.60, "expression_tile": 0.70, "expression_token": 0.78,
    "late_concat_tile_frozen": 0.80, "late_concat_token_frozen": 0.85, "early_add_trained": 0.851,
}  # fmt: skip
GENES = pd.DataFrame(
    {"gene": [f"g{i}" for i in range(20)], "largest_r": np.arange(20) / 20, "spearman": np.arange(20) / 25,
     "ridge_r2": 0.5, "core_share": np.arange(20) / 20}
)  # fmt: skip


def clusters_of(coherence, molecular):
    """Return measures of four donors, near those given by arm."""
    wiggle = dict(zip(FOLDS, (0.0, 0.01, -0.01, 0.005), strict=True))
    return pd.DataFrame(
        [
            {"arm": arm, "fold": fold, "coherence": value + wiggle[fold] * rank, "molecular": molecular[arm]}
            for rank, (arm, value) in enumerate(coherence.items())
            for fold in FOLDS
        ]
    )


BEST = ("early_add_trained", "expression_token", "morphology_frozen")
CLUSTERS = clusters_of(dict(zip(BEST, (0.6, 0.4, 0.7), strict=True)), dict(zip(BEST, (0.5, 0.6, 0.3), strict=True)))


def verdicts(means, clips=(), clusters=None, at_the_end=0):
    """Return the verdict of each claim; clusters are those of any best arms, trainings of every arm as finished."""
    table = CLUSTERS if clusters is None else clusters
    kinds = dict(zip(BEST, ("fusion", "expression", "morphology"), strict=True))
    named = {arm: best_arm(scores_of(means), kind) for arm, kind in kinds.items()}
    renamed = table.assign(arm=table["arm"].map(named))
    arms = pd.DataFrame({"arm": list(means), "at_the_end": at_the_end})
    records = token_claims(scores_of(means), clips, GENES, renamed, arms=arms)
    return {record["claim"]: record["verdict"] for record in records}


def test_donors_are_the_groups_and_the_truth_is_by_gene(made):
    assert sorted(set(made.tiles.group)) == ["donor 1", "donor 2", "donor 3"]
    assert list(made.core_share.index) == list(made.tiles.addon_genes)
    assert made.core_share.between(0, 1).all()


def test_every_arm_fold_and_seed_has_a_row_and_references_have_one(compared):
    _, comparison = compared
    counts = comparison.scores.groupby("arm").size()
    assert counts.to_dict() == {"expression_tile": 6, "morphology_frozen": 6, "min_mae": 3, "ridge_core": 3}
    assert comparison.arms["epochs"].tolist() == [3, 3]
    assert len(comparison.genes) == (comparison.genes.groupby(["arm", "fold", "seed"]).size()).sum()


def test_a_row_is_the_mean_over_genes_of_the_held_out_tiles(made, compared):
    folds, comparison = compared
    fold = folds[1]
    expected = score_genes(
        made.tiles.targets[fold.test], comparison.predictions["min_mae"][fold.test], made.tiles.addon_genes
    ).mean()
    row = comparison.scores.query("arm == 'min_mae' and fold == @fold.name").iloc[0]
    assert row[list(expected)].to_dict() == pytest.approx(expected)


def test_only_turns_the_other_programmes_off():
    dials = only("synergy")
    assert (dials.synergy, dials.core) == (Dials().synergy, Dials().core)
    assert not any((dials.cell_type, dials.redundant, dials.unique_expression, dials.unique_morphology))
    with pytest.raises(InputError, match="no programme noise"):
        only("noise")


def test_a_gain_is_paired_by_fold():
    mean, low, high = gain(scores_of(MEANS, wiggle=0.0), "late_concat_token_frozen", "late_concat_tile_frozen")
    assert (mean, low, high) == pytest.approx((0.05, 0.05, 0.05))


def test_the_best_arm_of_a_kind_is_no_reference():
    scores = scores_of(MEANS)
    assert best_arm(scores, "fusion") == "early_add_trained"
    assert best_arm(scores, "late token") == "late_concat_token_frozen"
    assert best_arm(scores, "expression") == "expression_token"


def test_the_ridge_on_core_counts_is_a_single_modality_too():
    assert fusion_and_rival(scores_of(MEANS | {"ridge_core": 0.70})) == ("early_add_trained", "expression_token")
    assert fusion_and_rival(scores_of(MEANS | {"ridge_core": 0.90})) == ("early_add_trained", "ridge_core")
    assert fusion_and_rival(scores_of(MEANS | {"morphology_frozen": 0.95}))[1] == "morphology_frozen"


def test_verdicts_follow_the_scores():
    found = verdicts(MEANS)
    assert set(found) == {f"M{i}" for i in range(1, 10)} <= set(CLAIMS)
    assert set(found.values()) <= set(VERDICTS)
    assert [found[f"M{i}"] for i in (1, 2, 3, 5, 7)] == [REPLICATED] * 3 + [NOT_REPLICATED, REPLICATED]
    assert [found[f"M{i}"] for i in (4, 6, 9)] == [UNTESTABLE] * 3
    assert found["M8"] == REPLICATED


def test_clusters_of_a_fusion_have_to_be_better_in_both_ways():
    same, lower = dict.fromkeys(BEST, 0.5), dict(zip(BEST, (0.3, 0.6, 0.6), strict=True))
    assert verdicts(MEANS, clusters=clusters_of(same, lower))["M8"] == NOT_REPLICATED
    assert verdicts(MEANS, clusters=clusters_of(lower, lower))["M8"] == NOT_REPLICATED
    assert verdicts(MEANS, clusters=clusters_of(same, dict.fromkeys(BEST, 0.5)))["M8"] == UNTESTABLE


def test_a_fusion_below_the_ridge_on_core_counts_gains_nothing():
    fused = {"late_concat_token_frozen": 0.75, "early_add_trained": 0.75, "late_concat_tile_frozen": 0.75}
    assert verdicts(MEANS | fused | {"expression_token": 0.90})["M1"] == NOT_REPLICATED
    assert verdicts(MEANS | {"ridge_core": 0.90})["M1"] == UNTESTABLE
    behind = MEANS | {"early_add_trained": 0.70}
    assert verdicts(behind)["M3"] == NOT_REPLICATED
    runs = int((scores_of(behind)["arm"] == "early_add_trained").sum())
    assert verdicts(behind, at_the_end=runs // 2 - 1)["M3"] == NOT_REPLICATED
    assert verdicts(behind, at_the_end=runs // 2)["M3"] == UNTESTABLE  # a training that was cut short shows nothing
    assert verdicts(MEANS | {"expression_token": 0.70})["M5"] == REPLICATED


def test_retrieval_averages_both_directions():
    found = {g: Retrieval(64, {1: a, 5: a}, {1: a / 2, 5: a}, {1: 1 / 64, 5: 5 / 64}, 64) for g, a in
             (("tile", 0.1), ("token", 0.4))}  # fmt: skip
    clips = [ClipResult(g, 0, (found[g],) * 4, np.zeros((1, 1), np.float32), "random", 1.0) for g in found]
    table = retrieval_table(clips)
    assert table.groupby("granularity")["recall_1"].mean().to_dict() == pytest.approx({"tile": 0.075, "token": 0.3})
    assert verdicts(MEANS, clips)["M6"] == REPLICATED


def test_predictability_joins_measure_and_truth(compared, made):
    _, comparison = compared
    genes = made.tiles.addon_genes
    redundancy = pd.DataFrame({"gene": genes, "ridge_r2": 0.1, "largest_r": 0.2})
    table = predictability(comparison.genes, redundancy, made.core_share, arm="expression_tile")
    assert table["core_share"].tolist() == pytest.approx(made.core_share[table["gene"]].tolist())
    assert np.isfinite(table.drop(columns="gene").to_numpy()).all()
