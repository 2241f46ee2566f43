"""The embeddings of tiles by frozen vision networks, computed once for all epochs, folds and arms."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor
from torch.nn import functional

from beyond_alignment.datasets.console import terminal_console
from beyond_alignment.experts.compute import Precision, resolve_precision
from beyond_alignment.experts.forward import forward
from beyond_alignment.experts.loading import load_morphology
from beyond_alignment.tokens.tiles import Tiles
from beyond_alignment.tokens.vision import PatchVit

CHUNK = 32
SILENT_BELOW = 2000


def frozen_embedding(
    vit: PatchVit, tiles: Tiles, *, device: torch.device, precision: Precision = "auto", chunk: int = CHUNK
) -> NDArray[np.float32]:
    """Embed tiles by a frozen vision transformer.

    Parameters
    ----------
    vit
        The network; moved to the device.
    tiles
        The tiles.
    device, precision
        Where, and in which numbers.
    chunk
        Tiles at once.

    Returns
    -------
    numpy.ndarray
        (tile, feature).
    """
    vit = vit.to(device).eval()
    half = resolve_precision(precision, device) == "bfloat16"
    found = np.empty((len(tiles), vit.width), dtype=np.float32)
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=half):
        for rows in _chunks(len(tiles), chunk):
            images = torch.from_numpy(np.array(tiles.pixels[rows])).to(device)
            found[rows] = vit(images).pooled.float().cpu().numpy()
    return found


def expert_embedding(
    name: str, tiles: Tiles, *, device: torch.device, precision: Precision = "auto", chunk: int = CHUNK
) -> NDArray[np.float32]:
    """Embed tiles by a frozen morphology expert, resized to its input with an antialiasing bilinear filter.

    Parameters
    ----------
    name
        Name in the experts' registry.
    tiles, device, precision, chunk
        As in :func:`frozen_embedding`.

    Returns
    -------
    numpy.ndarray
        (tile, feature).

    Raises
    ------
    InputError
        If its weights cannot be had.
    """
    model = load_morphology(name, device="cpu")
    batches = (
        (np.arange(len(tiles))[rows], _resized(tiles.pixels[rows], model.expert.input_px))
        for rows in _chunks(len(tiles), chunk)
    )
    found = np.empty((len(tiles), model.expert.dimension), dtype=np.float32)
    used = resolve_precision(precision, device)
    for rows, features in forward(model.module, batches, expert=model.expert, device=device, precision=used):
        found[rows] = features
    return found


def _chunks(n: int, size: int) -> Iterator[slice]:
    """Yield slices of rows, with a bar where there are many."""
    starts = range(0, n, size)
    console = terminal_console()
    for start in track(
        starts, description="Embedding tiles", disable=n < SILENT_BELOW, console=console, transient=True
    ):
        yield slice(start, start + size)


def _resized(pixels: NDArray[np.uint8], side: int) -> Tensor:
    """Resize uint8 (tile, height, width, channel)."""
    images = torch.from_numpy(np.array(pixels))
    if images.shape[1] == side or side == 0:
        return images
    moved = images.permute(0, 3, 1, 2)  # (tile, channel, height, width)
    scaled = functional.interpolate(moved, size=(side, side), mode="bilinear", antialias=True, align_corners=False)
    return scaled.permute(0, 2, 3, 1)
