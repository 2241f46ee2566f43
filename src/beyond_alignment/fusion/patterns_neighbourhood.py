"""Integration patterns that see a spot and its neighbours: relational, hierarchical and bottom-up.

The embeddings are of whole spots, not of genes: a gene programme is a learned token of the expression embedding. A
neighbour that is masked has no influence, and a spot may have none.
"""

import math

import torch
from torch import Tensor, nn

from beyond_alignment.fusion.attention import Attention, Layer, Tokens, feedforward, read_out
from beyond_alignment.fusion.network import Batch, Shape, SupervisedNetwork
from beyond_alignment.fusion.record import FusionMethod

TYPES = ("spot", "programme", "morphology", "neighbour")
"""Types of node, in the order in which a network holds them."""


def with_neighbours(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Return both embeddings of a spot and then its neighbours (spot, 1 + neighbour, feature), and which are there."""
    here = torch.ones_like(batch.x1[:, :1])
    return (
        torch.cat([batch.x1.unsqueeze(-2), batch.near1], dim=-2),
        torch.cat([batch.x2.unsqueeze(-2), batch.near2], dim=-2),
        torch.cat([here, batch.near.to(here.dtype)], dim=-1),
    )


class RelationalAttention(Attention):
    """Attention in which a key and a value also depend on the types of the node that is read and of the one that reads.

    Parameters
    ----------
    width
        Features of a head.
    heads
        Heads; a node has ``heads * width`` features.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads)
        self.relation_key = nn.Parameter(0.1 * torch.randn(len(TYPES), len(TYPES), heads, width))
        self.relation_value = nn.Parameter(0.1 * torch.randn(len(TYPES), len(TYPES), heads, width))

    def typed(self, nodes: Tensor, types: Tensor, allowed: Tensor, *, readers: int) -> Tensor:
        """Return what the first nodes read of all.

        Parameters
        ----------
        nodes
            Nodes (spot, node, size).
        types
            Type of each node (node,).
        allowed
            1 where a node may be read (spot, node).
        readers
            How many of the nodes read.
        """
        query = self._split(self.query(nodes[:, :readers]) / math.sqrt(self.width))
        key, value = self._split(self.key(nodes)), self._split(self.value(nodes))
        of_key, of_value = (r[types][:, types[:readers]] for r in (self.relation_key, self.relation_value))
        scores = key @ query.transpose(-1, -2) + torch.einsum("nhqw,kqhw->nhkq", query, of_key)
        weights = self._weights(scores, allowed[:, None, :, None])
        read = weights.transpose(-1, -2) @ value + torch.einsum("nhkq,kqhw->nhqw", weights, of_value)
        return self.out(self._join(read))


class RelationalLayer(nn.Module):
    """A transformer layer over typed nodes.

    Parameters
    ----------
    width
        Features of a head.
    heads
        Heads.
    expansion
        Hidden units for each feature of a node.
    """

    def __init__(self, width: int, heads: int, *, expansion: int = 2) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width * heads)
        self.attention = RelationalAttention(width, heads)
        self.alone = feedforward(width * heads, expansion)

    def forward(self, nodes: Tensor, types: Tensor, allowed: Tensor, readers: int) -> Tensor:
        """Return the first ``readers`` nodes (spot, node, size) after they read all."""
        read = nodes[:, :readers] + self.attention.typed(self.norm(nodes), types, allowed, readers=readers)
        return read + self.alone(read)


class Relational(SupervisedNetwork):
    """Relational attention over typed nodes: the spot, its gene programmes, its morphology tokens, its neighbours.

    Each type has its own map of the embeddings, and each pair of types its own part of keys and values. The spot's
    node is read out, so that it alone reads in the last layer.

    Parameters
    ----------
    shape
        Sizes.
    width, heads
        As in :class:`~beyond_alignment.fusion.attention.Attention`, of which a node is a token.
    layers
        Layers.
    tokens
        Gene programmes, and as many morphology tokens.
    expansion
        Hidden units for each feature of a node.

    References
    ----------
    Shaw, Uszkoreit, Vaswani (2018), Self-attention with relative position representations, NAACL, for keys and values
    of a relation; Hu, Dong, Wang, Sun (2020), Heterogeneous graph transformer, WWW, for relations between types.
    """

    def __init__(
        self, shape: Shape, *, width: int = 6, heads: int = 4, layers: int = 2, tokens: int = 4, expansion: int = 2
    ) -> None:
        super().__init__(shape)
        size = width * heads
        self.tokens = tokens
        self.spot = nn.Linear(shape.d1 + shape.d2, size)
        self.programmes = Tokens(shape.d1, tokens, size)
        self.morphology = Tokens(shape.d2, tokens, size)
        self.neighbour = nn.Linear(shape.d1 + shape.d2, size)
        self.layers = nn.ModuleList(RelationalLayer(width, heads, expansion=expansion) for _ in range(layers))
        self.out = read_out(size, shape.dimension)

    def forward(self, batch: Batch) -> Tensor:
        """Return the representation (spot, feature)."""
        nodes = torch.cat(
            [
                self.spot(torch.cat([batch.x1, batch.x2], dim=-1)).unsqueeze(-2),
                self.programmes(batch.x1),
                self.morphology(batch.x2),
                self.neighbour(torch.cat([batch.near1, batch.near2], dim=-1)),
            ],
            dim=-2,
        )
        place = torch.arange(nodes.shape[-2], device=nodes.device)
        types = sum((place >= first).long() for first in (1, 1 + self.tokens, 1 + 2 * self.tokens))
        own = torch.ones_like(nodes[:, : 1 + 2 * self.tokens, 0])
        allowed = torch.cat([own, batch.near.to(own.dtype)], dim=-1)
        for depth, layer in enumerate(self.layers, start=1):
            nodes = layer(nodes, types, allowed, nodes.shape[-2] if depth < len(self.layers) else 1)
        return self.out(nodes[:, 0])


class Hierarchical(SupervisedNetwork):
    """Hierarchical attention: a spot reads its gene programmes and morphology tokens, then its neighbourhood's spots.

    The first level is the same network for a spot and for its neighbours. Both levels are kept in the representation.

    Parameters
    ----------
    shape
        Sizes.
    width, heads
        As in :class:`~beyond_alignment.fusion.attention.Attention`.
    tokens
        Gene programmes, and as many morphology tokens.
    expansion
        Hidden units for each feature of a token.

    References
    ----------
    Yang, Yang, Dyer, He, Smola, Hovy (2016), Hierarchical attention networks for document classification, NAACL.
    """

    def __init__(self, shape: Shape, *, width: int = 8, heads: int = 4, tokens: int = 4, expansion: int = 2) -> None:
        super().__init__(shape)
        size = width * heads
        self.programmes = Tokens(shape.d1, tokens, size)
        self.morphology = Tokens(shape.d2, tokens, size)
        self.spot = nn.Parameter(torch.randn(1, size))
        self.to_spot = Layer(width, heads, expansion=expansion)
        self.to_neighbourhood = Layer(width, heads, expansion=expansion)
        self.out = read_out(2 * size, shape.dimension)

    def forward(self, batch: Batch) -> Tensor:
        """Return the representation (spot, feature)."""
        x1, x2, there = with_neighbours(batch)
        tokens = torch.cat([self.programmes(x1), self.morphology(x2)], dim=-2)  # (spot, 1 + neighbour, token, size)
        spots = self.to_spot(self.spot.expand(*tokens.shape[:-2], 1, -1), tokens).squeeze(-2)
        own = spots[:, :1]
        around = self.to_neighbourhood(own, spots, there)
        return self.out(torch.cat([own, around], dim=-1).squeeze(-2))


class BottomUp(SupervisedNetwork):
    """Bottom-up: spot tokens are pooled to neighbourhood tokens, from which alone the representation is made.

    A neighbourhood token is, feature by feature, a learned weighted mean of the spot's token and the mean of its
    neighbours' (of the spot's own where it has none). Nothing goes back down, so that what a level loses stays lost.

    Parameters
    ----------
    shape
        Sizes.
    width
        Features of a token.
    tokens
        Neighbourhood tokens.

    References
    ----------
    Zaheer et al. (2017), Deep sets, NeurIPS, for a pooling that does not depend on the order of the neighbours.
    """

    def __init__(self, shape: Shape, *, width: int = 48, tokens: int = 4) -> None:
        super().__init__(shape)
        self.spot = nn.Sequential(nn.Linear(shape.d1 + shape.d2, width), nn.GELU(), nn.Linear(width, width), nn.GELU())
        self.share = nn.Parameter(torch.linspace(-2, 2, tokens).unsqueeze(-1).repeat(1, width))
        self.out = nn.Sequential(nn.Linear(tokens * width, width), nn.GELU(), nn.Linear(width, shape.dimension))

    def forward(self, batch: Batch) -> Tensor:
        """Return the representation (spot, feature)."""
        x1, x2, _ = with_neighbours(batch)
        spots = self.spot(torch.cat([x1, x2], dim=-1))  # (spot, 1 + neighbour, width)
        own, near = spots[:, 0], batch.near.to(spots.dtype).unsqueeze(-1)
        count = near.sum(dim=-2)
        around = torch.where(count > 0, (near * spots[:, 1:]).sum(dim=-2) / count.clamp(min=1), own)
        share = self.share.sigmoid()
        tokens = share * own.unsqueeze(-2) + (1 - share) * around.unsqueeze(-2)  # (spot, token, width)
        return self.out(tokens.flatten(-2))


METHODS = tuple(
    FusionMethod(
        name,
        label,
        "pattern",
        "R + U1 + U2 + S, of the neighbours too",
        network=network,
        trained_on="labels",
        citation=citation,
        reads_neighbours=True,
    )
    for name, label, network, citation in (
        ("relational", "relational attention", Relational, ("shaw2018relative", "hu2020hgt")),
        ("hierarchical", "hierarchical attention", Hierarchical, ("yang2016hierarchical",)),
        ("bottom_up", "bottom-up", BottomUp, ("zaheer2017deepsets",)),
    )
)
