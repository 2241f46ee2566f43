"""The objective synergy_max against the exact union information, and what its two parts learn."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from beyond_alignment.errors import InputError
from beyond_alignment.fusion.network import Shape
from beyond_alignment.fusion.synergy_max import expert_log_likelihood
from beyond_alignment.information.gates import gate
from beyond_alignment.information.union import union_information
from tests.fusion.mixing import CLASSES, TARGETS, build, gate_batch, random_batch, trained

COUNT = 200


def spots_of(p):
    """States of both sources and class of spots whose shares are exactly `p[i, j, y]` up to rounding."""
    states = np.repeat(np.indices(p.shape).reshape(3, -1), np.rint(COUNT * p).astype(int).ravel(), axis=1)
    shares = np.zeros(p.shape)
    np.add.at(shares, tuple(states), 1 / states.shape[1])
    return *(torch.as_tensor(s) for s in states), shares


def bits(nats, shares):
    """H(Y) and an expected log-likelihood, in bits."""
    y = shares.sum((0, 1))
    return (nats.item() - (y[y > 0] * np.log(y[y > 0])).sum()) / math.log(2)


@pytest.mark.parametrize("name", ["xor", "and", "copy", "redundant", "unique1", "sum", "noisy_views"])
def test_at_the_dual_optimum_the_experts_know_exactly_the_union_information(name):
    i, j, y, shares = spots_of(gate(name))
    exact = union_information(shares.sum(1), shares.sum(0))
    f, g = (torch.as_tensor(np.nan_to_num(dual, neginf=-90.0)) for dual in (exact.dual_first, exact.dual_second))
    known = bits(expert_log_likelihood(f[i], g[j], y), shares)
    assert known == pytest.approx(exact.value, abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.floats(0, 30))
def test_no_experts_know_more_than_the_union_information(seed, scale):
    rng = np.random.default_rng(seed)
    i, j, y, shares = spots_of(rng.dirichlet(np.full(12, 0.5)).reshape(2, 3, 2))
    f, g = (torch.as_tensor(scale * rng.normal(size=(states, 2))) for states in (2, 3))
    assert (
        bits(expert_log_likelihood(f[i], g[j], y), shares)
        <= union_information(shares.sum(1), shares.sum(0)).value + 1e-7
    )


def test_the_worst_partner_is_found_among_all_spots():
    rng = np.random.default_rng(0)
    f, g, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 3)), rng.integers(0, 3, 6)
    slow = np.mean([f[n, y[n]] + g[n, y[n]] - max(logsumexp(f[n] + g[m]) for m in range(6)) for n in range(6)])
    assert expert_log_likelihood(*map(torch.as_tensor, (f, g, y))).item() == pytest.approx(slow)
    one = expert_log_likelihood(*(torch.as_tensor(part[:1]) for part in (f, g, y)))
    assert one.item() == pytest.approx((f + g)[0, y[0]] - logsumexp((f + g)[0]))  # its only partner is its own


@pytest.mark.parametrize(
    ("rule", "classes", "synergy"),
    [
        (lambda a, b: a ^ b, 2, 1.0),
        (lambda a, b: a & b, 2, 0.5),
        (lambda a, b: 2 * a + b, 4, 0.0),
        (lambda a, b: a, 2, 0.0),
    ],
    ids=["xor", "and", "copy", "unique"],
)
def test_with_the_union_known_the_rest_is_the_synergy(rule, classes, synergy):
    batch = gate_batch(rule)
    network = build("synergy_max", Shape(4, 4, classes, "classification", 16), width=8, known="union")
    given = trained(network, batch, steps=300, learning_rate=0.02).synergy(batch).item() / math.log(2)
    assert given == pytest.approx(synergy, abs=0.05)


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
@pytest.mark.parametrize("known", ["union", "additive"])
def test_experts_and_product_do_not_train_each_other(shape, known):
    network, batch = build("synergy_max", shape, known=known), random_batch(shape)
    f, g, _h = network._scores(batch)
    cost = network._cost_of_experts(f, g, batch.y)
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


def test_with_nothing_known_the_product_is_trained_as_if_alone():
    network, batch = build("synergy_max", known="nothing"), random_batch()
    _, _, h = network._scores(batch)
    (alone,) = torch.autograd.grad(torch.nn.functional.cross_entropy(h, batch.y), network.pool.weight)
    network.loss(batch).backward()
    torch.testing.assert_close(network.pool.weight.grad, alone)


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


def test_bad_options_are_named():
    with pytest.raises(InputError, match="4 features"):
        build("synergy_max", Shape(4, 4, 2, "classification", 3))
    with pytest.raises(InputError, match="'all'"):
        build("synergy_max", known="all")
