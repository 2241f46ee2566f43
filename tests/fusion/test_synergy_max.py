"""The objective synergy_max: what its two parts learn of gates whose synergy is known."""

import math

import pytest
import torch

from beyond_alignment.errors import InputError
from beyond_alignment.fusion.network import Shape, label_loss
from tests.fusion.mixing import CLASSES, TARGETS, build, gate_batch, random_batch, trained


@pytest.mark.parametrize(
    ("rule", "interaction"), [(lambda a, b: a ^ b, 1.0), (lambda a, b: a & b, 0.0)], ids=["xor", "and"]
)
def test_with_the_additive_model_known_the_rest_is_the_interaction_synergy(rule, interaction):
    batch = gate_batch(rule)
    shape = Shape(4, 4, 2, "classification", 16)
    f, g, h = trained(build("synergy_max", shape, width=8), batch, steps=300, learning_rate=0.02)._scores(batch)
    cost = [torch.nn.functional.cross_entropy(scores, batch.y).item() / math.log(2) for scores in (f + g, f + g + h)]
    assert cost[0] - cost[1] == pytest.approx(interaction, abs=0.05)


@pytest.mark.parametrize("shape", [CLASSES, TARGETS], ids=["classes", "targets"])
def test_experts_and_product_do_not_train_each_other(shape):
    network, batch = build("synergy_max", shape), random_batch(shape)
    f, g, _h = network._scores(batch)
    cost = label_loss(f + g, batch.y, shape.kind)
    network.loss(batch).backward()
    ours = {name: value.grad for name, value in network.named_parameters()}
    for name, value in network.named_parameters():
        if name.startswith(("expert", "head1", "head2")):
            (alone,) = torch.autograd.grad(cost, value, retain_graph=True)
            torch.testing.assert_close(ours[name], alone, msg=name)


def test_the_product_gets_no_gradient_from_what_the_experts_know():
    network, batch = build("synergy_max"), random_batch()
    sure = 60.0 * torch.nn.functional.one_hot(batch.y, 3)
    network.head1.register_forward_hook(lambda module, inputs, output: output + sure)
    network.loss(batch).backward()
    for part in (network.first, network.second, network.pool, network.head):
        assert all(value.grad.abs().max() < 1e-12 for value in part.parameters())


def test_the_product_learns_what_an_additive_model_leaves_of_a_target():
    batch = gate_batch(lambda a, b: a ^ b)
    signs = batch.x1[:, :1].sign(), batch.x2[:, :1].sign()
    batch = batch._replace(y=0.6 * signs[0] + 0.8 * signs[0] * signs[1])
    network = trained(
        build("synergy_max", Shape(4, 4, 1, "regression", 16), width=8), batch, steps=200, learning_rate=0.02
    )
    f, g, h = network._scores(batch)
    additive = ((f + g - 0.6 * signs[0]) ** 2).mean()
    assert additive < 0.1
    assert ((h - 0.8 * signs[0] * signs[1]) ** 2).mean() < 0.1
    assert ((f + g + h - batch.y) ** 2).mean() < 0.05


def test_too_small_a_representation_is_named():
    with pytest.raises(InputError, match="4 or more"):
        build("synergy_max", Shape(4, 4, 2, "classification", 3))
