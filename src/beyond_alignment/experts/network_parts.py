"""The parts of published networks that timm does not have: a convolutional stem, two ways of pooling, colour."""

from itertools import pairwise

import torch
from torch import nn


class ConvolutionalStem(nn.Module):
    """Turns an image into tokens of 4 x 4 pixels by two strided convolutions, as CTransPath does (Wang et al. 2022).

    Parameters
    ----------
    dimension
        Features of a token, a multiple of 8.
    """

    def __init__(self, dimension: int = 96) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        widths = (3, dimension // 8, dimension // 4)
        for before, after in pairwise(widths):
            layers += [
                nn.Conv2d(before, after, kernel_size=3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
            ]
        self.proj = nn.Sequential(*layers, nn.Conv2d(widths[-1], dimension, kernel_size=1))
        self.norm = nn.LayerNorm(dimension)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (batch, height / 4, width / 4, feature) for (batch, channel, height, width)."""
        return self.norm(self.proj(images).permute(0, 2, 3, 1))


class ClassAndMean(nn.Module):
    """Joins the class token to the mean of the patch tokens, as Virchow is used (Vorontsov et al. 2024).

    Parameters
    ----------
    trunk
        Returns (batch, token, feature): class token, registers, patches.
    registers
        Tokens between the class token and the patches, which are left out.
    """

    def __init__(self, trunk: nn.Module, *, registers: int = 0) -> None:
        super().__init__()
        self.trunk = trunk
        self.first_patch = 1 + registers

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (batch, 2 x feature) for (batch, channel, height, width)."""
        tokens = self.trunk(images)
        return torch.cat([tokens[:, 0], tokens[:, self.first_patch :].mean(dim=1)], dim=-1)


class AttentionPool(nn.Module):
    """Pools tokens by attention from learned queries.

    Parameters
    ----------
    dimension
        Features of a query and of the answer.
    token_dimension
        Features of a token.
    heads, queries
        Number of attention heads, and of queries.
    """

    def __init__(self, dimension: int, token_dimension: int, *, heads: int = 8, queries: int = 1) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(queries, dimension))
        self.attn = nn.MultiheadAttention(
            dimension, heads, kdim=token_dimension, vdim=token_dimension, batch_first=True
        )
        self.ln_q = nn.LayerNorm(dimension)
        self.ln_k = nn.LayerNorm(token_dimension)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return (batch, query, dimension) for (batch, token, feature)."""
        keys = self.ln_k(tokens)
        queries = self.ln_q(self.query).expand(len(tokens), -1, -1)
        return self.attn(queries, keys, keys, need_weights=False)[0]


class PooledTower(nn.Module):
    """A vision transformer whose tokens are pooled by attention: the image tower of CONCH (Lu et al. 2024).

    Parameters
    ----------
    trunk
        A timm vision transformer.
    dimension
        Features of an embedding, before the projection to the space shared with text.
    """

    def __init__(self, trunk: nn.Module, *, dimension: int = 512) -> None:
        super().__init__()
        self.trunk = trunk
        self.attn_pool_contrast = AttentionPool(dimension, trunk.num_features)  # type: ignore[arg-type]
        self.ln_contrast = nn.LayerNorm(dimension)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (batch, dimension) for (batch, channel, height, width)."""
        tokens = self.trunk.forward_features(images)  # type: ignore[operator]
        return self.ln_contrast(self.attn_pool_contrast(tokens)[:, 0])


class ColourStatistics(nn.Module):
    """Mean and standard deviation of each channel of an image."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (batch, 2 x channel) for (batch, channel, height, width)."""
        flat = images.flatten(start_dim=2)
        return torch.cat([flat.mean(dim=2), flat.std(dim=2, correction=0)], dim=1)
