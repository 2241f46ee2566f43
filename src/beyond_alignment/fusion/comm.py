"""CoMM: contrastive learning of a fused representation from augmented pairs."""

from types import MappingProxyType

import torch
from torch import Tensor, nn

from beyond_alignment.fusion.aligning.objectives import nt_xent
from beyond_alignment.fusion.aligning.towers import training_head
from beyond_alignment.fusion.attention import Layer
from beyond_alignment.fusion.network import Batch, FusionNetwork, Shape
from beyond_alignment.fusion.record import FusionMethod


class Comm(FusionNetwork):
    """Contrastive multimodal learning of one fused representation (:cite:t:`dufumier2025comm`).

    Two augmented views of a spot's pair, each fused by one transformer layer, must be told from those of other spots;
    so must a view of one modality alone, fused by the same layer, and the fused view. The first lets the
    representation hold all that the augmentations preserve, synergy included; the second ties it to each modality. As
    in the authors' code a learned token of its own reads the tokens of both modalities, and it is the representation.

    Augmentations hide features and add noise: they are what the theory rests on, and their strength decides what is
    found. What two views share is what the contrast makes room for. Under weak noise that is mostly what sets single
    spots apart, to which sums of both modalities do: the bits of an exclusive-or are then both in the representation,
    where a perceptron finds their product, but a linear probe does not. Only once that is drowned do the kinds of spots
    themselves have to be told apart, and four kinds at even distances are a simplex, in which the product of two bits
    is a direction of its own.

    Differs from the code of :cite:t:`richter2026beyond`, where both views are identical, so that agreement of the fused
    views costs nothing, and single modalities bypass the fusion layer.

    Parameters
    ----------
    shape
        Sizes.
    width
        Units of a head of the attention, and, times the heads, of a token and of the projector.
    tokens
        Tokens that each modality is cut into, linearly.
    heads
        Of the attention.
    projected
        Features that the projector gives, which training alone uses.
    temperature
        Divides the cosines.
    hidden
        Share of the features of each view that are set to 0, their mean.
    jitter
        Standard deviation of the noise of each view, where an embedding has mean variance 1: at 2 it drowns what sets
        single spots apart and spares the leading components, by which kinds of spots differ.
    """

    def __init__(
        self,
        shape: Shape,
        *,
        width: int = 8,
        tokens: int = 1,
        heads: int = 4,
        projected: int = 64,
        temperature: float = 0.1,
        hidden: float = 0.1,
        jitter: float = 2.0,
    ) -> None:
        super().__init__(shape)
        size = width * heads
        self.tokens, self.temperature = tokens, temperature
        self.hidden, self.jitter = hidden, jitter
        self.adapter1 = nn.Linear(shape.d1, tokens * size)
        self.adapter2 = nn.Linear(shape.d2, tokens * size)
        self.reader = nn.Parameter(torch.randn(size) / size**0.5)
        self.layer = Layer(width, heads)
        self.norm = nn.LayerNorm(size, bias=False)  # the projector centres: an offset would have no gradient
        self.pooled = nn.Linear(size, shape.dimension, bias=False)
        self.projector = training_head(shape.dimension, projected, width=size)

    def _tokens(self, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
        """Cut both embeddings into tokens (spot, token, unit)."""
        return self.adapter1(x1).unflatten(-1, (self.tokens, -1)), self.adapter2(x2).unflatten(-1, (self.tokens, -1))

    def _fused(self, tokens: Tensor) -> Tensor:
        """Fuse any tokens into one representation (spot, feature): what the learned token is after it read them."""
        reader = self.reader.expand(len(tokens), 1, -1)
        return self.pooled(self.norm(self.layer(reader, torch.cat([reader, tokens], dim=1)))[:, 0])

    def forward(self, batch: Batch) -> Tensor:
        """Return the fused representation (spot, feature) of the pair as it is."""
        return self._fused(torch.cat(self._tokens(batch.x1, batch.x2), dim=1))

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean of three contrasts with the fused views: of the fused views and of each modality alone."""
        n = len(batch.x1)
        x1, x2 = (  # both views below each other: (view and spot, feature)
            (x[:, None] * batch.noise[f"kept{m}"] + batch.noise[f"jitter{m}"]).transpose(0, 1).flatten(0, 1)
            for m, x in ((1, batch.x1), (2, batch.x2))
        )
        first, second = self._tokens(x1, x2)
        once, again = (self.projector(z) for z in self._fused(torch.cat([first, second], dim=1)).split(n))
        contrasts = [nt_xent(once, again, self.temperature)]
        singles = self._fused(torch.cat([first, second])).split(n)
        for single_once, single_again in (singles[:2], singles[2:]):
            forth = nt_xent(self.projector(single_once), again, self.temperature)
            back = nt_xent(self.projector(single_again), once, self.temperature)
            contrasts.append((forth + back) / 2)
        return torch.stack(contrasts).mean()

    def noise(self, generator: torch.Generator, n: int) -> dict[str, Tensor]:
        """Draw which features two views of each spot keep, and their noise: each (spot, view, feature)."""
        drawn = {}
        for m, d in ((1, self.shape.d1), (2, self.shape.d2)):
            drawn[f"kept{m}"] = (torch.rand(n, 2, d, generator=generator) >= self.hidden).float()
            drawn[f"jitter{m}"] = self.jitter * torch.randn(n, 2, d, generator=generator)
        return drawn


METHODS = (
    FusionMethod(
        "comm",
        "CoMM",
        "interaction",
        "R + U1 + U2 + S",
        network=Comm,
        trained_on="pairs",
        citation=("dufumier2025comm",),
        published=MappingProxyType({"width": 32, "heads": 8, "projected": 256, "temperature": 0.07}),
    ),
)
