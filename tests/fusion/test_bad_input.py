"""Every method of the registry on input that carries nothing, or too little: fitted, or refused in one sentence."""

from functools import cache

import numpy as np
import pytest

from beyond_alignment.errors import InputError
from beyond_alignment.fusion import FUSION_METHODS, make_fusion

N = 24
RNG = np.random.default_rng(0)
PAIR = RNG.normal(size=(N, 4)), RNG.normal(size=(N, 6))
LABELS = np.arange(N) % 3
NEAR = RNG.integers(-1, N, (N, 4))
SPOILED = {
    "zeros": np.zeros((N, 6)),
    "constant": np.full((N, 6), 1e5 / 3),
    "twice": np.hstack([PAIR[1], PAIR[1]]),
    "wide": RNG.normal(size=(N, 90)),
}
NAMES = tuple(FUSION_METHODS)


def fit(name, pair, labels=LABELS, near=NEAR, **options):
    """Fit a method of the least width with two updates and two inner folds, and return it with how to call it."""
    record = FUSION_METHODS[name]
    few = {"steps": 2, "width": 2, "device": "cpu"} if record.network is not None else {}
    around = {"neighbours": near} if record.reads_neighbours else {}
    return make_fusion(name, **few, **options).fit(pair, labels, groups=np.arange(N) % 2, **around), around


@cache
def fitted(name):
    """Fit a method on spots that are fine, once."""
    return fit(name, PAIR)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("first", "second"), [("zeros", "twice"), ("wide", "constant")])
def test_a_modality_that_carries_nothing_beside_one_that_carries_too_much_is_fitted(name, first, second):
    pair = SPOILED[first], SPOILED[second]
    model, around = fit(name, pair)
    given = model.predict_proba(pair, **around)
    assert np.isfinite(given).all()
    assert given.sum(axis=1) == pytest.approx(np.ones(N), abs=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_modality_that_is_missing_at_prediction_is_its_training_mean(name):
    model, around = fitted(name)
    means = [np.tile(x.mean(axis=0), (N, 1)) for x in PAIR]
    for missing, stand_in in (((PAIR[0], None), (PAIR[0], means[1])), ((None, PAIR[1]), (means[0], PAIR[1]))):
        given = model.predict_proba(missing, **around)
        assert given == pytest.approx(model.predict_proba(stand_in, **around), abs=1e-6)
    with pytest.raises(InputError, match="embedding is missing"):
        model.predict_proba((None, None), **around)
    with pytest.raises(InputError, match="embedding is missing"):
        fit(name, (PAIR[0], None))


@pytest.mark.parametrize("name", NAMES)
def test_values_that_are_not_finite_and_a_single_class_are_refused(name):
    holed = PAIR[1].copy()
    holed[3, 2] = np.nan
    with pytest.raises(InputError, match="1 NaN or infinite values"):
        fit(name, (PAIR[0], holed))
    with pytest.raises(InputError, match="Only one class"):
        fit(name, PAIR, np.zeros(N))
    model, around = fitted(name)
    with pytest.raises(InputError, match="1 NaN or infinite values"):
        model.predict_proba((PAIR[0], holed), **around)


@pytest.mark.parametrize("name", NAMES)
def test_a_class_that_an_inner_fold_lacks_keeps_a_probability_and_one_spot_is_a_batch(name):
    labels = np.where(np.arange(N) == 0, 9, LABELS)  # a class of one spot
    model, around = fit(name, PAIR, labels, **({"batch_size": 1} if FUSION_METHODS[name].network is not None else {}))
    given = model.predict_proba(PAIR, **around)
    assert given.shape == (N, 4)
    assert (given[:, model.classes_ == 9] > 0).all()
    near = {key: np.full((1, 4), -1) for key in around}
    assert np.isfinite(model.predict_proba(tuple(x[:1] for x in PAIR), **near)).all()
