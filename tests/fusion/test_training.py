"""Training side by side against a plain torch loop, and against training alone."""

import copy

import pytest
import torch

from beyond_alignment.experts.schedule import warm_cosine
from beyond_alignment.fusion.batches import SpotSet, minibatch_rows
from beyond_alignment.fusion.network import Batch, Shape
from beyond_alignment.fusion.training import (
    MOST_TOGETHER,
    SEED_STRIDE,
    TrainingPlan,
    n_trained,
    teachers,
    train_together,
)
from tests.fusion.small_networks import Noisy, Plain

SHAPE = Shape(d1=5, d2=4, n_outputs=3, kind="classification", dimension=6)
PLANS = tuple(
    TrainingPlan(learning_rate=rate, weight_decay=decay, steps=25, batch_size=16, seed=seed)
    for rate, decay, seed in ((1e-3, 0.0, 0), (1e-2, 0.5, 1), (3e-2, 0.01, 0))
)


def spots(n, seed=0, *, dtype=torch.float32, neighbours=3):
    generator = torch.Generator().manual_seed(seed)
    x1, x2 = (torch.randn(n, d, generator=generator).to(dtype) for d in (5, 4))
    near = torch.randint(-1, n, (n, neighbours), generator=generator)
    return SpotSet(x1, x2, (x1[:, 0] > 0).long() + (x2[:, 0] > 0).long(), near)


def build(kind, seed, dtype=torch.float32):
    torch.manual_seed(seed)
    return kind(SHAPE, width=8).to(dtype)


def plain_loop(network, data, plan):
    """The same training written as anyone would."""
    network = copy.deepcopy(network)
    followed = teachers(network)
    parameters = dict(network.named_parameters())
    for name, source in followed.items():
        parameters[name].data.copy_(parameters[source].data)
    trained = [value for name, value in parameters.items() if name not in followed]
    optimiser = torch.optim.AdamW(trained, lr=plan.learning_rate, weight_decay=plan.weight_decay)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: warm_cosine(step, plan.steps))
    size = min(plan.batch_size, len(data))
    for step, rows in enumerate(minibatch_rows(len(data), size, plan.steps, plan.seed)):
        noise = network.noise(torch.Generator().manual_seed(plan.seed * SEED_STRIDE + step), size)
        near = data.neighbours[rows]
        there = (near >= 0).to(data.x1.dtype)
        batch = Batch(
            x1=data.x1[rows],
            x2=data.x2[rows],
            y=data.y[rows],
            near1=data.x1[near] * there[..., None],
            near2=data.x2[near] * there[..., None],
            near=there,
            noise={name: value.to(data.x1.dtype) for name, value in noise.items()},
        )
        optimiser.zero_grad()
        network.loss(batch).backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        rate.step()
        for name, source in followed.items():
            parameters[name].data.lerp_(parameters[source].data, 1 - network.momentum)
    return network


@pytest.mark.parametrize("kind", [Plain, Noisy])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_side_by_side_is_the_plain_loop(kind, dtype):
    sets = [spots(40, 0, dtype=dtype), spots(57, 1, dtype=dtype), spots(40, 0, dtype=dtype)]
    networks = [build(kind, seed, dtype) for seed in (0, 1, 2)]
    expected = [plain_loop(*each) for each in zip(networks, sets, PLANS, strict=True)]
    outcomes = train_together(networks, sets, PLANS)
    for found, truth, outcome in zip(networks, expected, outcomes, strict=True):
        assert outcome.diverged_at is None
        assert outcome.losses.shape == (25,)
        for name, value in truth.state_dict().items():
            assert torch.allclose(found.state_dict()[name], value, atol=1e-5 if dtype == torch.float32 else 1e-10)


@pytest.mark.parametrize("kind", [Plain, Noisy])
def test_company_changes_nothing(kind, monkeypatch):
    monkeypatch.setitem(MOST_TOGETHER, "cpu", 2)
    sets = [spots(n, n) for n in (40, 57, 9, 1, 40)]  # two are smaller than the batch, one is a single spot
    plans = [*PLANS, *PLANS[:2]]
    together = [build(kind, seed) for seed in range(5)]
    alone = copy.deepcopy(together)
    train_together(together, sets, plans)
    for network, data, plan, other in zip(alone, sets, plans, together, strict=True):
        train_together([network], [data], [plan])
        for name, value in network.state_dict().items():
            assert torch.allclose(value, other.state_dict()[name], atol=1e-6)


def test_a_model_that_diverges_stops_and_the_others_go_on():
    sets = [spots(40, seed) for seed in range(3)]
    sets[1] = SpotSet(sets[1].x1.clone(), sets[1].x2, sets[1].y, sets[1].neighbours)
    sets[1].x1[7] = torch.inf
    networks, alone = [build(Plain, seed) for seed in range(3)], [build(Plain, seed) for seed in range(3)]
    outcomes = train_together(networks, sets, PLANS)
    assert [outcome.diverged_at is None for outcome in outcomes] == [True, False, True]
    assert all(torch.isfinite(value).all() for value in networks[1].state_dict().values())
    for i in (0, 2):
        train_together([alone[i]], [sets[i]], [PLANS[i]])
        assert torch.equal(networks[i].outer.weight, alone[i].outer.weight)


def test_a_teacher_is_copied_at_the_start_and_has_no_gradient():
    network = build(Noisy, 0)
    assert n_trained(network) == sum(p.numel() for p in network.parameters()) - sum(
        p.numel() for p in network.slow.parameters()
    )
    train_together([network], [spots(40)], [TrainingPlan(learning_rate=0.0, weight_decay=0.0, steps=2)])
    assert torch.equal(network.slow[0].weight, network.fast[0].weight)


def test_every_epoch_is_a_permutation_and_steps_do_not_depend_on_their_number():
    rows = minibatch_rows(10, 3, 7, seed=4)
    assert rows.shape == (7, 3)
    assert len(set(rows[:3].ravel())) == len(set(rows[3:6].ravel())) == 9
    assert (minibatch_rows(10, 3, 5, seed=4) == rows[:5]).all()
    assert (minibatch_rows(10, 3, 7, seed=5) != rows).any()


def test_progress_counts_every_update(monkeypatch):
    monkeypatch.setitem(MOST_TOGETHER, "cpu", 2)
    made = []
    train_together([build(Plain, s) for s in range(3)], [spots(40)] * 3, PLANS, progress=made.append)
    assert sum(made) == 3 * 25


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("kind", [Plain, Noisy])
def test_a_gpu_gives_the_same_weights(kind):
    sets = [spots(40, seed, dtype=torch.float64) for seed in range(3)]
    networks = [build(kind, seed, torch.float64) for seed in range(3)]
    others = copy.deepcopy(networks)
    train_together(networks, sets, PLANS)
    train_together(others, sets, PLANS, device="cuda")
    for one, two in zip(networks, others, strict=True):
        for name, value in one.state_dict().items():
            assert torch.allclose(value, two.state_dict()[name], atol=1e-8)
