"""A vision transformer that is open between its patches and its blocks, where tokens of another modality come in."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from beyond_alignment.errors import InputError


@dataclass(frozen=True)
class VisionTokens:
    """What a vision transformer makes of tiles.

    Attributes
    ----------
    patches
        Its last tokens, one a patch (tile, patch, feature), row by row over the grid.
    pooled
        The embedding of the tile (tile, feature).
    """

    patches: Tensor
    pooled: Tensor


class PatchVit(nn.Module):
    """timm's vision transformer (Dosovitskiy et al. 2021), as two halves: patches to tokens, tokens to embedding.

    The two halves in a row are the network as timm runs it.

    Parameters
    ----------
    trunk
        A ``timm`` ``VisionTransformer`` without a classifier.
    mean, sd
        Red, green and blue, in [0, 1]: an image goes in as (image - mean) / sd.
    weights
        Where its numbers come from, in words.

    Attributes
    ----------
    weights
        As given.
    width
        Features of a token.
    n_patches
        Patches of a tile.
    grid
        Patches along a side of a tile.

    Raises
    ------
    InputError
        If the trunk is no vision transformer of square inputs.
    """

    mean: Tensor
    sd: Tensor

    def __init__(
        self, trunk: nn.Module, *, mean: tuple[float, ...], sd: tuple[float, ...], weights: str = "random"
    ) -> None:
        super().__init__()
        parts = ("patch_embed", "_pos_embed", "blocks", "norm", "forward_head", "num_prefix_tokens")
        if not all(hasattr(trunk, part) for part in parts):
            msg = f"A {type(trunk).__name__} has no patch tokens that others could join: give a vision transformer."
            raise InputError(msg)
        self.trunk, self.weights = trunk, weights
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("sd", torch.tensor(sd).view(1, 3, 1, 1), persistent=False)
        self.width, (height, across) = int(trunk.embed_dim), trunk.patch_embed.grid_size  # type: ignore[arg-type, misc, union-attr]
        if height != across:
            raise InputError(f"A vision transformer of {height} x {across} patches reads no square tiles.")
        self.grid, self.n_patches = int(height), int(height) ** 2

    def embed(self, images: Tensor) -> Tensor:
        """Turn uint8 RGB (tile, height, width, channel) into patch tokens without positions (tile, patch, feature)."""
        planes = images.permute(0, 3, 1, 2).contiguous().float()  # (tile, channel, height, width)
        tokens = self.trunk.patch_embed(planes.sub_(self.mean * 255.0).div_(self.sd * 255.0))  # type: ignore[operator]
        return tokens.reshape(len(images), self.n_patches, self.width)

    def positions(self) -> Tensor:
        """Return the embedding of each patch's position (1, patch, feature)."""
        zeros = self.mean.new_zeros(1, self.n_patches, self.width)
        return self._placed(zeros)[:, self.trunk.num_prefix_tokens :]

    def run(self, tokens: Tensor, appended: Tensor | None = None) -> VisionTokens:
        """Pass tokens through the blocks.

        Parameters
        ----------
        tokens
            Patch tokens without positions (tile, patch, feature).
        appended
            Tokens that follow them in the stream, positions included (tile, token, feature).
        """
        stream = self._placed(tokens)  # (tile, prefix + patch, feature)
        first = stream.shape[1] - self.n_patches
        if appended is not None:
            stream = torch.cat([stream, appended.to(stream.dtype)], dim=1)
        stream = self.trunk.norm(self.trunk.blocks(self.trunk.norm_pre(stream)))  # type: ignore[operator]
        pooled = self.trunk.forward_head(stream)  # type: ignore[operator]
        return VisionTokens(patches=stream[:, first : first + self.n_patches], pooled=pooled)

    def forward(self, images: Tensor) -> VisionTokens:
        """Read uint8 RGB (tile, height, width, channel)."""
        return self.run(self.embed(images))

    def _placed(self, tokens: Tensor) -> Tensor:
        """Put the class token and the registers in front and add positions."""
        if self.trunk.dynamic_img_size:
            tokens = tokens.view(len(tokens), self.grid, self.grid, self.width)
        return self.trunk._pos_embed(tokens)  # type: ignore[operator]
