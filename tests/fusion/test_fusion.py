"""The fusion interface and its four baselines against closed forms and peers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from beyond_alignment.errors import InputError
from beyond_alignment.fusion import make_fusion
from beyond_alignment.fusion.baselines import pooled
from beyond_alignment.fusion.reduction import Reduction, forget, reduction_of
from tests.fusion.probes import fit_probe

N = 400
LINEAR = ("expression_only", "morphology_only", "concat", "late_average")


@pytest.fixture(scope="module")
def halves():
    """Two modalities that each hold one of two bits; the label is both bits."""
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (N, 2))
    x1 = np.outer(2 * bits[:, 0] - 1, np.ones(5)) + rng.normal(size=(N, 5))
    x2 = np.outer(2 * bits[:, 1] - 1, np.ones(7)) + rng.normal(size=(N, 7))
    return (x1, x2), np.array(["00", "01", "10", "11"])[2 * bits[:, 0] + bits[:, 1]]


@pytest.mark.parametrize("name", LINEAR)
def test_each_method_is_a_classifier_with_the_same_answer_for_the_same_seed(name, halves):
    pair, labels = halves
    model = make_fusion(name, seed=3).fit(pair, labels)
    again = clone(model).fit(pair, labels)
    probability = model.predict_proba(pair)
    assert probability.shape == (N, 4)
    assert np.allclose(probability.sum(axis=1), 1, atol=1e-4)
    assert np.array_equal(probability, again.predict_proba(pair))
    assert set(model.predict(pair)) <= set(labels)
    assert len(model.transform(pair)) == N
    assert model.n_parameters_ > 0


def test_one_modality_sees_one_bit_and_both_see_two(halves):
    pair, labels = halves
    accuracy = {name: np.mean(make_fusion(name).fit(pair, labels).predict(pair) == labels) for name in LINEAR}
    assert accuracy["expression_only"] == pytest.approx(0.5, abs=0.07)  # one of two bits: half of four classes
    assert accuracy["morphology_only"] == pytest.approx(0.5, abs=0.07)
    assert accuracy["concat"] > 0.93
    assert accuracy["late_average"] > 0.9


def test_a_unimodal_method_ignores_the_other_modality(halves):
    (x1, x2), labels = halves
    noise = np.random.default_rng(1).normal(size=x2.shape)
    first = make_fusion("expression_only").fit((x1, x2), labels).predict_proba((x1, x2))
    second = make_fusion("expression_only").fit((x1, noise), labels).predict_proba((x1, noise))
    assert np.array_equal(first, second)


def test_late_average_has_the_mean_log_odds_of_the_two_unimodal_probes(halves):
    pair, labels = halves
    alone = [make_fusion(n).fit(pair, labels).predict_proba(pair) for n in ("expression_only", "morphology_only")]
    odds = np.mean([logit_of_pairs(p) for p in alone], axis=0)
    pooled_odds = logit_of_pairs(make_fusion("late_average").fit(pair, labels).predict_proba(pair))
    assert np.allclose(pooled_odds, odds, atol=1e-4)


def logit_of_pairs(p):
    """Return the log odds of every class against the first (spot, class - 1)."""
    return np.log(p[:, 1:] / p[:, :1])


@given(arrays(float, (5, 3), elements=st.floats(0.01, 1)), arrays(float, (5, 3), elements=st.floats(0.01, 1)))
def test_a_logarithmic_pool_keeps_what_experts_agree_on_and_does_not_mind_their_order(first, second):
    first, second = (p / p.sum(axis=1, keepdims=True) for p in (first, second))
    assert np.allclose(pooled([first, first]), first)
    assert np.allclose(pooled([first, second]), pooled([second, first]))
    assert np.allclose(
        pooled([first, np.full((5, 3), 1 / 3)]), pooled([first**0.5 / (first**0.5).sum(1, keepdims=True)])
    )


def test_a_probability_that_was_rounded_to_zero_gives_no_infinity():
    sure, contrary = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    assert np.allclose(pooled([sure, contrary]), 0.5)
    assert pooled([sure, sure])[0, 0] == pytest.approx(1)


def test_no_linear_fusion_learns_exclusive_or():
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (2000, 2))
    pair = tuple((2.0 * bits[:, i : i + 1] - 1) + 0.1 * rng.normal(size=(2000, 3)) for i in (0, 1))
    labels = np.where(bits[:, 0] ^ bits[:, 1], "odd", "even")
    for name in LINEAR:
        probability = make_fusion(name).fit(pair, labels).predict_proba(pair)
        given_to_truth = probability[np.arange(2000), (labels == "odd").astype(int)]
        assert 1 + np.mean(np.log2(given_to_truth)) < 0.01  # bits of the one bit there is


def test_regression_recovers_a_linear_target(halves):
    (x1, x2), _ = halves
    targets = np.column_stack([x1.sum(axis=1), x2.sum(axis=1)])
    fitted = make_fusion("concat", kind="regression").fit((x1, x2), targets)
    assert np.corrcoef(fitted.predict((x1, x2)).ravel(), targets.ravel())[0, 1] > 0.999
    late = make_fusion("late_average", kind="regression").fit((x1, x2), targets).predict((x1, x2))
    assert late.shape == targets.shape


def test_reduction_is_fitted_on_training_spots_alone():
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(200, 20)), 50 + 9 * rng.normal(size=(100, 20))
    alone = Reduction(n_components=5).fit(train).transform(train)
    assert alone.var(axis=0, ddof=1).mean() == pytest.approx(1, rel=1e-2)
    reduction = Reduction(n_components=5).fit(train)
    reduction.transform(test)
    assert np.array_equal(alone, reduction.transform(train))


def test_a_reduction_is_fitted_once_for_the_same_numbers():
    x = np.random.default_rng(0).normal(size=(30, 8))
    one = reduction_of(x, 3)
    assert reduction_of(x.copy(), 3) is one
    assert reduction_of(x, 4) is not one
    assert reduction_of(x + 1, 3) is not one
    forget()
    assert reduction_of(x, 3) is not one
    assert np.array_equal(reduction_of(x, 3).transform(x), one.transform(x))


def test_the_penalty_is_chosen_without_splitting_a_group():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 10)
    z = rng.normal(size=(40, 30))[groups]  # every spot of a group is the same: noise that memorises groups
    y = rng.integers(0, 2, 40)[groups].astype(str)
    by_group, by_spot = fit_probe(z, y, groups=groups), fit_probe(z, y)
    fresh = rng.normal(size=(500, 30))
    by_group, by_spot = (np.abs(one.predict_proba(fresh) - one.frequencies_).mean() for one in (by_group, by_spot))
    assert by_group < 0.15 < 0.25 < by_spot


def test_a_probe_that_learnt_nothing_falls_back_on_the_frequencies():
    rng = np.random.default_rng(1)
    z, y = rng.normal(size=(300, 40)), rng.choice(["a", "b"], 300, p=[0.8, 0.2])
    probe = fit_probe(z, y, groups=np.arange(300) % 6)
    given = probe.predict_proba(rng.normal(size=(500, 40)))
    assert np.abs(given - probe.frequencies_).mean() < 0.05
    assert probe.frequencies_ == pytest.approx(np.array([(y == "a").mean(), (y == "b").mean()]), abs=0.01)


def test_the_probe_is_scikit_learns_logistic_regression_where_it_is_sure(halves):
    (x1, x2), labels = halves
    z = np.hstack([x1, x2])
    probe = fit_probe(z, labels)
    unit = z.var(axis=0).mean()
    peer = LogisticRegression(C=1 / (probe.penalty_ * unit * N), max_iter=5000, tol=1e-8).fit(z, labels)
    assert probe.temperature_ == 1
    mixed = probe.weight_ * peer.predict_proba(z) + (1 - probe.weight_) * probe.frequencies_
    assert probe.predict_proba(z) == pytest.approx(mixed, abs=1e-2)
    assert np.mean(probe.predict(z) == peer.predict(z)) > 0.99


@settings(max_examples=25, deadline=None)
@given(
    x=arrays(np.float64, (12, 3), elements=st.floats(-1e6, 1e6)),
    bad=st.sampled_from([np.nan, np.inf, -np.inf]),
    row=st.integers(0, 11),
)
def test_values_that_are_not_finite_are_refused(x, bad, row):
    x[row, 1] = bad
    with pytest.raises(InputError, match="NaN or infinite"):
        make_fusion("concat").fit((x, np.zeros((12, 2))), ["a", "b"] * 6)


@settings(max_examples=12, deadline=None)
@given(x=arrays(np.float64, (12, 3), elements=st.floats(-1e6, 1e6)))
def test_any_finite_embedding_gives_finite_probabilities(x):
    pair = (x, x[:, :2])
    for name in LINEAR:
        assert np.isfinite(make_fusion(name).fit(pair, ["a", "b"] * 6).predict_proba(pair)).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: make_fusion("averaging"), "no fusion method"),
        (lambda: make_fusion("concat", kind="ranking"), "Unknown kind"),
        (lambda: make_fusion("concat", depth=3), "does not take"),
        (lambda: make_fusion("concat").fit((np.zeros((3, 2)), np.zeros((4, 2))), [0, 1, 0]), "same spots"),
        (lambda: make_fusion("concat").fit((np.zeros((3, 2)), np.zeros((3, 2))), [0, 1]), "one label a spot"),
        (lambda: make_fusion("concat").fit((np.zeros((3, 2)), np.zeros((3, 2))), [0, 0, 0]), "Only one class"),
        (lambda: make_fusion("concat").fit((np.zeros((3, 2)),), [0, 0, 0]), "pair"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(InputError, match=said):
        call()
