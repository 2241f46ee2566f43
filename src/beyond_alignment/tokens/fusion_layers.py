"""Where transcripts and morphology meet: before the blocks of the vision transformer, or after both encoders."""

from typing import Literal

import torch
from torch import Tensor, nn

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.vision import PatchVit, VisionTokens

Early = Literal["add", "concat", "gated", "cross_attention"]
Late = Literal["add", "concat"]
EPSILON = 1e-5


class EarlyFusion(nn.Module):
    """Lets the transcripts of a patch join its image token m as a token e of the same width, before the blocks.

    ``add``: m + e |m| / |e|, so that neither drowns the other (as in the public code of Martinelli et al.), or plain
    m + e. ``gated``: m + g * e with g = sigmoid(W [m, e]) (:cite:t:`arevalo2017gmu`). ``cross_attention``: m plus what
    each image token reads from all transcript tokens. ``concat``: the tokens e follow the image tokens in the stream,
    at the same positions, with an embedding of their modality. In the first three e = 0 leaves the bare network.

    Parameters
    ----------
    how
        Which of the four.
    width
        Features of a token.
    heads
        Of the cross-attention.
    match_norm
        Whether ``add`` scales e to the norm of m.
    """

    def __init__(self, how: Early, *, width: int, heads: int = 4, match_norm: bool = True) -> None:
        super().__init__()
        self.how, self.match_norm = how, match_norm
        if how == "gated":
            self.gate = nn.Linear(2 * width, width)
        elif how == "cross_attention":
            self.norm_image, self.norm_transcripts = nn.LayerNorm(width), nn.LayerNorm(width, bias=False)
            self.norm_places = nn.LayerNorm(width)
            self.attention = nn.MultiheadAttention(width, heads, bias=False, batch_first=True)
        elif how == "concat":
            self.modality = nn.Parameter(torch.zeros(1, 1, width))
        elif how != "add":
            raise InputError(f"There is no early fusion {how!r}: choose add, concat, gated or cross_attention.")

    def forward(self, vit: PatchVit, images: Tensor, transcripts: Tensor) -> VisionTokens:
        """Run a vision transformer over images (tile, height, width, channel) and tokens e (tile, patch, feature)."""
        image = vit.embed(images)
        if self.how == "concat":
            return vit.run(image, appended=transcripts + vit.positions() + self.modality)
        return vit.run(image + self._change(vit, image, transcripts))

    def _change(self, vit: PatchVit, image: Tensor, transcripts: Tensor) -> Tensor:
        """Return what the transcripts add to the image tokens (tile, patch, feature)."""
        if self.how == "gated":
            return torch.sigmoid(self.gate(torch.cat([image, transcripts], dim=-1))) * transcripts
        if self.how == "cross_attention":
            places, values = self.norm_places(vit.positions()), self.norm_transcripts(transcripts)
            query = self.norm_image(image) + places
            return self.attention(query, values + places, values, need_weights=False)[0]
        if not self.match_norm:
            return transcripts
        length = transcripts.float().norm(dim=-1, keepdim=True)  # (tile, patch, 1)
        return transcripts * (image.float().norm(dim=-1, keepdim=True) / length.clamp(min=EPSILON))


class LateFusion(nn.Module):
    """Joins the embeddings of both encoders: LN(m) + LN(e), or [LN(m), LN(e)].

    Parameters
    ----------
    how
        ``add`` or ``concat``.
    width
        Features of each embedding.
    """

    def __init__(self, how: Late, *, width: int) -> None:
        super().__init__()
        if how not in ("add", "concat"):
            raise InputError(f"There is no late fusion {how!r}: choose add or concat.")
        self.how = how
        self.norm_image, self.norm_transcripts = nn.LayerNorm(width), nn.LayerNorm(width)
        self.width = width if how == "add" else 2 * width

    def forward(self, image: Tensor, transcripts: Tensor) -> Tensor:
        """Fuse (tile, feature) and (tile, feature)."""
        first, second = self.norm_image(image), self.norm_transcripts(transcripts)
        return first + second if self.how == "add" else torch.cat([first, second], dim=-1)
