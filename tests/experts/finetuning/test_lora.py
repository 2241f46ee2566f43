"""Adapters against the frozen network, against plain weights, and against the closed form of their size."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from beyond_alignment.experts.finetuning import VitStages
from beyond_alignment.experts.finetuning.gene_stages import GeneStages, gene_stages
from beyond_alignment.experts.finetuning.lora import LowRank, add_lora, merge_lora
from tests.experts.finetuning.conftest import DEPTH, DIMENSION


@pytest.fixture(params=["patches", "counts"])
def network(request, vit, genes, counts, patches):
    """Both kinds of network, their raw input, and their dimension and depth."""
    if request.param == "patches":
        return VitStages(copy.deepcopy(vit)), torch.from_numpy(patches[0][:6]), DIMENSION, DEPTH
    stages, bins = gene_stages(genes, counts)
    return copy.deepcopy(stages), torch.from_numpy(bins[:6]), 16, 2


def disturb(adapters):
    for adapter in adapters:
        nn.init.normal_(adapter.up, std=0.3, generator=torch.Generator().manual_seed(1))


def test_an_adapted_network_first_gives_exactly_what_the_frozen_one_gives(network):
    stages, raw, _, _ = network
    before = stages(raw)
    add_lora(stages.blocks, rank=3, alpha=6.0)
    assert torch.equal(stages(raw), before)


def test_merged_adapters_give_the_same_from_plain_weights(network):
    stages, raw, _, _ = network
    frozen = stages(raw)
    names = set(stages.state_dict())
    disturb(add_lora(stages.blocks, rank=3, alpha=6.0))
    adapted = stages(raw)
    assert float((adapted - frozen).detach().abs().max()) > 0.1
    merge_lora(stages)
    torch.testing.assert_close(stages(raw), adapted.detach(), rtol=1e-4, atol=1e-5)
    assert set(stages.state_dict()) == names
    assert not any(isinstance(module, LowRank) for module in stages.modules())


def test_the_number_of_trained_parameters_is_that_of_the_closed_form(network):
    stages, _, d, depth = network
    add_lora(stages.blocks, rank=5, alpha=1.0)
    trained = sum(value.numel() for value in stages.parameters() if value.requires_grad)
    # d + 3d for queries, keys and values, d + d for what leaves attention
    assert trained == depth * 5 * 6 * d


def test_only_adapters_get_a_gradient(network):
    stages, raw, _, _ = network
    stages.requires_grad_(False)
    disturb(add_lora(stages.blocks[-1:], rank=2, alpha=2.0))
    stages(raw).square().sum().backward()
    got = {name for name, value in stages.named_parameters() if value.grad is not None and value.grad.any()}
    assert got == {name for name, _ in stages.named_parameters() if name.endswith((".up", ".down"))}
    assert got


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.floats(0.1, 32), st.booleans(), st.integers(0, 99))
def test_a_layer_is_that_of_the_sum_of_both_weights(n_in, n_out, rank, alpha, bias, seed):
    torch.manual_seed(seed)
    base = nn.Linear(n_in, n_out, bias=bias).double()
    layer = LowRank(base, rank=rank, alpha=alpha, generator=torch.Generator().manual_seed(seed))
    nn.init.normal_(layer.up)
    x = torch.randn(3, 2, n_in, dtype=torch.float64)
    weight = base.weight + alpha / rank * layer.up @ layer.down
    expected = nn.functional.linear(x, weight, base.bias)
    torch.testing.assert_close(layer(x), expected)
    torch.testing.assert_close(layer.merged()(x), expected)


def test_adapters_of_a_seed_are_the_same_again_and_gene_blocks_are_found(genes, counts):
    stages, _ = gene_stages(genes, counts)
    assert isinstance(stages, GeneStages)
    first, again, other = (add_lora(copy.deepcopy(stages).blocks, rank=2, alpha=1.0, seed=s) for s in (4, 4, 5))
    assert torch.equal(first[0].down, again[0].down)
    assert not torch.equal(first[0].down, other[0].down)
    assert not torch.equal(first[0].down, first[2].down)
