"""Square H&E patches around each spot, of one physical size whatever the resolution of the scan."""

import math
from typing import Protocol

import anndata as ad
import numpy as np
from PIL import Image

from beyond_alignment import keys
from beyond_alignment.datasets.images import Pixels, background_colour, read_image
from beyond_alignment.errors import InputError


class Windows(Protocol):
    """Something that windows can be cut from: an array, or a level of a slide that stays on disk.

    Attributes
    ----------
    shape
        (height, width, channel).
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (height, width, channel)."""

    def __getitem__(self, window: tuple[slice, slice], /) -> Pixels:
        """Return uint8 (height, width, channel) of a window (rows, columns) within the shape."""


def extract_patches(
    adata: ad.AnnData,
    section: str,
    *,
    field_of_view_um: float,
    size_px: int = 224,
    image: Pixels | None = None,
) -> Pixels:
    """Cut a square patch of a given width in microns around every spot of a section.

    The crop has sub-pixel edges and is resampled with an antialiasing bilinear filter. Beyond the edge of the image
    it is filled with the image's background colour.

    Parameters
    ----------
    adata
        Reads ``obs["section"]``, ``obsm["spatial"]`` (x, y in full-resolution pixels) and
        ``uns["spatial"][section]["scalefactors"]``: microns_per_pixel, tissue_image_scalef.
    section
        Name of the section.
    field_of_view_um
        Width and height of the patch in microns.
    size_px
        Width and height of the patch in pixels.
    image
        uint8 (height, width, channel) image of the section; without it the image is read.

    Returns
    -------
    numpy.ndarray
        uint8, (spot, height, width, channel), in the order of the section's spots in ``adata``.

    Raises
    ------
    InputError
        If the field of view or the size is not positive and finite, the section is unknown, or a spot has no position.
    """
    if not (math.isfinite(field_of_view_um) and field_of_view_um > 0):
        msg = f"A field of view of {field_of_view_um} um cannot be cut: give a positive number of microns."
        raise InputError(msg)
    if size_px < 1:
        msg = f"A patch of {size_px} pixels cannot be cut: give a positive number of pixels."
        raise InputError(msg)
    rows = (adata.obs[keys.SECTION] == section).to_numpy()
    if not rows.any():
        present = ", ".join(map(str, adata.obs[keys.SECTION].unique()))
        msg = f"There is no spot of section {section!r} in the data: choose one of {present or '(none)'}."
        raise InputError(msg)
    if image is None:
        image = read_image(adata, section)
    scales = adata.uns[keys.SPATIAL][section]["scalefactors"]
    centres = adata.obsm[keys.SPATIAL][rows] * scales[keys.IMAGE_SCALE]
    if not np.isfinite(centres).all():
        msg = f"A spot of section {section!r} has no finite position: drop it before cutting patches."
        raise InputError(msg)
    half = field_of_view_um / 2.0 / scales[keys.MICRONS_PER_PIXEL] * scales[keys.IMAGE_SCALE]
    fill = background_colour(image)
    patches = np.empty((len(centres), size_px, size_px, 3), dtype=np.uint8)
    for patch, (x, y) in zip(patches, centres, strict=True):
        patch[...] = crop_square(image, float(x), float(y), half, size_px, fill)
    return patches


def crop_square(image: Windows, x: float, y: float, half: float, size_px: int, fill: tuple[int, int, int]) -> Pixels:
    """Resample a square with sub-pixel edges, antialiased and bilinear: the one convention of every patch here.

    Parameters
    ----------
    image
        Only the window that the square and the filter reach is read.
    x, y, half
        Centre and half the width of the square, in pixels of ``image``.
    size_px
        Width and height of the patch.
    fill
        Colour beyond the edge of the image.

    Returns
    -------
    numpy.ndarray
        uint8, (height, width, channel).
    """
    height, width = image.shape[:2]
    # The filter reaches one output pixel, or one input pixel, beyond the crop.
    margin = math.ceil(max(1.0, 2.0 * half / size_px)) + 1
    left, top = math.floor(x - half) - margin, math.floor(y - half) - margin
    right, bottom = math.ceil(x + half) + margin, math.ceil(y + half) + margin
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        window = image[top:bottom, left:right]
    else:
        window = np.empty((bottom - top, right - left, 3), dtype=np.uint8)
        window[...] = fill
        inner = (slice(max(top, 0), min(bottom, height)), slice(max(left, 0), min(right, width)))
        if inner[0].start < inner[0].stop and inner[1].start < inner[1].stop:
            window[inner[0].start - top : inner[0].stop - top, inner[1].start - left : inner[1].stop - left] = image[
                inner
            ]
    box = (x - half - left, y - half - top, x + half - left, y + half - top)
    picture = Image.fromarray(np.ascontiguousarray(window))
    return np.asarray(picture.resize((size_px, size_px), Image.Resampling.BILINEAR, box=box))
