"""AdamW over many models against torch's, one model at a time."""

import pytest
import torch

from beyond_alignment.experts.schedule import warm_cosine
from beyond_alignment.fusion.optimiser import StackedAdamW, StackedParameters

CPU = torch.device("cpu")
RATES, DECAYS = (1e-3, 1e-2, 0.1), (0.0, 0.5, 2.0)


def models():
    generator = torch.Generator().manual_seed(0)
    return [{"a": torch.randn(3, 2, generator=generator), "b": torch.randn(4, generator=generator)} for _ in range(3)]


def objective(a, b, scale):
    """A curved function of every parameter (…,), steep enough to be clipped now and then."""
    return scale * ((a**4).sum((-1, -2)) + torch.sin(b).sum(-1) + a.sum((-1, -2)) * b.mean(-1))


def stacked(steps, *, fused, spoil=None):
    parameters = StackedParameters(models(), device=CPU)
    optimiser = StackedAdamW(
        parameters, learning_rates=torch.tensor(RATES), weight_decays=torch.tensor(DECAYS), fused=fused
    )
    alive = torch.ones(3, dtype=torch.bool)
    for step in range(steps):
        losses = objective(parameters.named["a"], parameters.named["b"], torch.tensor([0.01, 1.0, 3.0]))
        gradient = parameters.gradient(losses)
        if spoil == step:
            gradient[1, 2] = torch.nan
        alive = optimiser.step(gradient, alive, warm_cosine(step, steps))
    return parameters, alive


@pytest.mark.parametrize("fused", [True, False])
def test_each_model_moves_as_it_would_under_torch_alone(fused):
    parameters, alive = stacked(30, fused=fused)
    assert alive.all()
    for i, (model, scale) in enumerate(zip(models(), (0.01, 1.0, 3.0), strict=True)):
        own = {name: value.clone().requires_grad_(True) for name, value in model.items()}
        optimiser = torch.optim.AdamW(own.values(), lr=RATES[i], weight_decay=DECAYS[i])
        rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: warm_cosine(step, 30))
        for _ in range(30):
            optimiser.zero_grad()
            objective(own["a"], own["b"], scale).backward()
            torch.nn.utils.clip_grad_norm_(own.values(), 1.0)
            optimiser.step()
            rate.step()
        for name, value in own.items():
            assert torch.allclose(parameters.named[name][i], value, atol=1e-6)


@pytest.mark.parametrize("fused", [True, False])
def test_a_gradient_that_is_not_finite_freezes_its_model_alone(fused):
    clean, _ = stacked(12, fused=fused)
    spoilt, alive = stacked(12, fused=fused, spoil=7)
    assert alive.tolist() == [True, False, True]
    assert torch.equal(clean.values[[0, 2]], spoilt.values[[0, 2]])
    assert torch.isfinite(spoilt.values).all()
    assert not torch.equal(clean.values[1], spoilt.values[1])


def test_the_rate_rises_then_falls_to_nothing():
    factors = [warm_cosine(step, 100) for step in range(100)]
    assert max(factors) == factors[4] == pytest.approx(1)
    assert factors[0] == pytest.approx(0.2)
    assert sorted(factors[4:], reverse=True) == factors[4:]
    assert 0 < factors[-1] < 1e-3
    assert warm_cosine(0, 1) == 1


def test_one_model_comes_back_as_it_went_in():
    parameters = StackedParameters(models(), device=CPU, trained=False)
    assert not any(view.requires_grad for view in parameters.named.values())
    for i, model in enumerate(models()):
        assert all(torch.equal(parameters.model(i)[name], value) for name, value in model.items())
