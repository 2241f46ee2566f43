"""Arms against each other, and the rules of the verdicts of the page on token-level fusion."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.benchmark.verdicts import NOT_REPLICATED, REPLICATED, UNTESTABLE
from beyond_alignment.book.claims import CLAIMS, VERDICTS
from beyond_alignment.pages.tokens_claims import token_claims
from beyond_alignment.tokens.arm_scores import best_arm, fusion_and_rival, gain

FOLDS = ("a", "b", "c", "d")


def scores_of(means, *, wiggle=0.002):
    """Return scores of four donors, the mean of each arm and a little of each donor's own."""
    own = dict(zip(FOLDS, np.linspace(-1, 1, 4), strict=True))
    return pd.DataFrame(
        [
            {"arm": arm, "label": arm, "fold": fold, "seed": 0, "n_tiles": 10, "epochs": 9, "best_epoch": 5.0,
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


def clips_of(recall):
    """Return recall at 1 and 5 of four donors, the same for each."""
    chance = {"seed": 0, "chance_1": 1 / 64, "chance_5": 5 / 64}
    return pd.DataFrame(
        [
            {"granularity": g, "fold": fold, "recall_1": value, "recall_5": value, **chance}
            for g, value in recall.items()
            for fold in FOLDS
        ],
        columns=["granularity", "fold", "recall_1", "recall_5", *chance],
    )


def verdicts(means, recall=None, clusters=None, best_epochs=(5.0, 5.0, 5.0, 5.0)):
    """Return the verdict of each claim; clusters are those of any best arms, epochs those of every arm by donor."""
    table = CLUSTERS if clusters is None else clusters
    kinds = dict(zip(BEST, ("fusion", "expression", "morphology"), strict=True))
    named = {arm: best_arm(scores_of(means), kind) for arm, kind in kinds.items()}
    scores = scores_of(means)
    scores["best_epoch"] = scores["fold"].map(dict(zip(FOLDS, best_epochs, strict=True)))
    records = token_claims(scores, clips_of(recall or {}), GENES, table.assign(arm=table["arm"].map(named)))
    return {record["claim"]: record["verdict"] for record in records}


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
    assert verdicts(behind, best_epochs=(9, 5, 5, 5))["M3"] == NOT_REPLICATED
    assert verdicts(behind, best_epochs=(9, 9, 5, 5))["M3"] == UNTESTABLE  # what was cut short shows nothing
    assert verdicts(behind, best_epochs=(9, np.nan, 5, 5))["M3"] == UNTESTABLE
    assert verdicts(MEANS | {"expression_token": 0.70})["M5"] == REPLICATED


def test_tokens_have_to_retrieve_better_than_tiles():
    assert verdicts(MEANS, {"tile": 0.1, "token": 0.4})["M6"] == REPLICATED
    assert verdicts(MEANS, {"tile": 0.4, "token": 0.1})["M6"] == NOT_REPLICATED
    assert verdicts(MEANS, {"token": 0.4})["M6"] == UNTESTABLE
