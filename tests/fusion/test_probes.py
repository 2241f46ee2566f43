"""The two linear probes, many at once, against scikit-learn one by one."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from beyond_alignment.errors import InputError
from beyond_alignment.fusion.logistic import LogisticData, fit_logistic
from beyond_alignment.fusion.probe import (
    PENALTIES,
    TEMPERATURES,
    WEIGHTS,
    ProbeProblem,
    fit_probes,
    inner_folds,
    smoothed,
)
from beyond_alignment.fusion.ridge import ridge_path
from tests.fusion.probes import fit_probe


def drawn(n, d, n_classes, seed=0, *, strength=3.0):
    """Features whose spread falls fast, as after a reduction, far from the origin."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, d)) * 3 * np.exp(-np.arange(d) / 6) + rng.normal(size=d)
    logits = z @ rng.normal(size=(d, n_classes)) * strength / np.sqrt(d)
    return z, np.unique(np.argmax(logits + rng.gumbel(size=logits.shape), axis=1), return_inverse=True)[1]


def peer(data, penalty):
    model = LogisticRegression(C=1 / (penalty * len(data.z)), solver="newton-cg", tol=1e-8, max_iter=1000)
    return model.fit(data.z, data.codes)


def test_many_logistic_regressions_are_scikit_learns():
    sizes = [(200, 12, 5), (150, 12, 5), (90, 20, 2), (30, 40, 3), (200, 12, 5)]  # d > n, two classes, padded rows
    data = [LogisticData(*drawn(*size, seed), PENALTIES) for seed, size in enumerate(sizes)]
    for one, models in zip(data, fit_logistic(data, tolerance=1e-10), strict=True):
        for penalty, model in zip(PENALTIES, models, strict=True):
            expected = peer(one, penalty)
            assert np.abs(model.predict_proba(one.z) - expected.predict_proba(one.z)).max() < 1e-4
            assert model.coef_.shape == expected.coef_.shape
            assert model.coef_ == pytest.approx(expected.coef_, abs=2e-3)


@pytest.mark.parametrize("seed", range(3))
def test_labels_that_are_easy_to_tell_in_many_samples_do_not_run_away(seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2, 6000)
    z = np.hstack([0.3 * rng.normal(size=(6000, 8)), np.zeros((6000, 24))])
    z[:, :2] += 2 * codes[:, None] - 1
    data = LogisticData(z, codes, (1e-5, 1e-3, 1e-1))
    for penalty, model in zip(data.penalties, fit_logistic([data])[0], strict=True):
        assert np.abs(model.predict_proba(z) - peer(data, penalty).predict_proba(z)).max() < 5e-3
        assert np.abs(model.intercept_).max() < 2


def test_the_tolerance_that_probes_use_is_enough():
    data = LogisticData(*drawn(800, 40, 6), PENALTIES)
    for penalty, model in zip(PENALTIES, fit_logistic([data])[0], strict=True):
        assert np.abs(model.predict_proba(data.z) - peer(data, penalty).predict_proba(data.z)).max() < 5e-4


def test_company_does_not_change_a_fit():
    data = [LogisticData(*drawn(n, 10, 4, seed=n), PENALTIES) for n in (60, 80, 100)]
    alone = [fit_logistic([one])[0] for one in data]
    for models, own in zip(fit_logistic(data), alone, strict=True):
        for model, other in zip(models, own, strict=True):
            z = data[0].z
            assert model.predict_proba(z) == pytest.approx(other.predict_proba(z), abs=2e-4)


@pytest.mark.parametrize("spoil", ["zeros", "constant", "twice", "huge", "separable"])
def test_features_that_carry_nothing_or_too_much_are_fitted(spoil):
    z, codes = drawn(80, 6, 3)
    z = {
        "zeros": 0 * z,
        "constant": np.column_stack([z, np.full(80, 7.0)]),
        "twice": np.hstack([z, z]),
        "huge": 1e6 * z,
        "separable": np.eye(3)[codes] * 50,
    }[spoil]
    data = LogisticData(z, codes, PENALTIES)
    for penalty, model in zip(PENALTIES, fit_logistic([data])[0], strict=True):
        given = model.predict_proba(z)
        assert np.isfinite(given).all()
        if spoil != "huge":
            assert np.abs(given - peer(data, penalty).predict_proba(z)).max() < 1e-3


def slow_probe(z, y, groups):
    """The class probe as one would write it with scikit-learn."""
    codes = np.unique(y, return_inverse=True)[1]
    n_classes, held_out, before = codes.max() + 1, [], []
    for train, test in inner_folds(len(z), groups, n_inner=3, seed=0):
        frequency = smoothed(np.bincount(codes[train], minlength=n_classes))
        before.append(frequency[codes[test]])
        columns = []
        for penalty in PENALTIES:
            model = peer(LogisticData(z[train], codes[train], ()), penalty * z[train].var(axis=0).mean())
            p = np.zeros((len(test), n_classes))
            for temperature in TEMPERATURES:
                p[:, model.classes_] = model.predict_proba(z[test]) ** (1 / temperature)
                q = p / p.sum(axis=1, keepdims=True)
                columns.append(smoothed(q * len(train))[np.arange(len(test)), codes[test]])
        held_out.append(np.stack(columns).reshape(len(PENALTIES), len(TEMPERATURES), -1))
    given, before = np.concatenate(held_out, axis=2), np.concatenate(before)
    scores = np.array([np.log(w * given + (1 - w) * before).mean(axis=2) for w in WEIGHTS])
    return scores, (WEIGHTS, PENALTIES, TEMPERATURES)


def test_many_probes_choose_what_a_slow_one_chooses():
    problems, expected = [], []
    for seed, n_classes in enumerate((2, 4, 6)):
        z, codes = drawn(150, 8, n_classes, seed, strength=1.5)
        groups = np.arange(150) % 7
        codes[groups == 0] = 0  # a class may be missing in a fold
        problems.append(ProbeProblem(z, np.array([f"c{code}" for code in codes]), groups=groups))
        expected.append(slow_probe(z, codes, groups))
    for probe, problem, (scores, grids) in zip(fit_probes(problems), problems, expected, strict=True):
        chosen = probe.weight_, probe.penalty_, probe.temperature_
        places = tuple(
            int(np.argmin(np.abs(np.array(grid) - value))) for grid, value in zip(grids, chosen, strict=True)
        )
        assert scores[places] == pytest.approx(scores.max(), abs=1e-5)
        alone = fit_probe(problem.z, problem.y, groups=problem.groups)
        assert probe.predict_proba(problem.z) == pytest.approx(alone.predict_proba(problem.z), abs=1e-5)


@pytest.mark.parametrize("targets", [1, 3, None])
def test_the_regression_probe_chooses_what_a_slow_one_chooses(targets):
    rng = np.random.default_rng(0)
    z, _ = drawn(90, 12, 3)
    y = z[:, : targets or 1] + 3 * rng.normal(size=(90, targets or 1))
    y = y if targets else y[:, 0]
    groups = np.arange(90) % 5
    alphas = [penalty * 90 for penalty in PENALTIES]
    errors = np.zeros((len(PENALTIES), len(WEIGHTS)))
    for train, test in inner_folds(90, groups, n_inner=3, seed=0):
        unit, level = z[train].var(axis=0).mean() * len(train), y[train].mean(axis=0)
        for row, penalty in zip(errors, PENALTIES, strict=True):
            answer = Ridge(alpha=penalty * unit).fit(z[train], y[train]).predict(z[test]).reshape(y[test].shape)
            row += [np.sum((w * answer + (1 - w) * level - y[test]) ** 2) for w in WEIGHTS]
    best, weight = np.unravel_index(np.argmin(errors), errors.shape)
    probe = fit_probes([ProbeProblem(z, y, "regression", groups)])[0]
    assert (probe.penalty_, probe.weight_) == (PENALTIES[best], WEIGHTS[weight])
    assert probe.predict(z).shape == y.shape
    path = ridge_path(z, y, PENALTIES)
    for alpha, (coefficients, constant) in zip(alphas, path, strict=True):
        own = Ridge(alpha=alpha).fit(z, y)
        assert coefficients.ravel() == pytest.approx(own.coef_.ravel(), abs=1e-8)
        assert constant == pytest.approx(own.intercept_, abs=1e-8)


def test_a_regression_on_one_spot_is_its_value():
    probe = fit_probe(np.ones((1, 3)), np.array([[2.0, 5.0]]), kind="regression")
    assert probe.predict(np.zeros((2, 3))) == pytest.approx(np.array([[2.0, 5.0]] * 2))


def test_one_class_is_refused():
    with pytest.raises(InputError, match="Only one class"):
        fit_probe(np.zeros((4, 2)), ["a"] * 4)
