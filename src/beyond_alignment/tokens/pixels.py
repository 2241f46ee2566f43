"""The pixels of tiles."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from beyond_alignment.datasets.console import terminal_console
from beyond_alignment.datasets.transcripts import TranscriptsOnImage
from beyond_alignment.experts.slides import Slide

_SILENT_BELOW = 1000


def cut_pixels(
    fields: Sequence[TranscriptsOnImage],
    centres_um: Sequence[NDArray[np.float64]],
    *,
    tile_um: float,
    input_px: int,
) -> NDArray[np.uint8]:
    """Cut square tiles and resize them, antialiased and bilinear, as every patch of the package is.

    Parameters
    ----------
    fields
        Only windows of their images are read.
    centres_um
        Centres of the tiles of each field in microns (tile, axis): x, y.
    tile_um
        Width of a tile in microns.
    input_px
        Width of a tile in pixels of the result.

    Returns
    -------
    numpy.ndarray
        uint8 (tile, height, width, channel), the fields one after the other.
    """
    pixels = np.empty((sum(map(len, centres_um)), input_px, input_px, 3), dtype=np.uint8)
    console = terminal_console()
    wanted = [(field, centre) for field, centres in zip(fields, centres_um, strict=True) for centre in centres]
    slide, of = None, None
    for row, (field, (x, y)) in enumerate(
        track(wanted, "Cutting tiles", disable=len(wanted) < _SILENT_BELOW, console=console, transient=True)
    ):
        if slide is None or of is not field:
            slide, of = Slide("the image", (field.image,), field.microns_per_pixel), field
        scale = field.microns_per_pixel
        pixels[row] = slide.patch(x / scale, y / scale, tile_um / scale, input_px)
    return pixels
