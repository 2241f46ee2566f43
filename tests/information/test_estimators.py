import numpy as np
import pytest

from beyond_alignment.errors import InputError
from beyond_alignment.information import neural_training
from beyond_alignment.information.estimate import PID_ESTIMATORS, estimate_pid


def samples(n=300):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, n)
    return rng.normal(size=(n, 3)) + y[:, None], rng.normal(size=(n, 3)), y, np.arange(n) % 12


def test_every_estimator_has_a_record():
    assert {"cvx", "batch", "gaussian"} <= set(PID_ESTIMATORS)
    for name, estimator in PID_ESTIMATORS.items():
        assert estimator.name == name
        assert estimator.title
        assert estimator.source


@pytest.mark.parametrize("method", ["cvx", "batch", "gaussian"])
def test_every_estimator_answers_alike(method, monkeypatch):
    monkeypatch.setattr(neural_training, "CLASSIFIER_STEPS", (100, 100))
    monkeypatch.setattr(neural_training, "COUPLING_STEPS", (30, 30))
    found = estimate_pid(*samples(), method=method, blocks=np.arange(300) // 20, seed=1, n_bootstrap=6, level=0.9)
    assert (found.method, found.n, found.n_groups, found.n_bootstrap, found.level) == (method, 300, 12, 6, 0.9)
    assert found.pid.unique1 > 0.2
    assert len(found.table()) == len(found.intervals)
    assert np.isfinite(found.p_interaction) == PID_ESTIMATORS[method].estimates_parts


def test_an_unknown_estimator_is_refused():
    with pytest.raises(InputError, match="There is no estimator 'magic'"):
        estimate_pid(*samples(), method="magic")
