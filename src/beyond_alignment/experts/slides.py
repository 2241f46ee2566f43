"""A histology image of any size, read by window at the resolution that is asked for."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from beyond_alignment.datasets.images import background_colour
from beyond_alignment.datasets.patches import Windows, crop_square
from beyond_alignment.errors import InputError
from beyond_alignment.experts.slide_levels import Pixels, check_pixels, to_rgb
from beyond_alignment.experts.slide_scale import checked_scale

# An image of at most this many pixels gives its background colour whole; of a larger one samples of the edge do.
SMALL_PX = 4096 * 4096
_SAMPLES, _SAMPLE_PX = 24, 64


@dataclass(frozen=True)
class Slide:
    """An image pyramid.

    Attributes
    ----------
    name
        For messages.
    levels
        From full resolution down; each gives uint8 (height, width, channel) windows and its ``shape``.
    microns_per_pixel
        Of full resolution; None where neither the file nor the caller says.
    notes
        What is not as the file has it, in sentences.
    """

    name: str
    levels: tuple[Windows, ...]
    microns_per_pixel: float | None
    notes: tuple[str, ...] = ()
    digest: Callable[[], str] = field(default=lambda: "", repr=False)
    release: Callable[[], None] = field(default=lambda: None, repr=False)

    def __enter__(self) -> Self:
        """Keep the file open for a block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; the slide cannot be read any more."""
        self.release()

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of full resolution."""
        return self.levels[0].shape[1], self.levels[0].shape[0]

    @cached_property
    def sha256(self) -> str:
        """Of the file's bytes, or of the array: the identity of the image in the cache."""
        return self.digest()

    @cached_property
    def downsamples(self) -> tuple[float, ...]:
        """Full-resolution pixels along a pixel of each level.

        Whole where the shapes allow it: 1001 pixels halved are 500, and the step is 2, not 2.002.
        """
        full = self.levels[0].shape
        return tuple(_step(full, level.shape) for level in self.levels)

    @cached_property
    def background(self) -> tuple[int, int, int]:
        """Colour of the glass, from the outermost 2 % of the image (of its smallest level, where it is large)."""
        small = min(self.levels, key=lambda level: level.shape[0] * level.shape[1])
        level = self.levels[0] if _pixels(self.levels[0]) <= SMALL_PX else small
        if _pixels(level) <= SMALL_PX:
            return background_colour(level[0 : level.shape[0], 0 : level.shape[1]])
        return _sampled_background(level)

    def scale(self) -> float:
        """Return the microns per full-resolution pixel.

        Raises
        ------
        InputError
            They are not known.
        """
        if self.microns_per_pixel is None:
            raise InputError(f"The scale of {self.name} is not in the file: give its microns per pixel.")
        return self.microns_per_pixel

    def level_for(self, downsample: float) -> int:
        """Return the number of the coarsest level that has at least the resolution asked for.

        Parameters
        ----------
        downsample
            Full-resolution pixels along a pixel of the result.
        """
        fine = [number for number, step in enumerate(self.downsamples) if step <= downsample * 1.001]
        return max(fine, key=lambda number: self.downsamples[number], default=0)

    def patch(self, x: float, y: float, field_px: float, size_px: int) -> Pixels:
        """Cut a square patch as ``datasets.extract_patches`` does, from the best level.

        Parameters
        ----------
        x, y
            Centre, in full-resolution pixels.
        field_px
            Width and height of the square, in full-resolution pixels.
        size_px
            Width and height of the patch.

        Returns
        -------
        numpy.ndarray
            uint8 (height, width, channel).
        """
        number = self.level_for(field_px / size_px)
        down = self.downsamples[number]
        return crop_square(self.levels[number], x / down, y / down, field_px / 2.0 / down, size_px, self.background)


def open_slide(source: str | Path | Pixels | Any, *, microns_per_pixel: float | None = None) -> Slide:
    """Open an image; nothing but its header is read of a pyramid.

    Parameters
    ----------
    source
        A path: TIFF (generic, OME, Aperio), OME-Zarr, an image of a SpatialData store, PNG or JPEG (these two are
        decoded whole, up to 400 million pixels). Or uint8 (height, width, channel), or an image of SpatialData.
    microns_per_pixel
        Of full resolution; what the file says when None.

    Returns
    -------
    Slide
        To be closed, or used as a context.

    Raises
    ------
    InputError
        The image is missing, truncated or of no format known here, or its pixels are not 8-bit RGB (alpha is laid over
        white); or the scale is not positive.
    """
    from beyond_alignment.experts import slide_files

    if isinstance(source, np.ndarray):
        return _array_slide(source, microns_per_pixel)
    if not isinstance(source, str | Path):
        return slide_files.open_element(source, microns_per_pixel=checked_scale(microns_per_pixel, "the image"))
    path = Path(source)
    scale = checked_scale(microns_per_pixel, path.name)
    if path.is_dir():
        return slide_files.open_zarr(path, microns_per_pixel=scale)
    if not path.is_file():
        raise InputError(f"There is no image {path}: give the path of the histology image.")
    if slide_files.is_tiff(path):
        return slide_files.open_tiff(path, microns_per_pixel=scale)
    return slide_files.open_picture(path, microns_per_pixel=scale)


def _array_slide(image: Pixels, microns_per_pixel: float | None) -> Slide:
    """Make a slide of an array that is in memory."""
    if image.ndim not in (2, 3) or 0 in image.shape:
        raise InputError(f"An image of shape {image.shape} cannot be read: give (height, width, 3).")
    check_pixels(image.dtype, 1 if image.ndim == 2 else image.shape[2], "The image")
    rgb = to_rgb(image)

    def digest() -> str:
        return hashlib.sha256(repr(rgb.shape).encode() + rgb.tobytes()).hexdigest()

    return Slide("the image", (rgb,), checked_scale(microns_per_pixel, "the image"), digest=digest)


def _pixels(level: Windows) -> int:
    """Return the number of pixels of a level."""
    return level.shape[0] * level.shape[1]


def _step(full: tuple[int, ...], shape: tuple[int, ...]) -> float:
    """Return how many pixels of the full level lie along one of another level."""
    ratio = math.sqrt(full[0] / shape[0] * full[1] / shape[1])
    whole = max(1, round(ratio))
    fits = all(abs(full[axis] / whole - shape[axis]) <= 1.0 for axis in (0, 1))
    return float(whole) if fits else ratio


def _sampled_background(level: Windows) -> tuple[int, int, int]:
    """Return the median colour of small windows along the four edges of a level too large to be read whole."""
    height, width = level.shape[:2]
    parts = []
    for share in np.linspace(0.0, 1.0, _SAMPLES):
        y, x = round(share * (height - _SAMPLE_PX)), round(share * (width - _SAMPLE_PX))
        corners = ((y, 0), (y, width - _SAMPLE_PX), (0, x), (height - _SAMPLE_PX, x))
        parts += [level[top : top + _SAMPLE_PX, left : left + _SAMPLE_PX].reshape(-1, 3) for top, left in corners]
    red, green, blue = np.median(np.concatenate(parts), axis=0)
    return int(red), int(green), int(blue)
