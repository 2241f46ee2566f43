"""What every network that is trained on pairs must be: differentiable, deterministic, and the same in a stack."""

import copy

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from beyond_alignment.errors import InputError
from beyond_alignment.fusion.aligning.objectives import nt_xent
from beyond_alignment.fusion.network import Shape
from tests.fusion.aligning.plain_loop import NETWORKS, make, noisy_batch, represent, shape_of, train, trained

N = 24


class Objective(nn.Module):
    """A network whose call is its objective."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, batch):
        return self.network.loss(batch)


def pair(n=N, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 7, generator=generator), torch.randn(n, 5, generator=generator)


def slopes_of(network, batch):
    network.zero_grad()
    loss = network.loss(batch)
    loss.backward()
    return loss, {name: p.grad for name, p in network.named_parameters()}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_gradient_reaches_every_parameter_but_the_teachers(name):
    x1, x2 = pair()
    network = make(name, shape_of(x1, x2), width=12)
    loss, slopes = slopes_of(network, noisy_batch(network, x1, x2))
    students = trained(network.named_parameters(), network)
    assert loss.ndim == 0
    assert (len(students) < len(slopes)) == (name == "byol")
    for parameter, slope in slopes.items():
        if parameter in students:
            assert slope.abs().max() > 1e-6, parameter
        else:
            assert slope is None, parameter


@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_seed_gives_the_same_network_and_another_seed_another(name):
    x1, x2 = pair()
    one, again, other = (make(name, shape_of(x1, x2), seed=seed, width=8) for seed in (3, 3, 4))
    for network in (one, again):
        train(network, x1, x2, steps=3, size=16, seed=1)
    assert (represent(one, x1, x2) == represent(again, x1, x2)).all()
    assert not (represent(one, x1, x2) == represent(other, x1, x2)).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_stack_of_networks_is_each_of_them(name):
    networks = [make(name, Shape(7, 5, 2, "classification", 8), seed=seed, width=8) for seed in range(2)]
    batches = [noisy_batch(network, *pair(seed=seed), seed=seed) for seed, network in enumerate(networks)]
    objectives = [Objective(network) for network in networks]
    parameters, buffers = stack_module_state(objectives)
    assert not buffers
    stacked = type(batches[0])(
        *(torch.stack(values) for values in list(zip(*batches, strict=True))[:-1]),
        {key: torch.stack([batch.noise[key] for batch in batches]) for key in batches[0].noise},
    )
    base = copy.deepcopy(objectives[0]).to("meta")

    def loss(values, batch):
        return functional_call(base, values, (batch,))

    slopes, losses = vmap(grad_and_value(loss))(parameters, stacked)
    for i, (network, batch) in enumerate(zip(networks, batches, strict=True)):
        alone, slopes_alone = slopes_of(network, batch)
        assert losses[i].item() == pytest.approx(alone.item(), rel=1e-5, abs=1e-5)
        for parameter, slope in slopes_alone.items():
            if slope is not None:
                assert torch.allclose(slopes[f"network.{parameter}"][i], slope, atol=1e-4, rtol=1e-3), parameter


@pytest.mark.parametrize("name", NETWORKS)
def test_the_order_of_the_spots_does_not_matter(name):
    x1, x2 = pair()
    network = make(name, shape_of(x1, x2), width=8)
    batch = noisy_batch(network, x1, x2)
    order = torch.randperm(N, generator=torch.Generator().manual_seed(5))
    shuffled = batch._replace(
        **{field: getattr(batch, field)[order] for field in batch._fields[:-1]},
        noise={key: value[order] for key, value in batch.noise.items()},
    )
    with torch.no_grad():
        assert network.loss(shuffled).item() == pytest.approx(network.loss(batch).item(), rel=1e-4, abs=1e-5)
        assert torch.allclose(network(shuffled), network(batch)[order], atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("kind", ["zero", "constant", "duplicated features", "duplicated spots", "one spot"])
def test_degenerate_embeddings_give_finite_losses_and_gradients(name, kind):
    x1, x2 = pair()
    x1 = {
        "zero": torch.zeros_like(x1),
        "constant": torch.full_like(x1, 2.5),
        "duplicated features": x1[:, :1].repeat(1, 7),
        "duplicated spots": x1[:1].repeat(N, 1),
        "one spot": x1[:1],
    }[kind]
    network = make(name, shape_of(x1, x2), width=8)
    loss, slopes = slopes_of(network, noisy_batch(network, x1, x2[: len(x1)]))
    assert loss.isfinite()
    assert all(slope.isfinite().all() for slope in slopes.values() if slope is not None)
    if kind == "one spot" and name in ("clip", "simclr", "deep_infomax", "comm"):
        assert loss.item() == 0
        assert all((slope == 0).all() for slope in slopes.values())


@pytest.mark.parametrize("name", NETWORKS)
def test_its_record_and_its_sizes(name):
    method, shape = NETWORKS[name], Shape(50, 50, 4, "classification", 64)
    assert method.trained_on == "pairs"
    assert method.citation
    with torch.device("meta"):
        sizes = [sum(p.numel() for p in method.network(shape, width=width).parameters()) for width in (1, 31, 32, 200)]
        method.network(Shape(50, 50, 4, "classification", 512), **method.published)
    assert sizes == sorted(set(sizes))  # width is what the budget is spent on
    x1, x2 = pair()
    assert represent(make(name, shape_of(x1, x2), width=8), x1, x2).shape == (N, 64)


def test_an_odd_dimension_has_no_halves():
    with pytest.raises(InputError, match="even"):
        make("clip", Shape(5, 5, 2, "classification", 7))


def test_the_objective_of_comm_is_the_mean_of_its_contrasts_written_out():
    x1, x2 = pair()
    network = make("comm", shape_of(x1, x2), width=3, tokens=2)
    batch = noisy_batch(network, x1, x2)
    views = []
    for view in (0, 1):
        seen = [
            x * batch.noise[f"kept{m}"][:, view] + batch.noise[f"jitter{m}"][:, view] for m, x in ((1, x1), (2, x2))
        ]
        first, second = network.adapter1(seen[0]).view(N, 2, 12), network.adapter2(seen[1]).view(N, 2, 12)
        reader = network.reader.expand(N, 1, 12)
        read = [network.layer(reader, torch.cat([reader, tokens], dim=1)) for tokens in (first, second)]
        fused = [network.pooled(network.norm(token)[:, 0]) for token in read]
        fused.append(network(batch._replace(x1=seen[0], x2=seen[1])))
        views.append([network.projector(z) for z in fused])
    total = sum(nt_xent(views[v][i], views[1 - v][2], 0.1) for v in (0, 1) for i in range(3))
    assert network.loss(batch).item() == pytest.approx(total.item() / 6, rel=1e-5)
