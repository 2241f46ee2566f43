"""Batches with a known rule, a plain training loop and the networks that the tests of mixing methods run over."""

import torch

from beyond_alignment.fusion import (
    interaction_attention,
    interaction_products,
    patterns_neighbourhood,
    patterns_spot,
    synergy_max,
)
from beyond_alignment.fusion.network import Batch, Shape

FAMILIES = (interaction_products, interaction_attention, patterns_spot, patterns_neighbourhood, synergy_max)
METHODS = {method.name: method for family in FAMILIES for method in family.METHODS}
ADDITIVE = {"sum", "global_pooling"}
CLASSES = Shape(d1=5, d2=4, n_outputs=3, kind="classification", dimension=16)
TARGETS = Shape(d1=5, d2=4, n_outputs=2, kind="regression", dimension=16)


def build(name, shape=CLASSES, *, seed=0, width=3, **options):
    """A network of a seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return METHODS[name].network(shape, width=width, **options)


def random_batch(shape=CLASSES, *, n=12, neighbours=3, seed=0):
    """Spots without a rule, two in three of whose neighbours are there."""
    g = torch.Generator().manual_seed(seed)

    def draw(*size):
        return torch.randn(*size, generator=g)

    y = torch.arange(n) % shape.n_outputs if shape.kind == "classification" else draw(n, shape.n_outputs)
    near = (torch.rand(n, neighbours, generator=g) < 2 / 3).float()
    near1, near2 = draw(n, neighbours, shape.d1), draw(n, neighbours, shape.d2)
    return Batch(draw(n, shape.d1), draw(n, shape.d2), y, near1, near2, near, {})


def rows(batch, index):
    """Some spots of a batch."""
    return Batch(*(part[index] for part in batch[:-1]), batch.noise)


def gate_batch(rule, *, n=200, d=4, noise=0.1, seed=0):
    """All four pairs of two bits equally often, a bit along a direction of each modality, and a function of both."""
    g = torch.Generator().manual_seed(seed)
    bits = torch.stack([torch.arange(n) % 2, torch.arange(n) // 2 % 2])
    pair = [(2.0 * bit - 1).unsqueeze(-1) + noise * torch.randn(n, d, generator=g) for bit in bits]
    return Batch(*pair, rule(*bits), torch.zeros(n, 0, d), torch.zeros(n, 0, d), torch.zeros(n, 0), {})


def trained(network, batch, *, steps, learning_rate):
    """The network after some steps of Adam on all spots, at a learning rate that falls to 0."""
    optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        optimiser.zero_grad()
        network.loss(batch).backward()
        optimiser.step()
        falling.step()
    return network
