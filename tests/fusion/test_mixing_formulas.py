"""The products and the attention against slow references, their peer, and each other."""

import math

import pytest
import torch
from torch import nn

from beyond_alignment.fusion.attention import Attention, Layer, Tokens
from beyond_alignment.fusion.network import Shape
from beyond_alignment.fusion.patterns_neighbourhood import RelationalAttention
from tests.fusion.mixing import CLASSES, build, random_batch


def slow_product(network, one, two):
    """z of one spot by the definition of tensor fusion, product by product."""
    weight = network.fuse.weight.reshape(CLASSES.dimension, len(one), len(two))
    return [
        sum(weight[k, a, b] * one[a] * two[b] for a in range(len(one)) for b in range(len(two))) + network.fuse.bias[k]
        for k in range(CLASSES.dimension)
    ]


def test_tensor_fusion_holds_every_product():
    network, batch = build("tensor_fusion").double(), random_batch(n=3)
    batch = batch._replace(x1=batch.x1.double(), x2=batch.x2.double())
    for i, z in enumerate(network(batch)):
        one, two = [*network.first(batch.x1)[i], 1.0], [*network.second(batch.x2)[i], 1.0]
        torch.testing.assert_close(z, torch.stack(slow_product(network, one, two)))


def test_low_rank_of_full_rank_is_tensor_fusion():
    width = 3
    tensor, low = build("tensor_fusion", width=width), build("low_rank", width=width, rank=width + 1)
    low.first, low.second = tensor.first, tensor.second
    weight = tensor.fuse.weight.reshape(CLASSES.dimension, width + 1, width + 1)
    with torch.no_grad():  # factor r takes unit r of the first modality, and its row of W of the second
        unit = torch.eye(width + 1).unsqueeze(1).expand(-1, CLASSES.dimension, -1)
        low.factor1.weight.copy_(unit.flatten(0, 1))
        low.factor2.weight.copy_(weight.transpose(0, 1).flatten(0, 1))
        low.bias.copy_(tensor.fuse.bias)
    batch = random_batch(n=50)
    torch.testing.assert_close(low(batch), tensor(batch), rtol=1e-5, atol=1e-5)


def test_any_low_rank_fusion_is_a_tensor_fusion():
    low, tensor = build("low_rank", rank=2), build("tensor_fusion")
    tensor.first, tensor.second = low.first, low.second
    one, two = (f.weight.unflatten(0, (2, CLASSES.dimension)) for f in (low.factor1, low.factor2))
    with torch.no_grad():
        tensor.fuse.weight.copy_(torch.einsum("rka,rkb->kab", one, two).flatten(1))
        tensor.fuse.bias.copy_(low.bias)
    batch = random_batch(n=50)
    torch.testing.assert_close(low(batch), tensor(batch), rtol=1e-5, atol=1e-5)


def test_bilinear_pooling_and_gate_are_their_formulas():
    batch = random_batch(n=4)
    bilinear, gated = build("bilinear"), build("gated")
    for i, (x1, x2) in enumerate(zip(batch.x1, batch.x2, strict=True)):
        one = torch.tanh(bilinear.first.weight @ x1 + bilinear.first.bias)
        two = torch.tanh(bilinear.second.weight @ x2 + bilinear.second.bias)
        torch.testing.assert_close(bilinear(batch)[i], bilinear.pool.weight @ (one * two) + bilinear.pool.bias)
        gate = 1 / (1 + torch.exp(-(gated.gate.weight @ torch.cat([x1, x2]) + gated.gate.bias)))
        one = torch.tanh(gated.first.weight @ x1 + gated.first.bias)
        two = torch.tanh(gated.second.weight @ x2 + gated.second.bias)
        h = gate * one + (1 - gate) * two
        torch.testing.assert_close(gated(batch)[i], gated.out.weight @ h + gated.out.bias)


@pytest.mark.parametrize("queries", [1, 4])
@pytest.mark.parametrize("masked", [False, True])
def test_attention_is_that_of_torch(masked, queries):
    torch.manual_seed(0)
    ours, peer = Attention(3, 2), nn.MultiheadAttention(6, 2, batch_first=True)
    with torch.no_grad():
        peer.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]))
        peer.in_proj_bias.zero_()
        peer.out_proj.load_state_dict(ours.out.state_dict())
    to, of = torch.randn(7, queries, 6), torch.randn(7, 5, 6)
    allowed = (torch.rand(7, 5) < 0.5).float()
    allowed[:, 0] = 1
    expected, _ = peer(to, of, of, key_padding_mask=allowed == 0 if masked else None)
    torch.testing.assert_close(ours(to, of, allowed if masked else None), expected, rtol=1e-5, atol=1e-5)


def test_a_layer_is_the_encoder_layer_of_torch():
    torch.manual_seed(0)
    ours = Layer(3, 2, expansion=4)
    peer = nn.TransformerEncoderLayer(6, 2, 24, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
    with torch.no_grad():
        attention = ours.attention
        peer.self_attn.in_proj_weight.copy_(
            torch.cat([attention.query.weight, attention.key.weight, attention.value.weight])
        )
        peer.self_attn.in_proj_bias.zero_()
    peer.self_attn.out_proj.load_state_dict(attention.out.state_dict())
    peer.linear1.load_state_dict(ours.alone[1].state_dict())
    peer.linear2.load_state_dict(ours.alone[3].state_dict())
    tokens = torch.randn(5, 4, 6)
    torch.testing.assert_close(ours(tokens), peer(tokens), rtol=1e-5, atol=1e-5)


def test_relational_attention_against_a_plain_loop():
    torch.manual_seed(0)
    attention = RelationalAttention(2, 3)
    nodes, types, allowed = torch.randn(2, 4, 6), torch.tensor([0, 1, 2, 3]), torch.tensor([[1.0] * 4, [1, 1, 1, 0]])
    query, key, value = (
        part(nodes).unflatten(-1, (3, 2)) for part in (attention.query, attention.key, attention.value)
    )
    expected = torch.zeros(2, 4, 3, 2)
    for n in range(2):
        for h in range(3):
            for q in range(4):
                readable = [k for k in range(4) if allowed[n, k]]
                keys = [key[n, k, h] + attention.relation_key[types[k], types[q], h] for k in readable]
                scores = torch.stack([query[n, q, h] @ k / math.sqrt(2) for k in keys])
                values = [value[n, k, h] + attention.relation_value[types[k], types[q], h] for k in readable]
                expected[n, q, h] = sum(w * v for w, v in zip(scores.softmax(0), values, strict=True))
    for readers in (1, 4):
        given = attention.typed(nodes, types, allowed, readers=readers)
        torch.testing.assert_close(given, attention.out(expected[:, :readers].flatten(-2)), rtol=1e-5, atol=1e-6)


def test_relational_attention_without_relations_is_attention():
    torch.manual_seed(0)
    attention = RelationalAttention(2, 3)
    with torch.no_grad():
        attention.relation_key.zero_()
        attention.relation_value.zero_()
    nodes, allowed = torch.randn(2, 4, 6), torch.ones(2, 4)
    given = attention.typed(nodes, torch.tensor([0, 1, 1, 3]), allowed, readers=4)
    torch.testing.assert_close(given, attention(nodes, nodes, allowed))


def test_tokens_are_linear_maps_of_the_embedding():
    torch.manual_seed(0)
    tokens, x = Tokens(5, 4, 3), torch.randn(2, 5)
    assert tokens(x).shape == (2, 4, 3)
    torch.testing.assert_close(tokens(x) - tokens(torch.zeros(1, 5)), 2 * (tokens(x / 2) - tokens(torch.zeros(1, 5))))


def test_a_modality_of_one_feature_is_enough():
    shape = Shape(d1=1, d2=1, n_outputs=2, kind="classification", dimension=8)
    for name in ("tensor_fusion", "relational", "synergy_max"):
        assert build(name, shape)(random_batch(shape)).shape == (12, 8)
