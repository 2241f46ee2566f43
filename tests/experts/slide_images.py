"""Images on disk for the tests of slides: small pyramids, and one far too large to be held."""

import zlib
from dataclasses import replace

import numpy as np
import tifffile
import torch
from PIL import Image
from torch import nn

from beyond_alignment.experts.morphology import FrozenModel
from beyond_alignment.experts.registry import get_expert

MPP = 0.25


def tissue(height=600, width=800, seed=0):
    """Smooth colours, as tissue has."""
    small = np.random.default_rng(seed).integers(60, 256, (height // 20 + 1, width // 20 + 1, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def halved(image):
    """Average 2 x 2 pixels."""
    high, wide = image.shape[0] // 2, image.shape[1] // 2
    blocks = image[: 2 * high, : 2 * wide].reshape(high, 2, wide, 2, -1).mean(axis=(1, 3))
    return np.rint(blocks).astype(np.uint8)


def write_pyramid(path, image, *, n_levels=3, mpp=MPP, tile=(128, 128), compression="zlib", **options):
    """Write a generic tiled pyramid, one page a level."""
    resolution = {} if mpp is None else {"resolutionunit": "CENTIMETER"}
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for level in range(n_levels):
            scale = {} if mpp is None else {"resolution": (1e4 / mpp / 2**level, 1e4 / mpp / 2**level)}
            writer.write(
                image, tile=tile, compression=compression, subfiletype=int(level > 0), metadata=None,
                **({"photometric": "rgb"} | options), **resolution, **scale,
            )  # fmt: skip
            image = halved(image)
    return path


def write_large(path, side, *, n_levels=4, tile=512):
    """Write a pyramid of which a full level would not fit, from a few tiles that are packed beforehand."""
    draws = [np.kron(tissue(tile // 16, tile // 16, seed), np.ones((16, 16, 1), np.uint8)) for seed in range(4)]
    packed = [zlib.compress(draw.tobytes(), 1) for draw in draws]
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for level in range(n_levels):
            size = side // 2**level
            writer.write(
                (packed[k % len(packed)] for k in range((size // tile) ** 2)), shape=(size, size, 3), dtype=np.uint8,
                tile=(tile, tile), compression="zlib", photometric="rgb", subfiletype=int(level > 0), metadata=None,
                resolutionunit="CENTIMETER", resolution=(1e4 / MPP / 2**level,) * 2,
            )  # fmt: skip
    return path


class Means(nn.Module):
    """Mean colour of the four quarters of a patch, through weights: 12 features that depend on where they are."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(0.5, 1.5, 12))
        self.calls = 0

    def forward(self, images):
        self.calls += 1
        return nn.functional.adaptive_avg_pool2d(images, 2).flatten(1) * self.weight


def small_model(input_px=32, module=None):
    """A frozen model with the record of MobileNetV2, but for its input and dimension."""
    expert = replace(get_expert("mobilenetv2"), name="means", input_px=input_px, dimension=12, microns_per_pixel=0.5)
    return FrozenModel((module or Means()).eval().requires_grad_(False), source="definition", sha256="", expert=expert)
