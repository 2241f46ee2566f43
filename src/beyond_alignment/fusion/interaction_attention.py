"""Interaction by attention between tokens of the two modalities: across, or through a bottleneck.

Each embedding is one vector, so that its tokens are learned linear maps of it: 4 a modality unless told otherwise. The
first one of each modality is read out, as a class token is, and is the only one that reads in the last layer.
"""

import torch
from torch import Tensor, nn

from beyond_alignment.fusion.attention import Layer, Tokens, read_out
from beyond_alignment.fusion.network import Batch, Shape, SupervisedNetwork
from beyond_alignment.fusion.record import FusionMethod


class CrossAttention(SupervisedNetwork):
    """Cross-attention: the tokens of each modality read those of the other.

    In every layer they read the other modality's tokens as they were at first, as in the paper; its transformers over
    time that follow are left out, since there is no time.

    Parameters
    ----------
    shape
        Sizes.
    width, heads
        As in :class:`~beyond_alignment.fusion.attention.Attention`.
    layers
        Layers in each of the two directions.
    tokens
        Tokens a modality.
    expansion
        Hidden units for each feature of a token.

    References
    ----------
    Tsai, Bai, Liang, Kolter, Morency, Salakhutdinov (2019), Multimodal transformer for unaligned multimodal language
    sequences, ACL.
    """

    def __init__(
        self, shape: Shape, *, width: int = 8, heads: int = 4, layers: int = 1, tokens: int = 4, expansion: int = 2
    ) -> None:
        super().__init__(shape)
        size = width * heads
        self.first = Tokens(shape.d1, tokens, size)
        self.second = Tokens(shape.d2, tokens, size)
        self.to_first = nn.ModuleList(Layer(width, heads, expansion=expansion) for _ in range(layers))
        self.to_second = nn.ModuleList(Layer(width, heads, expansion=expansion) for _ in range(layers))
        self.out = read_out(2 * size, shape.dimension)

    def forward(self, batch: Batch) -> Tensor:
        """Return the representation (spot, feature)."""
        first, second = self.first(batch.x1), self.second(batch.x2)  # (spot, token, size)
        one, two = first, second
        for depth, (to_first, to_second) in enumerate(zip(self.to_first, self.to_second, strict=True), start=1):
            if depth == len(self.to_first):
                one, two = one[:, :1], two[:, :1]
            one, two = to_first(one, second), to_second(two, first)
        return self.out(torch.cat([one, two], dim=-1).squeeze(-2))


class Bottleneck(SupervisedNetwork):
    """Attention bottleneck: the modalities meet in a few tokens alone.

    In every layer the tokens of a modality and the bottleneck's read each other; the bottleneck's next state is the
    mean of what it became beside each modality. A modality learns of the other in the second layer at the earliest.

    Parameters
    ----------
    shape
        Sizes.
    width, heads
        As in :class:`~beyond_alignment.fusion.attention.Attention`.
    layers
        Layers, each with weights of its own for each modality.
    tokens
        Tokens a modality.
    bottlenecks
        Tokens of the bottleneck.
    expansion
        Hidden units for each feature of a token.

    References
    ----------
    Nagrani, Yang, Arnab, Jansen, Schmid, Sun (2021), Attention bottlenecks for multimodal fusion, NeurIPS.
    """

    def __init__(
        self,
        shape: Shape,
        *,
        width: int = 6,
        heads: int = 4,
        layers: int = 2,
        tokens: int = 4,
        bottlenecks: int = 2,
        expansion: int = 2,
    ) -> None:
        super().__init__(shape)
        size = width * heads
        self.tokens = tokens
        self.first = Tokens(shape.d1, tokens, size)
        self.second = Tokens(shape.d2, tokens, size)
        self.bottleneck = nn.Parameter(torch.randn(bottlenecks, size))
        self.in_first = nn.ModuleList(Layer(width, heads, expansion=expansion) for _ in range(layers))
        self.in_second = nn.ModuleList(Layer(width, heads, expansion=expansion) for _ in range(layers))
        self.out = read_out(2 * size, shape.dimension)

    def forward(self, batch: Batch) -> Tensor:
        """Return the representation (spot, feature)."""
        one, two = self.first(batch.x1), self.second(batch.x2)  # (spot, token, size)
        shared = self.bottleneck.expand(len(batch.x1), -1, -1)
        for depth, (in_first, in_second) in enumerate(zip(self.in_first, self.in_second, strict=True), start=1):
            one, two = torch.cat([one, shared], dim=-2), torch.cat([two, shared], dim=-2)
            if depth == len(self.in_first):
                one, two = in_first(one[:, :1], one), in_second(two[:, :1], two)
                break
            one, two = in_first(one), in_second(two)
            shared = (one[:, self.tokens :] + two[:, self.tokens :]) / 2
            one, two = one[:, : self.tokens], two[:, : self.tokens]
        return self.out(torch.cat([one, two], dim=-1).squeeze(-2))


METHODS = (
    FusionMethod(
        "cross_attention",
        "cross-attention",
        "interaction",
        "R + U1 + U2 + S",
        network=CrossAttention,
        trained_on="labels",
        citation=("tsai2019mult",),
        published={"width": 5, "heads": 8, "layers": 4, "expansion": 4},
    ),
    FusionMethod(
        "bottleneck",
        "attention bottleneck",
        "interaction",
        "R + U1 + U2 + S",
        network=Bottleneck,
        trained_on="labels",
        citation=("nagrani2021mbt",),
        published={"width": 64, "heads": 12, "layers": 4, "bottlenecks": 4, "expansion": 4},
    ),
)
