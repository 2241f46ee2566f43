"""What the training of many networks at once relies on, for every method that mixes the modalities."""

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from tests.fusion.mixing import CLASSES, METHODS, TARGETS, build, random_batch, rows

READ_NEIGHBOURS = {name for name, method in METHODS.items() if method.reads_neighbours}
OWN_LOSS = ("synergy_max", "sum")  # the others share the loss of the second
CASES = [(name, CLASSES) for name in METHODS] + [(name, TARGETS) for name in OWN_LOSS]
NAMES = [f"{name}-{shape.kind}" for name, shape in CASES]


class Objective(nn.Module):
    """The loss of a network as a module's call, or its representation."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, batch, loss):
        return self.network.loss(batch) if loss else self.network(batch)


@pytest.fixture(params=METHODS)
def name(request):
    return request.param


@pytest.mark.parametrize(("name", "shape"), CASES, ids=NAMES)
def test_the_gradient_reaches_every_parameter(name, shape):
    network = build(name, shape)
    network.loss(random_batch(shape)).backward()
    for parameter, value in network.named_parameters():
        assert value.grad is not None, parameter
        assert value.grad.abs().max() > 0, parameter


@pytest.mark.parametrize(("name", "shape"), CASES, ids=NAMES)
def test_many_at_once_are_the_same_as_one_by_one(name, shape):
    networks = [Objective(build(name, shape, seed=seed)) for seed in range(2)]
    batches = [random_batch(shape, seed=seed) for seed in range(2)]
    parameters, buffers = stack_module_state(networks)
    together = type(batches[0])(*(torch.stack(parts) for parts in zip(*(b[:-1] for b in batches), strict=True)), {})

    def loss(p, b, batch):
        return functional_call(networks[0], (p, b), (batch, True))

    gradients, losses = vmap(grad_and_value(loss))(parameters, buffers, together)
    shown = vmap(lambda p, b, batch: functional_call(networks[0], (p, b), (batch, False)))(
        parameters, buffers, together
    )
    for i, (network, batch) in enumerate(zip(networks, batches, strict=True)):
        value = network(batch, True)
        value.backward()
        torch.testing.assert_close(losses[i], value.detach(), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(shown[i], network(batch, False), rtol=1e-5, atol=1e-5)
        for parameter, tensor in network.named_parameters():
            torch.testing.assert_close(gradients[parameter][i], tensor.grad, rtol=1e-4, atol=1e-6)


def test_the_representation_has_the_common_size_and_follows_the_order_of_the_spots(name):
    network, batch = build(name), random_batch()
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    z = network(batch)
    assert z.shape == (12, CLASSES.dimension)
    torch.testing.assert_close(network(rows(batch, order)), z[order], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(network.loss(rows(batch, order)), network.loss(batch), rtol=1e-5, atol=1e-6)


def test_a_spot_is_represented_the_same_alone_and_beside_others(name):
    network, batch = build(name), random_batch()
    alone = torch.cat([network(rows(batch, [i])) for i in range(12)])
    torch.testing.assert_close(alone, network(batch), rtol=1e-5, atol=1e-5)


def test_masked_neighbours_have_no_influence(name):
    network, batch = build(name), random_batch()
    absent = batch.near.unsqueeze(-1) == 0
    other = batch._replace(
        near1=torch.where(absent, torch.full_like(batch.near1, 50.0), batch.near1),
        near2=torch.where(absent, torch.full_like(batch.near2, -50.0), batch.near2),
    )
    assert torch.equal(network(batch), network(other))


def test_neighbours_count_where_they_are_read_and_in_no_order(name):
    network, batch = build(name), random_batch()
    batch = batch._replace(near=torch.ones_like(batch.near))
    z, moved = network(batch), network(batch._replace(near1=batch.near1 + 1))
    turned = network(batch._replace(near1=batch.near1.flip(1), near2=batch.near2.flip(1)))
    assert torch.equal(z, moved) == (name not in READ_NEIGHBOURS)
    torch.testing.assert_close(turned, z, rtol=1e-5, atol=1e-5)


def test_no_neighbour_at_all_is_the_same_as_masked_ones(name):
    network, batch = build(name), random_batch()
    masked = batch._replace(near=torch.zeros_like(batch.near))
    none = batch._replace(near1=batch.near1[:, :0], near2=batch.near2[:, :0], near=batch.near[:, :0])
    torch.testing.assert_close(network(none), network(masked), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "shape"), CASES, ids=NAMES)
@pytest.mark.parametrize("bad", ["zero", "constant", "duplicated", "huge", "one spot"])
def test_the_loss_and_its_gradient_stay_finite(name, shape, bad):
    batch = random_batch(shape)
    batch = {
        "zero": lambda: batch._replace(x1=torch.zeros_like(batch.x1), near1=torch.zeros_like(batch.near1)),
        "constant": lambda: batch._replace(x2=torch.full_like(batch.x2, 3.0)),
        "duplicated": lambda: batch._replace(x1=batch.x1[:, :1].expand_as(batch.x1)),
        "huge": lambda: batch._replace(x1=1e4 * batch.x1, x2=1e4 * batch.x2),
        "one spot": lambda: rows(batch, [0]),
    }[bad]()
    network = build(name, shape)
    loss = network.loss(batch)
    loss.backward()
    assert loss.isfinite()
    assert all(value.grad.isfinite().all() for value in network.parameters())


def test_width_alone_sets_the_number_of_parameters(name):
    def count(width):
        return sum(value.numel() for value in build(name, width=width).parameters())

    sizes = [count(width) for width in (1, 2, 3, 5, 8)]
    assert sizes == sorted(set(sizes))
    assert METHODS[name].network(CLASSES) is not None  # a default width
    assert set(METHODS[name].published) <= {"width", "heads", "layers", "rank", "expansion", "bottlenecks"}


def test_the_same_seed_gives_the_same_weights(name):
    for one, two in zip(build(name, seed=4).parameters(), build(name, seed=4).parameters(), strict=True):
        assert torch.equal(one, two)
