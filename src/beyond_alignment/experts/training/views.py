"""Pairs of random views of tissue: shifted, turned, mirrored, scaled and recoloured crops of one place."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from beyond_alignment.experts.training.profiles import TissueVitProfile
from beyond_alignment.experts.training.stain import augment_colour
from beyond_alignment.experts.training.tissue_images import MASK_UM, TissueImage, group_weights

SCALES = (0.8, 1.25)
COARSE_SHARE = 0.25
RIVAL_SHARE = 0.5


def cut(
    image: TissueImage, centres_um: Tensor, angles: Tensor, scales: Tensor, mirror: Tensor, input_px: int
) -> Tensor:
    """Cut square views of a section's tissue.

    Parameters
    ----------
    image
        The section at the scale of a field of view.
    centres_um
        (view, 2): x, y in microns.
    angles
        Turns in radians (view,).
    scales
        Side of the view over the field of view (view,), at most the largest of ``SCALES``.
    mirror
        1 or -1 (view,).
    input_px
        Side of a view in pixels.

    Returns
    -------
    Tensor
        RGB in [0, 1], (view, channel, height, width); beyond the edge of the image there is glass.
    """
    device, n = image.pixels.device, len(centres_um)
    side = image.field_um / image.microns_per_pixel  # of the field, in pixels of the image
    reach = math.ceil(side * max(SCALES) * math.sqrt(2.0) / 2.0) + 2
    centres = centres_um / image.microns_per_pixel - 0.5
    corner = centres.round().long() - reach
    steps = torch.arange(2 * reach + 1)
    columns, rows = corner[:, :1] + steps, corner[:, 1:] + steps  # (view, window)
    height, width = image.pixels.shape[:2]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    rows, columns = rows.clamp(0, height - 1).to(device), columns.clamp(0, width - 1).to(device)
    window = image.pixels[rows[:, :, None], columns[:, None, :]]  # (view, window, window, channel)
    if not bool(inside.all()):
        glass = torch.tensor(image.background, dtype=torch.uint8, device=device)
        window = torch.where(inside.to(device)[..., None], window, glass)
    # Output position u in [-1, 1]^2 lies at centre + A u, in units of half a window.
    half = scales * side / 2.0
    cosine, sine = torch.cos(angles) * half, torch.sin(angles) * half
    offset = centres - corner - reach
    turned = torch.stack([cosine * mirror, -sine, offset[:, 0], sine * mirror, cosine, offset[:, 1]], dim=1)
    matrix = (turned / (reach + 0.5)).view(n, 2, 3).float().to(device)
    grid = functional.affine_grid(matrix, [n, 3, input_px, input_px], align_corners=False)
    pixels = window.permute(0, 3, 1, 2).float().div_(255.0)
    return functional.grid_sample(pixels, grid, mode="bilinear", padding_mode="border", align_corners=False)


def coarsen(patches: Tensor, chosen: Tensor) -> Tensor:
    """Halve the resolution of some patches: sections are scanned at resolutions that differ by more than that."""
    if not bool(chosen.any()):
        return patches
    small = functional.avg_pool2d(patches[chosen], 2)
    patches = patches.clone()
    patches[chosen] = functional.interpolate(small, scale_factor=2.0, mode="bilinear", align_corners=False)
    return patches


class ViewPairs:
    """Draws batches of pairs of views.

    Parameters
    ----------
    images
        Tissue, as :func:`read_tissue` returns it.
    profile
        Sizes of batch and group, strengths of the augmentation.
    input_px
        Side of a view in pixels.
    """

    def __init__(self, images: Sequence[TissueImage], profile: TissueVitProfile, *, input_px: int) -> None:
        self.images, self.profile, self.input_px = images, profile, input_px
        self.weights = group_weights(images)

    def draw(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return both views (pair, channel, height, width), RGB in [0, 1], and which pairs are rivals (pair, pair).

        Rivals are places of the same section and field of view whose squares share less than half of their width.

        What is drawn depends on the plan's seed, the step, and torch's global generator.
        """
        rng = np.random.default_rng((self.profile.plan.seed, step))
        sizes = _split(self.profile.batch, self.profile.group)
        chosen = rng.choice(len(self.images), size=len(sizes), p=self.weights)
        groups = [self._group(self.images[i], size, rng) for i, size in zip(chosen, sizes, strict=True)]
        first, second, far = zip(*groups, strict=True)
        both = self._recolour(torch.cat([*first, *second]))
        rivals = torch.block_diag(*far).bool().to(both.device)
        return both[: len(rivals)], both[len(rivals) :], rivals

    def _group(self, image: TissueImage, n: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Cut two views around each of n places of a section, and say which places are far apart."""
        places = image.centres[rng.integers(len(image.centres), size=n)] + rng.uniform(-0.5, 0.5, (n, 2)) * MASK_UM
        apart = np.abs(places[:, None] - places[None]).max(axis=2) >= RIVAL_SHARE * image.field_um
        return self._cut(image, places, rng), self._cut(image, places, rng), torch.from_numpy(apart)

    def _cut(self, image: TissueImage, places: NDArray[np.floating], rng: np.random.Generator) -> Tensor:
        """Cut one shifted, turned, mirrored and scaled view of each place."""
        n = len(places)
        shift = rng.uniform(-0.5, 0.5, (n, 2)) * self.profile.shift * image.field_um
        low, high = np.log(SCALES)
        centres, angles, scales, mirror = (
            torch.from_numpy(values).float()
            for values in (
                places + shift,
                rng.uniform(0.0, 2.0 * np.pi, n),
                np.exp(rng.uniform(low, high, n)),
                rng.choice((-1.0, 1.0), n),
            )
        )
        return cut(image, centres, angles, scales, mirror, self.input_px)

    def _recolour(self, patches: Tensor) -> Tensor:
        """Jitter stain and colour and coarsen some patches."""
        patches = augment_colour(patches, stain=self.profile.stain, colour=self.profile.colour)
        return coarsen(patches, (torch.rand(len(patches)) < COARSE_SHARE).to(patches.device))


def _split(total: int, size: int) -> list[int]:
    """Return sizes of groups of at most ``size`` that add up to ``total``, as even as can be."""
    n = math.ceil(total / size)
    return [total // n + (i < total % n) for i in range(n)]
