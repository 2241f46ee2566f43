"""Patches as a stream of batches, cut by threads while the model works on the batch before."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from beyond_alignment.errors import InputError
from beyond_alignment.experts.slide_levels import Pixels, check_pixels, to_rgb
from beyond_alignment.experts.slides import Slide
from beyond_alignment.files import file_sha256

# Batches that are cut or being cut beyond the one in the model: what bounds the memory.
AHEAD = 2
CONVENTION = "square with sub-pixel edges, antialiased bilinear, background beyond the edge; 1"
_BAND_PX = 1024
HEST_UM_PER_PX = 0.5


class PatchSource(Protocol):
    """Where patches come from."""

    def cut(self, row: int, size_px: int) -> Pixels:
        """Return patch ``row`` as uint8 (height, width, channel)."""

    def order(self) -> NDArray[np.intp]:
        """Return the rows in the order in which they are cheapest to read."""

    def coordinates(self) -> NDArray[np.float64]:
        """Return (patch, 2): what tells the patches of one image apart."""

    def identity(self) -> dict[str, Any]:
        """Return what else decides the pixels: the image's sha256, the width of the square, the convention."""


@dataclass(frozen=True)
class SlidePatches:
    """Squares of a slide.

    Attributes
    ----------
    slide
        Read by window.
    centres
        (patch, 2), x and y in full-resolution pixels.
    field_px
        Width of the square in full-resolution pixels.
    """

    slide: Slide
    centres: NDArray[np.float64]
    field_px: float

    def cut(self, row: int, size_px: int) -> Pixels:
        """Return patch ``row`` as uint8 (height, width, channel)."""
        x, y = self.centres[row]
        return self.slide.patch(float(x), float(y), self.field_px, size_px)

    def order(self) -> NDArray[np.intp]:
        """Return the rows band by band, so that neighbours find their tiles decoded."""
        bands = np.floor(self.centres[:, 1] / max(_BAND_PX, self.field_px))
        return np.lexsort((self.centres[:, 1], self.centres[:, 0], bands))

    def coordinates(self) -> NDArray[np.float64]:
        """Return the centres."""
        return self.centres

    def identity(self) -> dict[str, Any]:
        """Return the image, the width of the square and the convention."""
        return {
            "image": self.slide.sha256,
            "image_px": list(self.slide.size_px),
            "field_px": self.field_px,
            "level": [list(level.shape[:2]) for level in self.slide.levels],
            "background": list(self.slide.background),
            "cut": CONVENTION,
        }


class StoredPatches:
    """Patches that were cut before, in the layout of HEST-1k: ``img`` (patch, height, width, channel), ``barcode``.

    Parameters
    ----------
    path
        An .h5 file; its patches are read one at a time.

    Raises
    ------
    InputError
        It cannot be read, or holds no 8-bit RGB patches.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            self._file = h5py.File(path, "r")
            self._patches = self._file["img"]
            names = self._file["barcode"][:].reshape(-1)
            shape, attributes = self._patches.shape, dict(self._patches.attrs)
        except (OSError, KeyError, AttributeError) as error:
            raise InputError(
                f"{path} cannot be read as a file of patches with img and barcode: it is damaged or of another kind."
            ) from error
        if len(shape) != 4 or len(names) != shape[0]:
            raise InputError(f"{path.name} holds img of shape {shape} and {len(names)} barcodes: one patch a barcode.")
        check_pixels(self._patches.dtype, shape[3], path.name)
        self.names = [name.decode() if isinstance(name, bytes) else str(name) for name in names]
        self.field_of_view_um = _stored_field(attributes, shape[2])

    def __enter__(self) -> Self:
        """Keep the file open for a block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

    def cut(self, row: int, size_px: int) -> Pixels:
        """Return patch ``row``, resampled where its size is another."""
        try:
            patch = to_rgb(self._patches[row])
        except OSError as error:
            raise InputError(f"Patch {row} of {self.path.name} cannot be read: the file is damaged.") from error
        if patch.shape[:2] == (size_px, size_px):
            return patch
        return np.asarray(Image.fromarray(patch).resize((size_px, size_px), Image.Resampling.BILINEAR))

    def order(self) -> NDArray[np.intp]:
        """Return the rows as they are stored."""
        return np.arange(len(self.names))

    def coordinates(self) -> NDArray[np.float64]:
        """Return the numbers of the rows."""
        return np.column_stack([np.arange(len(self.names)), np.zeros(len(self.names))]).astype(np.float64)

    def identity(self) -> dict[str, Any]:
        """Return the file."""
        return {"patches": file_sha256(self.path), "cut": "stored"}


def _stored_field(attributes: dict[str, Any], width: int) -> float:
    """Return the width of a stored patch in microns: as the file says, else at HEST-1k's 0.5 um a pixel."""
    try:
        return float(attributes["patch_size_src"]) * float(attributes["pixel_size"])
    except (KeyError, TypeError, ValueError):
        return width * HEST_UM_PER_PX


def default_workers(device: torch.device) -> int:
    """Return how many threads cut patches: two beside a model on the CPU, up to eight beside one on a GPU."""
    return min(8 if device.type == "cuda" else 2, os.cpu_count() or 1)


def stream(
    source: PatchSource, rows: Sequence[int] | NDArray[np.intp], *, size_px: int, batch_size: int, workers: int,
    pin: bool = False,
) -> Iterator[tuple[NDArray[np.intp], torch.Tensor]]:  # fmt: skip
    """Yield batches of patches in order, at most ``AHEAD`` cut ahead of the one that is used.

    Parameters
    ----------
    source
        Where patches come from.
    rows
        Which, in which order.
    size_px
        Width and height of a patch.
    batch_size
        Patches a batch; the last may hold fewer.
    workers
        Threads that cut; 0 cuts in the caller's thread.
    pin
        Into memory from which a GPU copies while it computes.

    Yields
    ------
    tuple
        Rows (patch,) and uint8 (patch, height, width, channel).
    """
    batches = [np.asarray(rows[start : start + batch_size]) for start in range(0, len(rows), batch_size)]

    def fill(target: NDArray[np.uint8], part: NDArray[np.intp]) -> None:
        for place, row in enumerate(part):
            target[place] = source.cut(int(row), size_px)

    def empty(batch: NDArray[np.intp]) -> torch.Tensor:
        return torch.empty((len(batch), size_px, size_px, 3), dtype=torch.uint8, pin_memory=pin)

    if workers < 1:
        for batch in batches:
            patches = empty(batch)
            fill(patches.numpy(), batch)
            yield batch, patches
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="patches")
    waiting: deque[tuple[NDArray[np.intp], torch.Tensor, list[Future[None]]]] = deque()
    todo = deque(batches)
    try:
        while True:
            while todo and len(waiting) < AHEAD:
                batch = todo.popleft()
                patches = empty(batch)
                cuts = np.array_split(np.arange(len(batch)), min(workers, len(batch)))
                jobs = [pool.submit(fill, patches.numpy()[c[0] : c[-1] + 1], batch[c[0] : c[-1] + 1]) for c in cuts]
                waiting.append((batch, patches, jobs))
            if not waiting:
                return
            batch, patches, jobs = waiting.popleft()
            for job in jobs:
                job.result()
            yield batch, patches
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
