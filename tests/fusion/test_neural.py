"""The estimator around a network: scikit-learn's rules, the budget, and every kind of bad input."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from beyond_alignment.errors import InputError
from beyond_alignment.fusion.network import Shape
from beyond_alignment.fusion.neural import NeuralFusion
from beyond_alignment.fusion.record import FusionMethod
from beyond_alignment.fusion.registry import FUSION_METHODS, from_record, make_fusion, trained_parameters
from beyond_alignment.fusion.training import n_trained
from beyond_alignment.fusion.width import build, widest
from tests.fusion.small_networks import Noisy, Plain

QUICK = {"width": 16, "steps": 12, "dimension": 8, "device": "cpu"}
N = 150
SIZES = ("common", "published")


@pytest.fixture(scope="module")
def odd():
    """A label that neither modality tells alone: exclusive or."""
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (N, 2))
    pair = tuple((2.0 * bits[:, i : i + 1] - 1) * np.ones(4) + 0.3 * rng.normal(size=(N, 4)) for i in (0, 1))
    return pair, np.where(bits[:, 0] ^ bits[:, 1], "odd", "even"), rng.integers(-1, N, (N, 5))


@pytest.mark.parametrize("network", [Plain, Noisy])
def test_it_is_a_scikit_learn_classifier(network, odd):
    pair, labels, near = odd
    model = NeuralFusion(network, seed=2, reads_neighbours=network is Noisy, **QUICK)
    assert clone(model).get_params() == model.get_params()
    before = torch.random.get_rng_state()
    model.fit(pair, labels, neighbours=near)
    assert torch.equal(before, torch.random.get_rng_state())
    probability = model.predict_proba(pair, neighbours=near)
    assert np.allclose(probability.sum(axis=1), 1)
    assert model.transform(pair, neighbours=near).shape == (N, 8)
    again = clone(model).fit(pair, labels, neighbours=near)
    assert np.array_equal(again.predict_proba(pair, neighbours=near), probability)
    other = clone(model).set_params(seed=3).fit(pair, labels, neighbours=near)
    assert not np.allclose(other.transform(pair, neighbours=near), model.transform(pair, neighbours=near))
    probe = model.head_.coef_.size + model.head_.intercept_.size
    reductions = sum(reduction.n_parameters_ for reduction in model.reductions_)
    assert model.n_parameters_ == n_trained(model.network_) + probe + reductions


def test_a_hidden_layer_learns_exclusive_or(odd):
    pair, labels, _ = odd
    model = NeuralFusion(Plain, **QUICK | {"steps": 200, "learning_rate": 1e-2}).fit(pair, labels)
    assert np.mean(model.predict(pair) == labels) > 0.97
    assert model.losses_[-1] < 0.2 < model.losses_[0]


def test_a_network_on_pairs_ignores_the_labels(odd):
    pair, labels, near = odd
    one = NeuralFusion(Noisy, reads_neighbours=True, **QUICK).fit(pair, labels, neighbours=near)
    two = NeuralFusion(Noisy, reads_neighbours=True, **QUICK).fit(pair, labels[::-1], neighbours=near)
    assert np.array_equal(one.transform(pair, neighbours=near), two.transform(pair, neighbours=near))


def test_neighbours_are_read_by_those_who_do(odd):
    pair, labels, near = odd
    blind = NeuralFusion(Noisy, reads_neighbours=False, **QUICK).fit(pair, labels, neighbours=near)
    assert np.array_equal(blind.transform(pair, neighbours=near), blind.transform(pair))
    seeing = NeuralFusion(Noisy, reads_neighbours=True, **QUICK).fit(pair, labels, neighbours=near)
    assert not np.allclose(seeing.transform(pair, neighbours=near), seeing.transform(pair))


def test_a_regression_does_not_depend_on_the_unit_of_its_targets(odd):
    pair, _, _ = odd
    targets = np.column_stack([pair[0][:, 0] * pair[1][:, 0], pair[0][:, 1], np.ones(N)])  # one is constant
    one = NeuralFusion(Plain, kind="regression", **QUICK).fit(pair, targets)
    two = NeuralFusion(Plain, kind="regression", **QUICK).fit(pair, 1000 * targets + 5)
    assert one.predict(pair).shape == targets.shape
    assert two.predict(pair) == pytest.approx(1000 * one.predict(pair) + 5, abs=0.1)


@pytest.mark.parametrize("budget", [500, 4000, 40_000])
def test_the_width_is_the_largest_within_the_budget(budget):
    shape = Shape(d1=4, d2=5, n_outputs=3, kind="classification", dimension=8)
    width = widest(Noisy, shape, budget=budget, options={})
    sizes = [n_trained(build(Noisy, shape, width=w, seed=0, options={})) for w in (width, width + 1)]
    assert sizes[0] <= budget < sizes[1]


@pytest.mark.parametrize(
    ("spoil", "d"),
    [("zeros", 4), ("constant", 4), ("twice", 8), ("wide", 400), ("one varies", 4)],
)
def test_a_modality_that_carries_nothing_new_is_fitted(spoil, d, odd):
    pair, labels, near = odd
    x2 = {
        "zeros": 0 * pair[1],
        "constant": np.full((N, 4), 1e5 / 3),
        "twice": np.hstack([pair[1], pair[1]]),
        "wide": np.random.default_rng(1).normal(size=(N, d)),
        "one varies": np.column_stack([np.full((N, 3), 7.3), pair[1][:, 0]]),
    }[spoil]
    for network in (Plain, Noisy):
        model = NeuralFusion(network, reads_neighbours=True, **QUICK).fit((pair[0], x2), labels, neighbours=near)
        assert np.isfinite(model.predict_proba((pair[0], x2), neighbours=near)).all()
        if spoil in ("zeros", "constant"):  # no rounding is blown up to a modality
            assert np.abs(model.reductions_[1].transform(x2)).max() == 0


def test_a_missing_modality_is_its_training_mean(odd):
    pair, labels, _ = odd
    for model in (NeuralFusion(Plain, **QUICK), make_fusion("concat"), make_fusion("late_average")):
        model.fit(pair, labels)
        means = [np.tile(x.mean(axis=0), (N, 1)) for x in pair]
        assert model.predict_proba((pair[0], None)) == pytest.approx(model.predict_proba((pair[0], means[1])))
        assert model.predict_proba((None, pair[1])) == pytest.approx(model.predict_proba((means[0], pair[1])))
    assert np.abs(model.reductions_[1].transform(means[1])).max() < 1e-5


def test_a_batch_of_one_spot_trains():
    pair = np.random.default_rng(0).normal(size=(2, 1, 3))
    model = NeuralFusion(Plain, kind="regression", **QUICK).fit(tuple(pair), np.array([[2.0]]))
    assert model.predict(tuple(pair)) == pytest.approx(np.array([[2.0]]))
    few = np.random.default_rng(0).normal(size=(2, 5, 3))
    model = NeuralFusion(Plain, **QUICK | {"batch_size": 1}).fit(tuple(few), [0, 1, 0, 1, 1])
    assert np.isfinite(model.predict_proba(tuple(few))).all()


def test_divergence_is_said(odd):
    pair, labels, _ = odd
    with pytest.raises(FloatingPointError, match=r"Plain diverged at step .* lower the learning rate"):
        NeuralFusion(Plain, options={"sharpness": 1e38}, **QUICK).fit(pair, labels)


def test_a_record_becomes_an_estimator():
    record = FusionMethod(
        "plain", "plain", "own", "all", network=Plain, options={"sharpness": 2.0}, published={"width": 99, "steps": 7}
    )
    common, published = from_record(record, seed=4, n_components=5), from_record(record, size="published")
    assert (common.seed, common.n_components, common.width, dict(common.options)) == (4, 5, None, {"sharpness": 2.0})
    assert (published.width, published.steps) == (99, 7)
    with pytest.raises(InputError, match="plain does not take depth"):
        from_record(record, depth=3)
    with pytest.raises(InputError, match="Unknown size"):
        make_fusion("concat", size="large")


def test_every_method_has_a_size_within_the_budget_and_its_published_one():
    shape = Shape(50, 50, 6, "classification", 64)
    sizes = {name: [trained_parameters(name, shape, size=s) for s in SIZES] for name in FUSION_METHODS}
    for name, (common, published) in sizes.items():
        method = FUSION_METHODS[name]
        assert (common == published == 0) == (method.network is None)
        assert common <= 40_000
        assert (published == common) == (not method.published)
    # gated: two maps and a gate to the width, an output and a head, each with its constants
    assert sizes["gated"][1] == 512 * (50 + 1 + 50 + 1 + 100 + 1) + 64 * (512 + 1) + 6 * (64 + 1)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x, y: NeuralFusion(Plain, **QUICK).fit((x, None), y), "morphology embedding is missing"),
        (lambda x, y: NeuralFusion(Plain, **QUICK).fit((x, x), y).predict((None, None)), "embedding is missing"),
        (lambda x, y: NeuralFusion(Plain, **QUICK).fit((x, x), y).predict((x, x[:, :2])), "has 2 features"),
        (lambda x, y: NeuralFusion(Plain, **QUICK).fit((x, x), y).predict((x, x + np.nan)), "NaN or infinite"),
        (lambda x, y: NeuralFusion(Plain, **QUICK).fit((x, x + np.nan), y), "NaN or infinite"),
        (lambda x, y: NeuralFusion(Plain, **QUICK).fit((x, x), np.zeros(8)), "Only one class"),
        (lambda x, y: NeuralFusion(Plain, kind="regression", **QUICK).fit((x, x), np.full(8, np.nan)), "targets hold"),
        (lambda x, y: NeuralFusion(Plain, **QUICK).fit((x, x), y, neighbours=np.full((8, 2), 8)), "count rows"),
        (lambda x, y: NeuralFusion(Plain, **QUICK).fit((x, x), y, neighbours=np.zeros((8, 2))), "integers"),
        (lambda x, y: NeuralFusion(Plain, steps=0).fit((x, x), y), "train nothing"),
        (lambda x, y: NeuralFusion(Plain, budget=10).fit((x, x), y), "parameters at least"),
        (lambda x, y: NeuralFusion(Plain, options={"depth": 2}, **QUICK).fit((x, x), y), "cannot be built"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(InputError, match=said):
        call(np.random.default_rng(0).normal(size=(8, 3)), [0, 1] * 4)
