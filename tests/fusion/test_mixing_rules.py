"""What each way of mixing can learn: gates on clean bits, and which are additive whatever their weights."""

import pytest
import torch

from beyond_alignment.fusion.network import Shape
from tests.fusion.mixing import ADDITIVE, CLASSES, METHODS, build, gate_batch, random_batch, trained

BITS = Shape(d1=4, d2=4, n_outputs=2, kind="classification", dimension=16)
INTERACTING = [name for name in METHODS if name not in ADDITIVE]
RULES = {"xor": lambda a, b: a ^ b, "and": lambda a, b: a & b}


def mixed_difference(name):
    """z(a, c) - z(a, d) - z(b, c) + z(b, d) of random spots: 0 for a sum of functions of each modality."""
    network, batch = build(name), random_batch(neighbours=0)
    other1, other2 = batch.x1.flip(0), batch.x2.flip(0)
    z = [network(batch._replace(x1=x1, x2=x2)) for x1 in (batch.x1, other1) for x2 in (batch.x2, other2)]
    return (z[0] - z[1] - z[2] + z[3]).abs().max().item()


@pytest.mark.parametrize("name", METHODS)
def test_a_method_that_says_additive_is_additive_whatever_its_weights(name):
    assert (mixed_difference(name) < 1e-5) == (name in ADDITIVE)
    assert ("additive" in METHODS[name].reaches) == (name in ADDITIVE)


@pytest.mark.parametrize(
    ("name", "rule"), [(name, "xor") for name in INTERACTING] + [(name, "and") for name in ("gated", "uniform")]
)
def test_interaction_learns_a_gate(name, rule):
    train, test = gate_batch(RULES[rule]), gate_batch(RULES[rule], seed=1)
    network = trained(build(name, BITS, width=8), train, steps=60, learning_rate=0.01)
    with torch.no_grad():
        outputs = sum(network._scores(test)) if name == "synergy_max" else network.head(network(test))
    assert (outputs.argmax(-1) == test.y).float().mean() > 0.98


@pytest.mark.parametrize("name", sorted(ADDITIVE))
def test_additive_methods_learn_and_but_not_exclusive_or(name):
    accuracy = {}
    for rule, function in RULES.items():
        train, test = gate_batch(function), gate_batch(function, seed=1)
        network = trained(build(name, BITS, width=16), train, steps=150, learning_rate=0.01)
        accuracy[rule] = (network.head(network(test)).argmax(-1) == test.y).float().mean().item()
    assert accuracy["and"] > 0.98
    assert accuracy["xor"] < 0.8  # a linear rule has three of the four pairs of bits right at most


def test_the_weights_of_global_pooling_are_the_same_for_every_spot_and_those_of_attention_are_not():
    network, batch = build("attention_pooling"), random_batch()
    seen = []
    network.attention.register_forward_hook(lambda module, inputs, output: seen.append(inputs))
    network(batch)
    (to, of), attention = seen[0], network.attention
    scores = attention._split(attention.key(of)) @ attention._split(attention.query(to)).transpose(-1, -2)
    assert attention._weights(scores, None).std(dim=0).max() > 1e-3
    pooled = build("global_pooling")
    assert pooled.weights.shape == (8, 3)
    first = pooled.weights.softmax(dim=0)
    torch.testing.assert_close(pooled(batch), pooled.out((first * pooled._tokens(batch)).sum(1)))


def test_bottom_up_forgets_the_spot_where_the_pool_takes_the_neighbours_alone():
    network, batch = build("bottom_up"), random_batch()
    batch = batch._replace(near=torch.ones_like(batch.near))
    with torch.no_grad():
        network.share.fill_(-1e4)  # all weight on the neighbours
    assert torch.equal(network(batch), network(batch._replace(x1=batch.x1 + 1, x2=batch.x2 - 1)))


def test_hierarchical_keeps_the_spot_apart_from_its_neighbourhood():
    network, batch = build("hierarchical"), random_batch()
    network.out = torch.nn.Identity()
    batch = batch._replace(near=torch.ones_like(batch.near))
    z, moved = network(batch), network(batch._replace(near1=batch.near1 + 1))
    size = z.shape[1] // 2
    assert torch.equal(z[:, :size], moved[:, :size])
    assert not torch.allclose(z[:, size:], moved[:, size:])


@pytest.mark.parametrize(("layers", "meets"), [(1, False), (2, True)])
def test_the_modalities_meet_in_the_bottleneck_alone_and_one_layer_late(layers, meets):
    network, batch = build("bottleneck", layers=layers), random_batch()
    network.out = torch.nn.Identity()
    z, moved = network(batch), network(batch._replace(x2=batch.x2 + 1))
    size = z.shape[1] // 2
    assert torch.equal(z[:, :size], moved[:, :size]) != meets
    if meets:
        with torch.no_grad():  # a bottleneck that no token may read
            for layer in (*network.in_first, *network.in_second):
                layer.attention.value.weight.zero_()
        assert torch.equal(network(batch)[:, :size], network(batch._replace(x2=batch.x2 + 1))[:, :size])


def test_each_direction_of_cross_attention_reads_the_other_modality():
    network, batch = build("cross_attention", CLASSES), random_batch()
    network.out = torch.nn.Identity()
    z = network(batch)
    size = z.shape[1] // 2
    with torch.no_grad():
        network.to_first[0].attention.value.weight.zero_()
    deaf = network(batch)
    assert torch.equal(deaf[:, size:], z[:, size:])
    assert torch.equal(deaf[:, :size], network(batch._replace(x2=batch.x2 + 1))[:, :size])
