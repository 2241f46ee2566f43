"""Floating-point operations against their closed form."""

import copy

import pytest
import torch

from beyond_alignment.experts.finetuning import FinetuneSettings
from beyond_alignment.experts.finetuning.cost import Cost, spot_cost
from beyond_alignment.experts.finetuning.gene_stages import gene_stages
from beyond_alignment.experts.finetuning.head import Head
from beyond_alignment.experts.finetuning.trained_part import open_part


def head(d, outputs):
    return Head(torch.zeros(d), torch.ones(d), torch.zeros(outputs, d), torch.zeros(outputs))


def test_a_vision_transformer_costs_what_its_matrices_cost(stages, patches):
    own, d, t, px = copy.deepcopy(stages), 24, 5, 8
    open_part(own, FinetuneSettings(n_blocks=1))
    raw, y = torch.from_numpy(patches[0][:1]), torch.tensor([0])
    cost = spot_cost(own, head(d, 2), raw, y, kind="classification", n_blocks=1)
    block = 2 * t * 12 * d * d + 2 * 2 * t * t * d  # matrices; scores and mixing
    patch = 2 * 4 * 3 * px * px * d
    assert cost.frozen == patch + 2 * block
    assert cost.forward == block + 2 * d * 2
    assert 2.8 * cost.forward < cost.update <= 3 * cost.forward + 1


def test_adapters_spare_the_gradients_of_frozen_weights(stages, patches):
    raw, y = torch.from_numpy(patches[0][:1]), torch.tensor([0])
    costs = []
    for way in ("last_blocks", "lora"):
        own = copy.deepcopy(stages)
        open_part(own, FinetuneSettings(way=way, n_blocks=2, rank=1))
        costs.append(spot_cost(own, head(24, 2), raw, y, kind="classification", n_blocks=2).update)
    assert costs[1] < 0.85 * costs[0]


def test_one_row_of_the_last_block_costs_a_tenth_of_it_or_less(genes, counts):
    stages, bins = gene_stages(genes, counts)
    own = copy.deepcopy(stages)
    open_part(own, FinetuneSettings(n_blocks=1))
    raw, y = torch.from_numpy(bins[:1]), torch.tensor([0])
    cost = spot_cost(own, head(16, 2), raw, y, kind="classification", n_blocks=1)
    d, t, heads = 16, counts.n_vars + 1, 2
    assert cost.forward == 2 * 12 * d * d + 2 * 2 * t * heads * d + 2 * d * 2
    assert cost.forward < 0.1 * (2 * t * 12 * d * d + 4 * t * t * d)


def test_phases_add_up():
    cost = Cost(1.0, 2.0, 4.0, 10.0, 20.0, 40.0)
    assert (cost.seconds, cost.flops) == (pytest.approx(7.0), pytest.approx(70.0))
