import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.plan import TokenPlan, learning_rate
from beyond_alignment.tokens.scaling import fit_target_scale
from beyond_alignment.tokens.training import fit_rows
from tests.tokens.small import plan

CPU = torch.device("cpu")


def test_rates_rise_then_follow_half_a_cosine_to_the_last():
    paper = TokenPlan()
    for peak in (paper.head_rate, paper.backbone_rate):
        rates = [learning_rate(paper, peak, step, 10) for step in range(350)]
        assert rates[49] == rates[50] == pytest.approx(peak)
        assert rates[24] == pytest.approx(1e-6 + (peak - 1e-6) / 2)
        for step in (50, 123, 349):
            wanted = 1e-6 + (peak - 1e-6) * (1 + math.cos(math.pi * (step - 50) / 300)) / 2
            assert rates[step] == pytest.approx(wanted)
        assert rates[-1] == pytest.approx(1e-6, rel=0.01)
        assert all(b > a for a, b in pairwise(rates[:50]))
        assert all(b < a for a, b in pairwise(rates[50:]))


def test_a_plan_needs_epochs_beyond_its_warm_up():
    with pytest.raises(InputError, match="leaves nothing"):
        TokenPlan(epochs=5)


def train(*, seed=0, validation=None, **changes):
    torch.manual_seed(5)
    module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))
    module[0].bias.requires_grad_(False)
    x = torch.randn(40, 4, generator=torch.Generator().manual_seed(1))
    y = x.sum(dim=1, keepdim=True)

    def loss_of(rows):
        return (module(x[rows]) - y[rows]).square().mean()

    settings = plan(epochs=6, head_rate=0.1, **changes)
    training = fit_rows(
        module,
        loss_of,
        groups=[{"params": [p for p in module.parameters() if p.requires_grad], "peak": settings.head_rate}],
        train_rows=torch.arange(30),
        validation_rows=torch.arange(30, 40) if validation is None else validation,
        plan=settings,
        seed=seed,
        device=CPU,
    )
    return module, training


def same(first, second):
    return all(torch.equal(value, second.state_dict()[name]) for name, value in first.state_dict().items())


def test_the_same_seed_gives_the_same_weights_and_another_gives_others():
    assert same(train()[0], train()[0])
    assert not same(train()[0], train(seed=1)[0])


def test_the_best_epoch_is_kept_and_a_training_stops_after_its_patience():
    module, training = train(patience=1, clip=1e-12, final_rate=0.099, weight_decay=8.0)  # decay alone: ever worse
    assert len(training.curve) == training.best_epoch + 1 < 6
    losses = [row["validation"] for row in training.curve]
    assert min(losses) == losses[training.best_epoch - 1]
    x = torch.randn(40, 4, generator=torch.Generator().manual_seed(1))[30:]
    now = float((module.eval()(x) - x.sum(dim=1, keepdim=True)).square().mean().detach())
    assert now == pytest.approx(losses[training.best_epoch - 1], rel=1e-5)


def test_a_gradient_is_clipped():
    def moved(clip):
        module, _ = train(clip=clip, weight_decay=0.0, warmup_epochs=0)
        torch.manual_seed(5)
        start = torch.nn.Linear(4, 8).weight
        return float((module[0].weight - start).detach().abs().max())

    assert moved(1e-12) < 1e-3 < moved(1.0)


def test_frozen_parameters_stay_as_they_are():
    module, _ = train()
    torch.manual_seed(5)
    assert torch.equal(module[0].bias, torch.nn.Linear(4, 8).bias)


def test_a_loss_that_is_no_number_and_an_empty_part_are_refused():
    with pytest.raises(InputError, match="lower head_rate"):
        train(final_rate=1e30)
    with pytest.raises(InputError, match="0 to validate"):
        train(validation=torch.arange(0))


@pytest.mark.parametrize("how", ["centred", "standardised", "raw"])
def test_targets_come_back_from_their_units(how):
    rng = np.random.default_rng(0)
    y = rng.gamma(2.0, size=(50, 3)).astype(np.float32)
    y[:, 1] = 0.7
    scale = fit_target_scale(y, how)
    np.testing.assert_allclose(scale.restored(scale.scaled(y)), y, rtol=1e-6)
    scaled = scale.scaled(y)
    if how == "raw":
        assert np.array_equal(scaled, y)
    else:
        np.testing.assert_allclose(scaled.mean(axis=0), 0.0, atol=1e-6)
        sd = [1.0, 0.0, 1.0] if how == "standardised" else y.std(axis=0)
        np.testing.assert_allclose(scaled.std(axis=0), sd, atol=1e-6)
