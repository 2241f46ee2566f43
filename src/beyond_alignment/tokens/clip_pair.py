"""Two encoders that are trained to find each other: images and transcripts of the same tiles."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from beyond_alignment.fusion.aligning.objectives import info_nce, unit
from beyond_alignment.tokens.expression_encoders import ExpressionEncoder, pool_tokens
from beyond_alignment.tokens.network import TileBatch
from beyond_alignment.tokens.vision import PatchVit

DIMENSION = 128
FIRST_SCALE, LARGEST_SCALE = 1 / 0.07, 100.0


class ClipPair(nn.Module):
    """Two encoders with a projection each, into one space (:cite:t:`radford2021clip`).

    Parameters
    ----------
    vit
        Reads images; trained.
    n_genes
        Core genes.
    dimension
        Features of the common space.
    """

    def __init__(self, vit: PatchVit, n_genes: int, *, dimension: int = DIMENSION) -> None:
        super().__init__()
        self.vit, self.expression = vit, ExpressionEncoder(n_genes, width=vit.width)
        self.project_image = nn.Linear(vit.width, dimension, bias=False)
        self.project_transcripts = nn.Linear(vit.width, dimension, bias=False)
        self.log_scale = nn.Parameter(torch.tensor(math.log(FIRST_SCALE)))

    def forward(self, batch: TileBatch) -> tuple[Tensor, Tensor]:
        """Embed images and transcripts of tiles in the common space, each (tile, feature) of length 1."""
        image = self.project_image(self.vit(batch.images).pooled)
        transcripts = self.project_transcripts(pool_tokens(self.expression(batch.expression)))
        return unit(image.float()), unit(transcripts.float())

    def loss(self, batch: TileBatch) -> Tensor:
        """Return the symmetric InfoNCE over the batch, in nats."""
        image, transcripts = self(batch)
        return info_nce(image, transcripts, self.log_scale.exp().clamp(max=LARGEST_SCALE))

    def parameter_groups(self, *, head_rate: float, backbone_rate: float) -> list[dict[str, Any]]:
        """Return all parameters: the vision transformer at one rate, the rest at another, the scale without decay."""
        backbone = list(self.vit.parameters())
        inside = {id(value) for value in (*backbone, self.log_scale)}
        return [
            {"params": [p for p in self.parameters() if id(p) not in inside], "peak": head_rate},
            {"params": [self.log_scale], "peak": head_rate, "weight_decay": 0.0},
            {"params": backbone, "peak": backbone_rate},
        ]
