"""Many estimators at once against each on its own, and the nested choice against a slow one."""

import numpy as np
import pytest
from sklearn.base import clone

from beyond_alignment.fusion import make_fusion, tuning
from beyond_alignment.fusion.neural import NeuralFusion
from beyond_alignment.fusion.pairs import TrainingSet
from beyond_alignment.fusion.rehearsal import choose, inner_folds
from beyond_alignment.fusion.together import Failure, fit_together
from tests.fusion.small_networks import Noisy, Plain

QUICK = {"steps": 8, "dimension": 6, "batch_size": 32, "budget": 600, "device": "cpu"}


def training_set(n, seed=0, *, d=6, kind="classification"):
    rng = np.random.default_rng(seed)
    x1, x2 = rng.normal(size=(n, d)), rng.normal(size=(n, d + 1))
    groups, near = np.arange(n) % 5, rng.integers(-1, n, (n, 3))
    if kind == "regression":
        return TrainingSet((x1, x2), np.column_stack([x1[:, 0] * x2[:, 0], x1[:, 1]]), groups, near)
    return TrainingSet((x1, x2), np.array(["a", "b", "c"])[(x1[:, 0] > 0).astype(int) + (x2[:, 0] > 0)], groups, near)


def fitted_alone(estimator, given):
    return clone(estimator).fit(given.pair, given.labels, groups=given.groups, neighbours=given.neighbours)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_each_is_what_its_own_fit_gives(kind):
    sets = [training_set(n, n, kind=kind) for n in (60, 20)]
    estimators, given = [], []
    for one in sets:
        for seed in (0, 1):
            own = {"kind": kind, "seed": seed, "learning_rate": 10.0 ** (seed - 3), **QUICK}
            estimators += [NeuralFusion(Plain, **own), NeuralFusion(Noisy, reads_neighbours=True, **own)]
        estimators += [make_fusion(name, kind=kind) for name in ("concat", "late_average")]
        given += [one] * 6
    updates = []
    for model, one in zip(fit_together(estimators, given, progress=updates.append), given, strict=True):
        alone = fitted_alone(model, one)
        for method in ("transform", "predict_proba" if kind == "classification" else "predict"):
            found, expected = (getattr(m, method)(one.pair, neighbours=one.neighbours) for m in (model, alone))
            assert found == pytest.approx(expected, abs=1e-5)
    assert sum(updates) == 2 * 4 * 4 * QUICK["steps"]


def test_what_cannot_be_fitted_is_reported_and_the_others_go_on():
    good = training_set(40)
    one_class = TrainingSet(good.pair, ["a"] * 40)
    spoilt = TrainingSet((good.pair[0], np.full((40, 3), np.nan)), good.labels)
    wild = {"options": {"sharpness": 1e38}}
    estimators = [NeuralFusion(Plain, **QUICK, **extra) for extra in ({}, {}, {}, wild)] + [make_fusion("concat")]
    found = fit_together(estimators, [good, one_class, spoilt, good, one_class])
    assert [isinstance(model, Failure) for model in found] == [False, True, True, True, True]
    for i, said in ((1, "Only one class"), (2, "NaN or infinite"), (3, "Plain diverged"), (4, "Only one class")):
        assert said in found[i].reason
        assert found[i].lasting
    alone = fitted_alone(estimators[0], good)
    assert found[0].predict_proba(good.pair) == pytest.approx(alone.predict_proba(good.pair), abs=1e-5)


def test_a_fault_of_a_network_is_its_own():
    class Broken(Plain):
        def loss(self, batch):
            raise RuntimeError("out of paper")

    good = training_set(40)
    found = fit_together([NeuralFusion(Broken, **QUICK), NeuralFusion(Plain, **QUICK)], [good, good])
    assert found[0] == Failure("out of paper", lasting=False)
    assert isinstance(found[1], NeuralFusion)


def test_neighbours_outside_of_a_subset_are_none():
    near = np.array([[1, 2], [0, -1], [3, 0], [2, 1]])
    given = TrainingSet((np.arange(8.0).reshape(4, 2),) * 2, list("abab"), None, near)
    some = given.subset(np.array([0, 2]))
    assert some.neighbours.tolist() == [[-1, 1], [-1, 0]]
    assert some.labels.tolist() == ["a", "a"]
    assert some.pair[1].tolist() == [[0, 1], [4, 5]]


def slow_choice(estimator, given, kind, n_folds=2):
    """The trial, and the settings of the probe, as a plain loop chooses them."""
    scores, plays = [], []
    for trial in tuning.TRIALS:
        own = []
        for train, test in inner_folds(len(given.labels), given.groups, seed=estimator.seed)[:n_folds]:
            own.append(clone(estimator).set_params(**trial).rehearse(given.subset(train), given.subset(test)))
        plays.append(own)
        scores.append(sum(choose([[one] for one in own], [kind] * len(own))[i].score for i in range(len(own))))
    best = int(np.argmax(scores))
    return tuning.TRIALS[best], plays[best]


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_the_choice_is_that_of_a_slow_loop(kind):
    given = training_set(60, 3, kind=kind)
    own = {"kind": kind, "reads_neighbours": True, **QUICK}
    estimators = [NeuralFusion(Plain, seed=1, **own), NeuralFusion(Noisy, seed=0, **own)]
    found = tuning.tune([*estimators, make_fusion("concat")], [given] * 3, n_folds=2, share_seeds=False)
    for chosen, estimator in zip(found, estimators, strict=False):
        expected, _ = slow_choice(estimator, given, kind)
        assert {name: getattr(chosen, name) for name in expected} == expected
        assert chosen.get_params() == estimator.get_params() | expected
    assert found[-1].get_params() == make_fusion("concat").get_params()


def test_seeds_may_share_the_choice_of_the_first():
    given, other = training_set(60, 3), training_set(50, 4)
    estimators = [NeuralFusion(Plain, seed=seed, **QUICK) for seed in (0, 1, 0, 1)]
    updates = []
    found = tuning.tune(estimators, [given, given, other, other], progress=updates.append)
    assert sum(updates) == 2 * len(tuning.TRIALS) * QUICK["steps"]
    assert [chosen.seed for chosen in found] == [0, 1, 0, 1]
    assert found[0].learning_rate == found[1].learning_rate


@pytest.mark.parametrize("share_seeds", [True, False])
def test_a_tuned_fit_is_that_of_a_slow_loop_and_does_not_depend_on_company(share_seeds):
    given = training_set(60, 3)
    estimators = [NeuralFusion(Plain, seed=seed, **QUICK) for seed in (0, 1)]
    together = tuning.fit_tuned([*estimators, make_fusion("concat", seed=1)], [given] * 3, share_seeds=share_seeds)
    alone = tuning.fit_tuned(estimators[1:], [given], share_seeds=share_seeds)[0]
    for model in (together[1], alone):
        leader = clone(estimators[1]).set_params(seed=0 if share_seeds else 1)
        trial, plays = slow_choice(leader, given, "classification", 1)
        leader.set_params(**trial)
        for train, test in inner_folds(60, given.groups)[1:]:
            plays.append(clone(leader).rehearse(given.subset(train), given.subset(test)))
        settings = choose([plays], ["classification"])[0].settings
        assert (model.learning_rate, model.weight_decay) == (trial["learning_rate"], trial["weight_decay"])
        probe = model.head_
        assert (probe.penalty_, probe.weight_) == (settings.penalty, settings.weight)
        assert probe.temperature_ == settings.temperature
        own = clone(estimators[1]).set_params(**trial).fit(given.pair, given.labels, groups=given.groups)
        assert model.transform(given.pair) == pytest.approx(own.transform(given.pair), abs=1e-5)
    assert together[1].predict_proba(given.pair) == pytest.approx(alone.predict_proba(given.pair), abs=1e-5)
    plain = fitted_alone(make_fusion("concat", seed=1), given)
    assert together[2].predict_proba(given.pair) == pytest.approx(plain.predict_proba(given.pair), abs=1e-5)


def test_a_trial_that_diverges_loses_and_a_missing_class_has_a_finite_cost():
    given = training_set(60, 3)
    groups = np.where(np.asarray(given.labels) == "c", 0, given.groups)  # one class in one group alone
    given = TrainingSet(given.pair, given.labels, groups)
    trials = ({"learning_rate": 1e38}, {"learning_rate": 1e-2})
    (chosen,) = tuning.tune([NeuralFusion(Plain, **QUICK)], [given], trials=trials, n_folds=3)
    assert chosen.learning_rate == 1e-2
