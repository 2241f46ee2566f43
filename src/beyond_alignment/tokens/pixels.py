"""The pixels of tiles, in memory or in a file that stays on disk."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from beyond_alignment.datasets.console import terminal_console
from beyond_alignment.datasets.transcripts import TranscriptsOnImage
from beyond_alignment.experts.slides import Slide
from beyond_alignment.files import atomic_path

_SILENT_BELOW = 1000


def cut_pixels(
    fields: Sequence[TranscriptsOnImage],
    centres_um: Sequence[NDArray[np.float64]],
    *,
    tile_um: float,
    input_px: int,
    path: Path | None = None,
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
    path
        A ``.npy`` file to write them into, a tile at a time; memory does not grow with their number then.

    Returns
    -------
    numpy.ndarray
        uint8 (tile, height, width, channel), the fields one after the other; memory-mapped where a path is given.
    """
    shape = (sum(map(len, centres_um)), input_px, input_px, 3)
    if path is None:
        pixels = np.empty(shape, dtype=np.uint8)
        _cut(fields, centres_um, pixels, tile_um=tile_um)
        return pixels
    with atomic_path(path) as temporary:
        stored = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
        _cut(fields, centres_um, stored, tile_um=tile_um)
        stored.flush()
        del stored
    return np.load(path, mmap_mode="r")


def _cut(
    fields: Sequence[TranscriptsOnImage],
    centres_um: Sequence[NDArray[np.float64]],
    pixels: NDArray[np.uint8],
    *,
    tile_um: float,
) -> None:
    """Write the tiles into an array (tile, height, width, channel)."""
    console = terminal_console()
    wanted = [(field, centre) for field, centres in zip(fields, centres_um, strict=True) for centre in centres]
    slide, of = None, None
    for row, (field, (x, y)) in enumerate(
        track(wanted, "Cutting tiles", disable=len(wanted) < _SILENT_BELOW, console=console, transient=True)
    ):
        if slide is None or of is not field:
            slide, of = Slide("the image", (field.image,), field.microns_per_pixel), field
        scale = field.microns_per_pixel
        pixels[row] = slide.patch(x / scale, y / scale, tile_um / scale, pixels.shape[1])
