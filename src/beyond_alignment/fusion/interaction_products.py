"""Interaction by products of the two modalities: tensor fusion, its low-rank form, bilinear pooling and gates."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from beyond_alignment.fusion.network import Batch, Shape, SupervisedNetwork
from beyond_alignment.fusion.record import FusionMethod

EVERY_TERM = "R + U1 + U2 + S"


def subnetwork(d: int, width: int, layers: int) -> nn.Sequential:
    """Return an unfitted network of one modality: ``layers`` times a linear map and a rectifier, of ``width`` units."""
    sizes = [d] + [width] * layers
    steps = [(nn.Linear(a, b), nn.ReLU()) for a, b in pairwise(sizes)]
    return nn.Sequential(*[part for step in steps for part in step])


def with_one(z: Tensor) -> Tensor:
    """Return ``z`` (spot, feature) with a constant 1 behind it, through which a product keeps each modality alone."""
    return torch.cat([z, torch.ones_like(z[..., :1])], dim=-1)


class TensorFusion(SupervisedNetwork):
    """Tensor fusion: every product of a unit of one modality, or 1, with a unit of the other, or 1.

    z = W (h1, 1) (h2, 1)^T + b, of which h1 and h2 are sub-networks of each modality. The inference network that
    follows the tensor in the paper is one linear map here, as in the form that Liu et al. (2018) factorise, before the
    probe that is common to all methods.

    Parameters
    ----------
    shape
        Sizes.
    width
        Units of h1 and of h2.
    layers
        Layers of h1 and of h2.

    References
    ----------
    Zadeh, Chen, Poria, Cambria, Morency (2017), Tensor fusion network for multimodal sentiment analysis, EMNLP.
    """

    def __init__(self, shape: Shape, *, width: int = 16, layers: int = 1) -> None:
        super().__init__(shape)
        self.first = subnetwork(shape.d1, width, layers)
        self.second = subnetwork(shape.d2, width, layers)
        self.fuse = nn.Linear((width + 1) ** 2, shape.dimension)

    def forward(self, batch: Batch) -> Tensor:
        """Return the representation (spot, feature)."""
        one, two = with_one(self.first(batch.x1)), with_one(self.second(batch.x2))
        return self.fuse((one.unsqueeze(-1) * two.unsqueeze(-2)).flatten(-2))


class LowRank(SupervisedNetwork):
    """Low-rank fusion: tensor fusion whose weight W is a sum of ``rank`` products of one factor a modality.

    z = sum_r (h1, 1) A_r * (h2, 1) B_r + b: the tensor itself is never built. Of rank ``width`` + 1 it can be any
    tensor fusion of the same sub-networks.

    Parameters
    ----------
    shape
        Sizes.
    width
        Units of h1 and of h2.
    rank
        Factors a modality.
    layers
        Layers of h1 and of h2.

    References
    ----------
    Liu, Shen, Lakshminarasimhan, Liang, Zadeh, Morency (2018), Efficient low-rank multimodal fusion with
    modality-specific factors, ACL.
    """

    def __init__(self, shape: Shape, *, width: int = 32, rank: int = 4, layers: int = 1) -> None:
        super().__init__(shape)
        self.rank = rank
        self.first = subnetwork(shape.d1, width, layers)
        self.second = subnetwork(shape.d2, width, layers)
        self.factor1 = nn.Linear(width + 1, rank * shape.dimension, bias=False)
        self.factor2 = nn.Linear(width + 1, rank * shape.dimension, bias=False)
        self.bias = nn.Parameter(torch.zeros(shape.dimension))

    def forward(self, batch: Batch) -> Tensor:
        """Return the representation (spot, feature)."""
        one = self.factor1(with_one(self.first(batch.x1))).unflatten(-1, (self.rank, -1))
        two = self.factor2(with_one(self.second(batch.x2))).unflatten(-1, (self.rank, -1))
        return (one * two).sum(dim=-2) + self.bias


class Bilinear(SupervisedNetwork):
    """Low-rank bilinear pooling: z = P (tanh(U x1 + u) * tanh(V x2 + v)) + b.

    Parameters
    ----------
    shape
        Sizes.
    width
        Products, the rank of each bilinear form.

    References
    ----------
    Kim, On, Lim, Kim, Ha, Zhang (2017), Hadamard product for low-rank bilinear pooling, ICLR.
    """

    def __init__(self, shape: Shape, *, width: int = 64) -> None:
        super().__init__(shape)
        self.first = nn.Linear(shape.d1, width)
        self.second = nn.Linear(shape.d2, width)
        self.pool = nn.Linear(width, shape.dimension)

    def forward(self, batch: Batch) -> Tensor:
        """Return the representation (spot, feature)."""
        return self.pool(torch.tanh(self.first(batch.x1)) * torch.tanh(self.second(batch.x2)))


class Gated(SupervisedNetwork):
    """Gated multimodal unit: a gate that sees both modalities weighs a unit of one against that of the other.

    h = s * tanh(W1 x1) + (1 - s) * tanh(W2 x2) with s = sigmoid(V (x1, x2)); a linear map brings h to the size of all
    representations.

    Parameters
    ----------
    shape
        Sizes.
    width
        Units.

    References
    ----------
    Arevalo, Solorio, Montes-y-Gómez, González (2017), Gated multimodal units for information fusion, ICLR workshop.
    """

    def __init__(self, shape: Shape, *, width: int = 64) -> None:
        super().__init__(shape)
        self.first = nn.Linear(shape.d1, width)
        self.second = nn.Linear(shape.d2, width)
        self.gate = nn.Linear(shape.d1 + shape.d2, width)
        self.out = nn.Linear(width, shape.dimension)

    def forward(self, batch: Batch) -> Tensor:
        """Return the representation (spot, feature)."""
        gate = torch.sigmoid(self.gate(torch.cat([batch.x1, batch.x2], dim=-1)))
        return self.out(gate * torch.tanh(self.first(batch.x1)) + (1 - gate) * torch.tanh(self.second(batch.x2)))


METHODS = (
    FusionMethod(
        "tensor_fusion",
        "tensor fusion",
        "interaction",
        EVERY_TERM,
        network=TensorFusion,
        trained_on="labels",
        citation=("zadeh2017tensor",),
        published={"width": 32, "layers": 3},
    ),
    FusionMethod(
        "low_rank",
        "low-rank fusion",
        "interaction",
        EVERY_TERM,
        network=LowRank,
        trained_on="labels",
        citation=("liu2018lmf",),
        published={"width": 32, "rank": 4, "layers": 3},
    ),
    FusionMethod(
        "bilinear",
        "bilinear",
        "interaction",
        EVERY_TERM,
        network=Bilinear,
        trained_on="labels",
        citation=("kim2017hadamard",),
        published={"width": 1200},
    ),
    FusionMethod(
        "gated",
        "gated unit",
        "interaction",
        EVERY_TERM,
        network=Gated,
        trained_on="labels",
        citation=("arevalo2017gmu",),
        published={"width": 512},
    ),
)
