"""Integration patterns that see one spot: sum, learned global pooling, attention pooling and one token stream.

The first three share their encoders but for how they are pooled, and differ in whether the weight of a modality may
depend on the spot. The tokens of a modality are learned maps of its embedding: 4 unless told otherwise.
"""

import torch
from torch import Tensor, nn

from beyond_alignment.fusion.attention import Attention, Layer, Tokens, read_out
from beyond_alignment.fusion.network import Batch, Shape, SupervisedNetwork
from beyond_alignment.fusion.record import FusionMethod

ADDITIVE = "R + U1 + U2 + additive S"


class Sum(SupervisedNetwork):
    """Parallel: the sum of an embedding of each modality, as if both lay in one metric space.

    z = P1 g(W1 x1) + P2 g(W2 x2), g the Gaussian error linear unit: an additive model whatever it learns.

    Parameters
    ----------
    shape
        Sizes.
    width
        Hidden units a modality.
    """

    def __init__(self, shape: Shape, *, width: int = 64) -> None:
        super().__init__(shape)
        self.first, self.second = (
            nn.Sequential(nn.Linear(d, width), nn.GELU(), nn.Linear(width, shape.dimension))
            for d in (shape.d1, shape.d2)
        )

    def forward(self, batch: Batch) -> Tensor:
        """Return the representation (spot, feature)."""
        return self.first(batch.x1) + self.second(batch.x2)


class _Pooling(SupervisedNetwork):
    """Tokens of both modalities, each changed alone."""

    def __init__(self, shape: Shape, size: int, tokens: int) -> None:
        super().__init__(shape)
        self.first = nn.Sequential(Tokens(shape.d1, tokens, size), nn.GELU())
        self.second = nn.Sequential(Tokens(shape.d2, tokens, size), nn.GELU())
        self.out = nn.Linear(size, shape.dimension)

    def _tokens(self, batch: Batch) -> Tensor:
        """Return the tokens of both modalities (spot, token, size)."""
        return torch.cat([self.first(batch.x1), self.second(batch.x2)], dim=-2)


class GlobalPooling(_Pooling):
    """Learned global pooling: a weighted mean of all tokens, whose weights are learned and the same for every spot.

    An additive model, since no weight depends on the other modality.

    Parameters
    ----------
    shape
        Sizes.
    width
        Features of a token.
    tokens
        Tokens a modality.
    """

    def __init__(self, shape: Shape, *, width: int = 48, tokens: int = 4) -> None:
        super().__init__(shape, width, tokens)
        self.weights = nn.Parameter(torch.zeros(2 * tokens, width))

    def forward(self, batch: Batch) -> Tensor:
        """Return the representation (spot, feature)."""
        return self.out((self.weights.softmax(dim=0) * self._tokens(batch)).sum(dim=-2))


class AttentionPooling(_Pooling):
    """Attention pooling: a query made from the spot decides how much of each token is read.

    The query is a learned map of the mean token of both modalities, so that the weight of one modality depends on what
    the other one shows.

    Parameters
    ----------
    shape
        Sizes.
    width, heads
        As in :class:`~beyond_alignment.fusion.attention.Attention`.
    tokens
        Tokens a modality.

    References
    ----------
    Ilse, Tomczak, Welling (2018), Attention-based deep multiple instance learning, ICML: weights from the tokens
    alone; a query of the spot is what makes it a pattern of its own.
    """

    def __init__(self, shape: Shape, *, width: int = 10, heads: int = 4, tokens: int = 4) -> None:
        super().__init__(shape, width * heads, tokens)
        self.attention = Attention(width, heads)

    def forward(self, batch: Batch) -> Tensor:
        """Return the representation (spot, feature)."""
        tokens = self._tokens(batch)
        return self.out(self.attention(tokens.mean(dim=-2, keepdim=True), tokens).squeeze(-2))


class Uniform(SupervisedNetwork):
    """Uniform: the tokens of both modalities as one stream through one transformer, all weights shared.

    The first token of the stream is read out, as a class token is, and is the only one that reads in the last layer.

    Parameters
    ----------
    shape
        Sizes.
    width, heads
        As in :class:`~beyond_alignment.fusion.attention.Attention`.
    layers
        Layers.
    tokens
        Tokens a modality.
    expansion
        Hidden units for each feature of a token.

    References
    ----------
    Kim, Son, Kim (2021), ViLT: Vision-and-language transformer without convolution or region supervision, ICML.
    """

    def __init__(
        self, shape: Shape, *, width: int = 7, heads: int = 4, layers: int = 2, tokens: int = 4, expansion: int = 2
    ) -> None:
        super().__init__(shape)
        size = width * heads
        self.first = Tokens(shape.d1, tokens, size)
        self.second = Tokens(shape.d2, tokens, size)
        self.layers = nn.ModuleList(Layer(width, heads, expansion=expansion) for _ in range(layers))
        self.out = read_out(size, shape.dimension)

    def forward(self, batch: Batch) -> Tensor:
        """Return the representation (spot, feature)."""
        stream = torch.cat([self.first(batch.x1), self.second(batch.x2)], dim=-2)
        for layer in self.layers[:-1]:
            stream = layer(stream)
        return self.out(self.layers[-1](stream[:, :1], stream).squeeze(-2))


METHODS = (
    FusionMethod("sum", "sum", "pattern", ADDITIVE, network=Sum, trained_on="labels"),
    FusionMethod("global_pooling", "global pooling", "pattern", ADDITIVE, network=GlobalPooling, trained_on="labels"),
    FusionMethod(
        "attention_pooling",
        "attention pooling",
        "pattern",
        "R + U1 + U2 + S",
        network=AttentionPooling,
        trained_on="labels",
        citation=("ilse2018attention",),
    ),
    FusionMethod(
        "uniform",
        "one token stream",
        "pattern",
        "R + U1 + U2 + S",
        network=Uniform,
        trained_on="labels",
        citation=("kim2021vilt",),
        published={"width": 64, "heads": 12, "layers": 12, "expansion": 4},
    ),
)
