import math

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from beyond_alignment.errors import InputError
from beyond_alignment.experts.training.loop import CHECKPOINT, METRICS, fit
from beyond_alignment.experts.training.profiles import TrainingPlan
from beyond_alignment.experts.training.schedule import learning_rate

PLAN = TrainingPlan(epochs=3, steps_per_epoch=2, learning_rate=0.1)


class Killed(Exception):
    """Stands for a kill."""


def module():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.BatchNorm1d(8), torch.nn.Linear(8, 1)
    )


def train(folder, *, killed_at=None, plan=PLAN, resume=True, fingerprint=None):
    network = module()
    target = torch.arange(4.0)

    def step_loss(step):
        if step == killed_at:
            raise Killed
        x = torch.randn(16, 4)
        return (network(x)[:, 0] - x @ target).pow(2).mean(), {"mean": x.mean()}

    curve = fit(
        network, step_loss, plan=plan, folder=folder, fingerprint=fingerprint or {"data": 1},
        device=torch.device("cpu"), examples_per_step=16, precision="float32", resume=resume, progress=False,
    )  # fmt: skip
    return network, curve


def without_time(curve):
    return [{k: v for k, v in row.items() if "second" not in k} for row in curve]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return train(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("step", [1, 3, 4])
def test_a_training_that_was_killed_goes_on_to_the_same_weights(whole, tmp_path, step):
    network, curve = whole
    with pytest.raises(Killed):
        train(tmp_path / "killed", killed_at=step)
    torch.rand(7)  # the generator of a new process stands elsewhere
    resumed, again = train(tmp_path / "killed")
    for name, value in network.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    assert without_time(again) == without_time(curve)
    assert list(pd.read_csv(tmp_path / "killed" / METRICS)["epoch"]) == [1, 2, 3]


def test_a_finished_training_is_not_trained_again(tmp_path):
    first, _ = train(tmp_path)
    second, curve = train(tmp_path, killed_at=0)
    assert len(curve) == PLAN.epochs
    assert all(torch.equal(v, second.state_dict()[k]) for k, v in first.state_dict().items())


def test_a_checkpoint_of_other_settings_is_refused_by_name(tmp_path):
    train(tmp_path)
    with pytest.raises(InputError, match="another data"):
        train(tmp_path, fingerprint={"data": 2})
    train(tmp_path, fingerprint={"data": 2}, resume=False)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    train(tmp_path)
    path = tmp_path / CHECKPOINT
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(InputError, match="not what a training"):
        train(tmp_path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cannot be read"):
        train(tmp_path)
    save_file({key: value.clone() for key, value in {"a": torch.zeros(1)}.items()}, path)
    assert load_file(path)
    with pytest.raises(InputError, match="not what a training"):
        train(tmp_path)


def test_a_loss_that_is_no_number_stops_the_training(tmp_path):
    network = module()
    with pytest.raises(RuntimeError, match="lower learning rate"):
        fit(
            network, lambda step: (network(torch.ones(2, 4)).sum() * math.nan, {}), plan=PLAN, folder=tmp_path,
            fingerprint={}, device=torch.device("cpu"), examples_per_step=2, precision="float32", progress=False,
        )  # fmt: skip
    assert not (tmp_path / CHECKPOINT).exists()


def test_the_rate_rises_then_follows_half_a_cosine():
    plan = TrainingPlan(epochs=1, steps_per_epoch=100, learning_rate=1.0, warmup=0.1)
    rates = [learning_rate(plan, step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == pytest.approx(1.0)
    assert rates[55] == pytest.approx(0.5)
    assert rates[99] == pytest.approx(0.0, abs=1e-3)
    assert sorted(rates[10:], reverse=True) == rates[10:]
