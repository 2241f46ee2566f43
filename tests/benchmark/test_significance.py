"""Paired tests hold their level, find what is there, and say what few groups cannot license."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.benchmark.method_comparison import compare_with_experts, enough, score_draws, verdict_sentence
from beyond_alignment.benchmark.metrics import score, statistics, tile_weights
from beyond_alignment.benchmark.predictions import Predictions
from beyond_alignment.benchmark.problem import Contest
from beyond_alignment.benchmark.significance import (
    compare_two,
    exchange_p,
    exchanges,
    holm,
    rank_biserial,
    scope,
    smallest_p,
)
from beyond_alignment.benchmark.size_comparison import compare_sizes
from beyond_alignment.errors import InputError

SIDE = 12  # spots a tile


def draw(rng, truth, accuracy, *, n_tiles, folds=3):
    """Return two-class predictions that are right as often as the accuracy says."""
    right = rng.random(len(truth)) < accuracy
    guess = np.where(right, truth, 1 - truth)
    probability = np.where(np.eye(2, dtype=bool)[guess], 0.8, 0.2)
    tile = np.repeat([f"t{i:02d}" for i in range(n_tiles)], SIDE)
    fold = np.repeat([f"D{i * folds // n_tiles}" for i in range(n_tiles)], SIDE)
    n = len(truth)
    return Predictions(
        np.arange(n), truth, probability, guess, np.full((n, 2), 0.5), ("a", "b"), tile, fold, (n,), 0, fold
    )


def pair(seed, accuracies, *, n_tiles=8, n_seeds=1):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, SIDE * n_tiles)
    return [[draw(rng, truth, accuracy, n_tiles=n_tiles) for _ in range(n_seeds)] for accuracy in accuracies]


def test_holm_is_that_of_statsmodels():
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    rng = np.random.default_rng(0)
    for _ in range(20):
        p = rng.random(rng.integers(1, 15)) ** 3
        np.testing.assert_allclose(holm(p), multitest.multipletests(p, method="holm")[1])
    assert np.isnan(holm([0.01, np.nan, 0.03])).tolist() == [False, True, False]
    np.testing.assert_allclose(holm([0.01, np.nan, 0.03])[[0, 2]], [0.02, 0.03])


def test_the_exchange_test_equals_swapping_the_predictions_themselves():
    first, second = (runs[0] for runs in pair(0, (0.8, 0.6), n_tiles=4))
    units = np.unique(first.tiles)
    one = np.ones((1, len(units)))
    slow = []
    for swap in product([False, True], repeat=len(units)):
        out = np.isin(first.tiles, units[list(swap)])
        a, b = (draw_from(x, y, out) for x, y in ((first, second), (second, first)))
        slow.append(score(a, one)["macro_f1"].value - score(b, one)["macro_f1"].value)
    size = np.abs(slow)
    stats = [[statistics(run)] for run in (first, second)]
    found = exchange_p(*stats, "macro_f1", exchanges(4, n_permutations=0))
    assert found == pytest.approx(np.mean(size >= size[0] - 1e-12))


def draw_from(kept, other, out):
    """Return predictions in which some spots hold those of another method."""
    from dataclasses import replace

    return replace(
        kept,
        guess=np.where(out, other.guess, kept.guess),
        probability=np.where(out[:, None], other.probability, kept.probability),
    )


def test_the_test_keeps_its_level_where_nothing_differs():
    """Of 300 comparisons of equally good methods, 5 % may come out below 0.05."""
    swaps = exchanges(10, n_permutations=0)
    p = []
    for seed in range(300):
        stats = [[statistics(run) for run in runs] for runs in pair(seed, (0.7, 0.7), n_tiles=10)]
        p.append(exchange_p(*stats, "bits", swaps))
    assert np.mean(np.array(p) <= 0.05) < 0.085
    assert 0.45 < np.mean(p) < 0.65  # above a half, since few counts often tie


def test_a_real_difference_is_found_and_its_effect_is_large():
    runs = pair(1, (0.9, 0.6), n_tiles=16, n_seeds=3)
    stats = [[statistics(run) for run in of] for of in runs]
    weights = tile_weights(runs[0][0].tiles, runs[0][0].strata, n_replicates=200)
    found = compare_two(*stats, "accuracy", weights=weights, swaps=exchanges(16, n_permutations=999))
    assert found.value == pytest.approx(0.3, abs=0.06)
    assert found.low > 0.2
    assert found.p <= 0.002
    assert found.effect > 0.95
    assert found.effect_low > 0.8
    back = compare_two(stats[1], stats[0], "accuracy", weights=weights, swaps=exchanges(16, n_permutations=999))
    assert back.value == pytest.approx(-found.value)
    assert back.p == pytest.approx(found.p)
    assert back.effect == pytest.approx(-found.effect)


def test_more_seeds_are_no_more_tissue():
    once = pair(3, (0.72, 0.65), n_tiles=6)
    stats = [[statistics(run) for run in of] for of in once]
    tripled = [of * 3 for of in stats]
    swaps = exchanges(6, n_permutations=0)
    assert exchange_p(*stats, "macro_f1", swaps) == exchange_p(*tripled, "macro_f1", swaps)


def test_three_donors_cannot_be_significant_and_it_is_said():
    swaps = exchanges(3, n_permutations=1000)
    assert len(swaps) == 8
    runs = pair(4, (0.99, 0.5), n_tiles=9)
    stats = [[statistics(run, run.folds) for run in of] for of in runs]
    assert exchange_p(*stats, "accuracy", swaps) == smallest_p(3) == 0.25
    assert "no difference can be significant for other donors" in scope(3)
    assert "see the test that exchanges whole donors (8 of them)" in scope(8)


def test_rank_biserial_is_that_of_wilcoxon():
    from scipy.stats import wilcoxon

    differences = np.random.default_rng(0).normal(0.3, 1, 20)
    plus = wilcoxon(differences, alternative="greater").statistic  # sum of the ranks of positive differences
    total = 20 * 21 / 2
    assert rank_biserial(differences, np.ones((1, 20)))[0] == pytest.approx(2 * plus / total - 1)
    assert rank_biserial(np.zeros(5), np.ones((1, 5)))[0] == 0


def test_scores_of_units_add_up_to_those_of_the_whole():
    (run,), _ = pair(5, (0.7, 0.7))
    found = statistics(run)
    assert found.read(found.values.sum(axis=0, keepdims=True))["macro_f1"][0] == pytest.approx(
        score(run, np.ones((1, 8)))["macro_f1"].value
    )


def contests(accuracies, n_seeds=2, task="niche"):
    runs = pair(7, accuracies.values(), n_tiles=18, n_seeds=n_seeds)
    return [
        (Contest(task, "donor", method, "pca", "mobilenetv2_600um", seed), run)
        for method, of in zip(accuracies, runs, strict=True)
        for seed, run in enumerate(of)
    ]


def test_the_table_names_the_better_expert_and_corrects_over_all_rows():
    found = contests({"expression_only": 0.7, "morphology_only": 0.55, "concat": 0.9, "late_average": 0.7})
    table = compare_with_experts(found, n_replicates=200, n_permutations=999).set_index("method")
    assert set(table["expert"]) == {"expression_only"}
    assert table.loc["concat", "verdict"] == "better"
    assert table.loc["late_average", "verdict"] == "not told apart"
    assert table.loc["concat", "p_holm"] == pytest.approx(2 * table.loc["concat", "p"])
    assert (table["smallest_p_group"] == 0.25).all()
    assert set(table["made_from"]) == {"neighbours"}
    assert (table["n_seeds"] == 2).all()
    sentence = verdict_sentence(table.reset_index())
    assert "the largest lead is that of concat on niche" in sentence


def test_many_tests_get_as_many_exchanges_as_their_correction_needs():
    assert enough(1) == 2000
    for n_tests in (60, 135):
        assert n_tests / enough(n_tests) < 0.05 / 5  # the smallest p, corrected


def test_no_gain_is_a_sentence_that_can_be_said():
    found = contests({"expression_only": 0.75, "morphology_only": 0.6, "concat": 0.75})
    table = compare_with_experts(found, n_replicates=100, n_permutations=499)
    assert verdict_sentence(table) == "No method beats the better expert here (1 methods on 1 task, Holm-corrected)."
    assert "No fusion was compared" in verdict_sentence(pd.DataFrame())


def test_a_method_that_failed_for_a_seed_is_left_out_and_ranked_last():
    found = contests({"expression_only": 0.7, "morphology_only": 0.6, "concat": 0.8})
    found[-1] = (found[-1][0], None)
    assert compare_with_experts(found, n_replicates=50, n_permutations=99).empty
    scores, draws, _ = score_draws(found, n_replicates=20)
    assert scores.isna().to_numpy().tolist() == [[False, False, True]]
    assert draws.shape == (20, 1, 3)


def test_a_size_is_compared_with_another_on_the_same_spots_and_seeds():
    common = contests({"concat": 0.6, "clip": 0.7, "gated": 0.7}, n_seeds=3)
    large = [(c, run) for c, run in contests({"concat": 0.9, "clip": 0.7, "vicreg": 0.7}, n_seeds=2)]
    large = [(c, dict(common)[c] if c.method == "clip" else run) for c, run in large]  # CLIP predicts the same
    table = compare_sizes(common, large, n_replicates=200, n_permutations=999).set_index("method")
    assert table.index.to_list() == ["concat", "clip"]  # what both ran
    assert table["verdict"].to_list() == ["better", "not told apart"]
    assert table.loc["clip", ["difference", "low", "high"]].tolist() == [0, 0, 0]
    assert table.loc["concat", "published"] - table.loc["concat", "common"] == pytest.approx(
        table.loc["concat", "difference"]
    )
    assert (table["n_seeds"] == 2).all()
    assert compare_sizes(common, []).empty


def test_different_spots_or_seeds_are_refused():
    few, many = pair(0, (0.7, 0.7), n_tiles=6), pair(0, (0.7, 0.7), n_tiles=8)
    stats = [[statistics(of[0])] for of in (few[0], many[0])]
    options = {"weights": np.ones((2, 6)), "swaps": exchanges(6, n_permutations=9)}
    with pytest.raises(InputError, match="same units"):
        compare_two(*stats, "bits", **options)
    with pytest.raises(InputError, match="same seeds"):
        compare_two(stats[0], stats[0] * 2, "bits", **options)
