"""The network of an arm: encoders, fusion and a linear head over the add-on genes."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.arms import Arm
from beyond_alignment.tokens.expression_encoders import WIDTH, ExpressionEncoder, pool_tokens
from beyond_alignment.tokens.fusion_layers import EarlyFusion, LateFusion
from beyond_alignment.tokens.vision import PatchVit


@dataclass(frozen=True)
class TileBatch:
    """What a network reads of a few tiles; None where its arm does not read it.

    Attributes
    ----------
    images
        uint8 RGB (tile, height, width, channel).
    image_embedding
        Of a frozen vision network (tile, feature).
    expression
        log1p counts of the core genes, (tile, gene) or (tile, patch, gene).
    """

    images: Tensor | None = None
    image_embedding: Tensor | None = None
    expression: Tensor | None = None


@dataclass(frozen=True)
class Sizes:
    """Sizes of what an arm reads and predicts.

    Attributes
    ----------
    targets
        Add-on genes.
    expression
        Core genes.
    image
        Features of a frozen vision network's embedding; 0 where the network holds its vision transformer itself.
    """

    targets: int
    expression: int = 0
    image: int = 0


class TokenNetwork(nn.Module):
    """Predicts add-on genes from H&E, transcripts or both.

    Parameters
    ----------
    arm
        What it reads and how it fuses.
    sizes
        Of input and output.
    vit
        The vision transformer, where images pass through it; frozen here unless the arm trains it.
    match_norm
        As in :class:`EarlyFusion`.

    Raises
    ------
    InputError
        If the arm needs a vision transformer or the width of an embedding and has neither.
    """

    def __init__(self, arm: Arm, sizes: Sizes, *, vit: PatchVit | None = None, match_norm: bool = True) -> None:
        super().__init__()
        self.arm, self.vit = arm, vit
        if vit is not None and not arm.trained:
            vit.eval().requires_grad_(False)
        image_width = vit.width if vit is not None else sizes.image
        if arm.vision is not None and not image_width:
            raise InputError(f"The arm {arm.name} reads images: give its vision transformer, or their embeddings.")
        self.expression: nn.Module | None = None
        if arm.granularity is not None:
            self.expression = ExpressionEncoder(sizes.expression, width=image_width or WIDTH)
        self.early = self.late = None
        if arm.stage == "early":
            self.early = EarlyFusion(arm.how, width=image_width, match_norm=match_norm)  # type: ignore[arg-type]
        elif arm.stage == "late":
            self.late = LateFusion(arm.how, width=image_width)  # type: ignore[arg-type]
        self.head = nn.Linear(self.late.width if self.late is not None else image_width or WIDTH, sizes.targets)

    def train(self, mode: bool = True) -> "TokenNetwork":
        """Set to training; a frozen vision transformer stays in evaluation mode."""
        super().train(mode)
        if self.vit is not None and not self.arm.trained:
            self.vit.eval()
        return self

    def embed(self, batch: TileBatch) -> Tensor:
        """Represent tiles (tile, feature)."""
        transcripts = None if self.expression is None else self.expression(batch.expression)
        if self.early is not None:
            return self.early(self.vit, batch.images, transcripts).pooled
        if self.arm.vision is None:
            return pool_tokens(transcripts)  # type: ignore[arg-type]
        image = batch.image_embedding if self.vit is None else self._frozen_or_trained(batch.images)
        if self.late is None:
            return image  # type: ignore[return-value]
        return self.late(image, pool_tokens(transcripts))  # type: ignore[arg-type]

    def forward(self, batch: TileBatch) -> Tensor:
        """Predict add-on genes (tile, gene), in the units of the targets that it is trained on."""
        return self.head(self.embed(batch))

    def parameter_groups(self, *, head_rate: float, backbone_rate: float) -> list[dict[str, Any]]:
        """Return what is trained: the vision transformer at one rate, everything else at another."""
        backbone = set() if self.vit is None else {id(value) for value in self.vit.parameters()}
        trained = [value for value in self.parameters() if value.requires_grad]
        groups = [
            {"params": [p for p in trained if id(p) not in backbone], "peak": head_rate},
            {"params": [p for p in trained if id(p) in backbone], "peak": backbone_rate},
        ]
        return [group for group in groups if group["params"]]

    def n_parameters(self, *, trained: bool = True) -> int:
        """Return the number of its parameters, all or the trained ones."""
        return sum(value.numel() for value in self.parameters() if value.requires_grad or not trained)

    def _frozen_or_trained(self, images: Tensor | None) -> Tensor:
        """Return the embedding of images, without a graph where the vision transformer is frozen."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.arm.trained):
            return self.vit(images).pooled  # type: ignore[misc]
