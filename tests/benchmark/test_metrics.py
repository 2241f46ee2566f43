"""Scores against scikit-learn, and intervals against a known distribution."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, r2_score

from beyond_alignment.benchmark.metrics import score, tile_weights
from beyond_alignment.benchmark.predictions import Predictions
from beyond_alignment.benchmark.scoreboard import chance_macro_f1


def predictions(*, n=400, n_classes=3, n_tiles=20, seed=0, skill=1.0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, n)
    logits = rng.normal(size=(n, n_classes)) + skill * np.eye(n_classes)[truth]
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    tiles = rng.integers(0, n_tiles, n).astype(str)
    frequency = np.full((n, n_classes), 1 / n_classes)
    names = tuple("abcdef"[:n_classes])
    return Predictions(
        np.arange(n), truth, probability, probability.argmax(axis=1), frequency, names, tiles, np.full(n, "s"), (n,), 0
    )


def whole(found):
    return tile_weights(found.tiles, found.strata, n_replicates=0)


def test_classification_scores_equal_scikit_learn():
    found = predictions()
    scores = score(found, whole(found))
    guess = found.probability.argmax(axis=1)
    assert scores["macro_f1"].value == pytest.approx(f1_score(found.truth, guess, average="macro"))
    assert scores["accuracy"].value == pytest.approx(accuracy_score(found.truth, guess))
    share = np.bincount(found.truth) / len(found.truth)
    entropy = -(share * np.log2(share)).sum()
    assert scores["bits"].value == pytest.approx(entropy - log_loss(found.truth, found.probability) / np.log(2))


def test_regression_scores_equal_scikit_learn_and_a_constant_target_is_zero():
    rng = np.random.default_rng(0)
    truth = np.column_stack([rng.normal(size=(300, 2)), np.ones(300)])
    guess = truth + 0.5 * rng.normal(size=truth.shape)
    found = Predictions(
        np.arange(300),
        truth,
        guess,
        np.zeros(300, int),
        guess * 0,
        (),
        rng.integers(0, 9, 300).astype(str),
        np.full(300, "s"),
        (300,),
        0,
    )
    scores = score(found, whole(found))
    assert scores["r2"].value == pytest.approx(r2_score(truth[:, :2], guess[:, :2]) * 2 / 3)
    pearson = [np.corrcoef(truth[:, i], guess[:, i])[0, 1] for i in (0, 1)]
    assert scores["pearson"].value == pytest.approx(sum(pearson) / 3)


def test_a_replicate_equals_the_score_of_the_resampled_spots():
    found = predictions(seed=1)
    weights = tile_weights(found.tiles, found.strata, n_replicates=5, seed=2)
    names = np.unique(found.tiles)
    times = weights[3][np.searchsorted(names, found.tiles)].astype(int)
    drawn = np.repeat(np.arange(len(found.truth)), times)
    slow = f1_score(found.truth[drawn], found.probability.argmax(axis=1)[drawn], average="macro")
    assert score(found, weights)["macro_f1"].replicates[2] == pytest.approx(slow)


def test_tiles_are_drawn_within_their_stratum():
    tiles = np.repeat([f"t{i}" for i in range(10)], 7)
    strata = np.repeat(["s1"] * 4 + ["s2"] * 6, 7)
    weights = tile_weights(tiles, strata, n_replicates=200)
    assert (weights[0] == 1).all()
    assert (weights[:, :4].sum(axis=1) == 4).all()
    assert (weights[:, 4:].sum(axis=1) == 6).all()


def test_the_interval_covers_the_truth_at_its_level():
    """The accuracy of a coin whose tosses agree within a tile is one half in 95 % of intervals."""
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        tile = np.repeat(np.arange(40), 10)
        right = rng.integers(0, 2, 40)[tile]
        probability = np.where(right[:, None] == 1, [0.9, 0.1], [0.1, 0.9])
        n, names = len(tile), tile.astype(str)
        truth, strata = np.zeros(n, int), np.full(n, "s")
        places = np.arange(n)
        found = Predictions(places, truth, probability, 1 - right, probability, ("a", "b"), names, strata, (n,), 0)
        weights = tile_weights(found.tiles, found.strata, n_replicates=300, seed=seed)
        low, high = score(found, weights)["accuracy"].interval()
        covered += low <= 0.5 <= high
    assert 0.90 <= covered / 200 <= 0.985


def test_chance_is_one_over_the_number_of_even_classes():
    mean, high = chance_macro_f1(predictions(n=3000))
    assert mean == pytest.approx(1 / 3, abs=0.01)
    assert high > mean


def test_bits_of_a_model_that_knows_nothing_are_not_positive():
    found = predictions(skill=0.0, n=2000)
    assert score(found, whole(found))["bits"].value < 0
