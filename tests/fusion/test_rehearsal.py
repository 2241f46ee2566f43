"""A probe is as sure as it may be: held-out bits against those of the distribution that the labels are drawn from.

A representation that is trained on labels separates its own training spots too well. The bits per spot that any
classifier can reach are known here in closed form, and a probe that is too sure falls below 0.
"""

import numpy as np
import pytest

from beyond_alignment.fusion import make_fusion
from beyond_alignment.fusion.neural import NeuralFusion
from beyond_alignment.fusion.probe import RidgeProbe
from beyond_alignment.fusion.rehearsal import Rehearsal, choose, inner_folds, spread
from beyond_alignment.information.gates import gate
from tests.fusion.probes import fit_probe
from tests.fusion.small_networks import Plain

QUICK = {"width": 32, "steps": 150, "dimension": 16, "learning_rate": 1e-2, "weight_decay": 0.0, "device": "cpu"}
N, N_TEST, NOISE = 240, 3000, 16


def flipped(name, share):
    """A gate whose outcome is drawn anew in some share of the spots: joint distribution of sources and outcome."""
    p = gate(name)
    return (1 - share) * p + share * np.einsum("ij,y->ijy", p.sum(2), np.full(p.shape[2], 1 / p.shape[2]))


def bits_of(p):
    """I(X1, X2; Y) in bits."""
    expected = p.sum(2, keepdims=True) * p.sum((0, 1), keepdims=True)
    return np.sum(p[p > 0] * np.log2(p[p > 0] / expected[p > 0]))


def draw(p, n, seed):
    """Spots: the state of each source along one axis, among axes of pure noise."""
    rng = np.random.default_rng(seed)
    i, j, y = np.unravel_index(rng.choice(p.size, n, p=p.ravel()), p.shape)
    pair = tuple(
        np.column_stack([4.0 * state - 2 + 0.3 * rng.normal(size=n), rng.normal(size=(n, NOISE))]) for state in (i, j)
    )
    return pair, np.array(["a", "b", "c", "d"])[y]


def held_out_bits(probability, labels, classes):
    """Bits per spot that probabilities save over the frequencies of the classes."""
    codes = np.searchsorted(classes, labels)
    frequency = np.bincount(codes) / len(codes)
    return np.mean(np.log2(probability[np.arange(len(codes)), codes] / frequency[codes]))


@pytest.fixture(scope="module")
def noisy():
    """Fits on exclusive or with 40 % of the outcomes drawn anew, and on an outcome that is noise alone."""
    found = {}
    for share in (0.4, 1.0):
        p = flipped("xor", share)
        train, test = draw(p, N, 0), draw(p, N_TEST, 1)
        model = NeuralFusion(Plain, **QUICK).fit(*train, groups=np.arange(N) % 6)
        found[share] = model, train, test, bits_of(p)
    return found


def test_a_method_trained_on_labels_says_what_it_knows(noisy):
    model, train, test, bayes = noisy[0.4]
    assert bayes == pytest.approx(1 + 0.2 * np.log2(0.2) + 0.8 * np.log2(0.8))
    concat = make_fusion("concat").fit(*train, groups=np.arange(N) % 6)
    found, linear = (held_out_bits(m.predict_proba(test[0]), test[1], m.classes_) for m in (model, concat))
    assert -0.01 < linear < 0.02  # no linear probe knows anything of exclusive or
    assert linear + 0.05 < found < bayes + 0.02


def test_a_method_that_learnt_noise_says_nothing(noisy):
    model, train, test, bayes = noisy[1.0]
    assert bayes == pytest.approx(0)
    assert np.mean(model.predict(train[0]) == train[1]) > 0.9  # learnt by heart
    assert abs(held_out_bits(model.predict_proba(test[0]), test[1], model.classes_)) < 0.02


@pytest.mark.parametrize("share", [0.4, 1.0])
def test_a_probe_whose_settings_were_chosen_on_the_same_spots_is_too_sure(noisy, share):
    model, train, test, _ = noisy[share]
    probe = fit_probe(model.transform(train[0]), train[1], groups=np.arange(N) % 6)
    fair = held_out_bits(model.predict_proba(test[0]), test[1], model.classes_)
    assert held_out_bits(probe.predict_proba(model.transform(test[0])), test[1], probe.classes_) < fair - 0.2


def test_a_regression_that_learnt_noise_predicts_the_mean():
    rng = np.random.default_rng(0)
    pair, targets = tuple(rng.normal(size=(2, N, NOISE))), rng.normal(size=(N, 1))
    model = NeuralFusion(Plain, kind="regression", **QUICK).fit(pair, targets, groups=np.arange(N) % 6)
    fresh = model.predict(tuple(rng.normal(size=(2, N_TEST, NOISE))))
    assert np.mean((fresh - targets.mean()) ** 2) < 0.03


def test_an_estimator_is_rehearsed_without_each_group_in_turn():
    pair, labels = draw(flipped("and", 0.3), 90, 2)
    groups = np.arange(90) % 3
    model = make_fusion("concat").fit(pair, labels, groups=groups)
    plays = []
    for train, test in inner_folds(90, groups):
        own = make_fusion("concat").fit(tuple(x[train] for x in pair), labels[train])
        parts = [own.transform(tuple(x[rows] for x in pair)) for rows in (train, test)]
        plays.append(Rehearsal(parts[0], labels[train], parts[1], labels[test]))
    (expected,) = choose([plays], ["classification"])
    settings = expected.settings
    assert (model.head_.penalty_, model.head_.weight_, model.head_.temperature_) == (
        settings.penalty,
        settings.weight,
        settings.temperature,
    )


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_the_unit_of_a_representation_does_not_matter(kind):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(80, 6)) * np.arange(1, 7)
    y = (z[:, 5] + 3 * rng.normal(size=80) > 0).astype(int) if kind == "classification" else z[:, :2]
    one, two = fit_probe(z, y, kind=kind), fit_probe(1e3 * z, y, kind=kind)
    answer = "predict" if isinstance(one, RidgeProbe) else "predict_proba"
    assert getattr(one, answer)(z) == pytest.approx(getattr(two, answer)(1e3 * z), abs=1e-4)
    assert spread(1e3 * z) == pytest.approx(1e6 * spread(z))
