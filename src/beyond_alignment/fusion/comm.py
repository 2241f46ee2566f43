"""CoMM: contrastive learning of a fused representation from augmented pairs."""

from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

from beyond_alignment.fusion.aligning.objectives import nt_xent
from beyond_alignment.fusion.aligning.towers import training_head
from beyond_alignment.fusion.network import Batch, FusionNetwork, Shape
from beyond_alignment.fusion.record import FusionMethod


class _Block(nn.Module):
    """One transformer layer, normalised before each part, over tokens (spot, token, unit)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        inner = heads * max(width // heads, 1)
        self.before_attention = nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * inner)
        self.attended = nn.Linear(inner, width)
        self.before_units = nn.LayerNorm(width)
        self.units = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the tokens after attention to each other (spot, token, unit)."""
        n, n_tokens, _ = tokens.shape
        read = self.queries_keys_values(self.before_attention(tokens))
        queries, keys, values = read.reshape(n, n_tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        given = functional.softmax(queries @ keys.transpose(-1, -2) / keys.shape[-1] ** 0.5, dim=-1)
        attended = (given @ values).transpose(1, 2).reshape(n, n_tokens, -1)
        tokens = tokens + self.attended(attended)
        return tokens + self.units(self.before_units(tokens))


class Comm(FusionNetwork):
    """Contrastive multimodal learning of one fused representation (:cite:t:`dufumier2025comm`).

    Two augmented views of a spot's pair, each fused by one transformer layer, must be told from those of other spots;
    so must a view of one modality alone, fused by the same layer, and the fused view. The first lets the
    representation hold all that the augmentations preserve, synergy included; the second ties it to each modality.
    Augmentations hide features and add noise: they are what the theory rests on. Differs from the code of
    :cite:t:`richter2026beyond`, where both views are identical, so that agreement of the fused views costs nothing, and
    single modalities bypass the fusion layer.

    Parameters
    ----------
    shape
        Sizes.
    width
        Units of a token and of the projector.
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
        Standard deviation of the noise of each view, where an embedding has mean variance 1: at 1 it drowns what sets
        single spots apart and spares the leading components, by which kinds of spots differ.
    """

    def __init__(
        self,
        shape: Shape,
        *,
        width: int = 32,
        tokens: int = 1,
        heads: int = 4,
        projected: int = 64,
        temperature: float = 0.1,
        hidden: float = 0.1,
        jitter: float = 1.0,
    ) -> None:
        super().__init__(shape)
        self.width, self.tokens, self.temperature = width, tokens, temperature
        self.hidden, self.jitter = hidden, jitter
        self.adapter1 = nn.Linear(shape.d1, tokens * width)
        self.adapter2 = nn.Linear(shape.d2, tokens * width)
        self.block = _Block(width, heads)
        self.norm = nn.LayerNorm(width, bias=False)  # the projector centres: an offset would have no gradient
        self.pooled = nn.Linear(width, shape.dimension, bias=False)
        self.projector = training_head(shape.dimension, projected, width=width)

    def _tokens(self, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
        """Cut both embeddings into tokens (spot, token, unit)."""
        size = (len(x1), self.tokens, self.width)
        return self.adapter1(x1).reshape(size), self.adapter2(x2).reshape(size)

    def _fused(self, tokens: Tensor) -> Tensor:
        """Fuse any tokens into one representation (spot, feature)."""
        return self.pooled(self.norm(self.block(tokens)).mean(dim=1))

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
        published=MappingProxyType({"width": 256, "heads": 8, "projected": 256, "temperature": 0.07}),
    ),
)
