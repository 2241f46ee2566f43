"""A stem of convolutions in the place of one linear map from pixels to patch tokens."""

import math
from itertools import pairwise

from torch import Tensor, nn

from beyond_alignment.errors import InputError


class ConvStem(nn.Module):
    """Turn images into patch tokens by convolutions of stride two (Xiao et al. 2021), as timm's ``embed_layer``.

    One linear map of a patch of 16 microns cannot tell the shape of the nuclei in it wherever they lie; few
    convolutions can. Channels double to the width of a token; each is followed by a group norm, which keeps no running
    numbers, and GELU.

    Parameters
    ----------
    img_size, patch_size
        Side of the image and of a patch in pixels; the patch a power of two.
    in_chans
        Channels of the image.
    embed_dim
        Width of a token.

    Raises
    ------
    InputError
        If a patch is no power of two of pixels, 2 or more.
    """

    def __init__(
        self, img_size: int = 224, patch_size: int = 16, in_chans: int = 3, embed_dim: int = 128, **_: object
    ) -> None:
        super().__init__()
        steps = round(math.log2(patch_size))
        if steps < 1 or 2**steps != patch_size:
            raise InputError(f"A stem halves its image, and no patch is {patch_size} px then: use 2, 4, 8, 16 or 32.")
        widths = [in_chans, *(max(embed_dim >> (steps - 1 - step), 8) for step in range(steps))]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.GroupNorm(1, after), nn.GELU()]
        self.stem = nn.Sequential(*layers, nn.Conv2d(widths[-1], embed_dim, 1))
        self.patch_size = (patch_size, patch_size)
        self.grid_size = (img_size // patch_size, img_size // patch_size)
        self.num_patches = self.grid_size[0] * self.grid_size[1]

    def forward(self, images: Tensor) -> Tensor:
        """Map images (image, channel, height, width) to tokens (image, patch, feature), row by row over the grid."""
        return self.stem(images).flatten(2).transpose(1, 2)
