"""The levels of an image pyramid, read window by window through a bounded store of decoded blocks."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.errors import InputError

Pixels = NDArray[np.uint8]
CACHE_BYTES = 96 * 2**20
MOST_BLOCK_BYTES = 256 * 2**20


class BlockStore:
    """The blocks decoded last, up to a number of bytes; safe to share between threads.

    Parameters
    ----------
    most_bytes
        What the blocks may hold together; the one asked for longest ago goes first.
    """

    def __init__(self, most_bytes: int = CACHE_BYTES):
        self._most_bytes = most_bytes
        self._blocks: OrderedDict[Hashable, Pixels] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Pixels]) -> Pixels:
        """Return the block of a key, made where it is not held.

        Two threads that ask at once may both make it: cheaper than making one wait.
        """
        with self._lock:
            if key in self._blocks:
                self._blocks.move_to_end(key)
                return self._blocks[key]
        block = make()
        with self._lock:
            if key not in self._blocks:
                self._blocks[key] = block
                self._bytes += block.nbytes
                while self._bytes > self._most_bytes and len(self._blocks) > 1:
                    self._bytes -= self._blocks.popitem(last=False)[1].nbytes
        return block


class BlockLevel:
    """One level of a pyramid that is stored in blocks (tiles, strips or chunks).

    Parameters
    ----------
    shape
        (height, width, channel) with 3 channels.
    block
        (height, width) of a whole block.
    read
        Returns the block in row i, column j of the grid as uint8 (height, width, channel), at least as large as what
        of it lies on the image.
    store
        Where decoded blocks are kept.
    name
        Of the image, for messages.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        block: tuple[int, int],
        read: Callable[[int, int], Pixels],
        *,
        store: BlockStore,
        name: str,
    ):
        if block[0] * block[1] * 3 > MOST_BLOCK_BYTES:
            raise InputError(
                f"{name} is stored in blocks of {block[1]} x {block[0]} pixels, too large to be read by window: "
                "convert it to a tiled pyramid."
            )
        self.shape = shape
        self.block = block
        self._read = read
        self._store = store
        self._name = name

    def __getitem__(self, window: tuple[slice, slice]) -> Pixels:
        """Return uint8 (height, width, channel) of a window (rows, columns) within the shape."""
        rows, columns = window
        (top, bottom, _), (left, right, _) = rows.indices(self.shape[0]), columns.indices(self.shape[1])
        high, wide = self.block
        out = np.empty((max(bottom - top, 0), max(right - left, 0), 3), dtype=np.uint8)
        if out.size == 0:
            return out
        for i in range(top // high, (bottom - 1) // high + 1):
            for j in range(left // wide, (right - 1) // wide + 1):
                block = self._block(i, j)
                first, last = max(top, i * high), min(bottom, (i + 1) * high)
                start, end = max(left, j * wide), min(right, (j + 1) * wide)
                out[first - top : last - top, start - left : end - left] = block[
                    first - i * high : last - i * high, start - j * wide : end - j * wide
                ]
        return out

    def _block(self, i: int, j: int) -> Pixels:
        """Return a decoded block, from the store or from the file."""
        try:
            return self._store.get((id(self), i, j), lambda: self._read(i, j))
        except InputError:
            raise
        except Exception as error:  # whatever a codec makes of damaged bytes
            x, y = j * self.block[1], i * self.block[0]
            message = (
                f"{self._name} cannot be decoded at pixel ({x}, {y}) of a level {self.shape[1]} pixels wide "
                f"({' '.join(str(error).split()) or type(error).__name__}): the file is damaged; get it again."
            )
            raise InputError(message) from error


def sliced_level(array: Any, *, axes: str, block: tuple[int, int], store: BlockStore, name: str) -> BlockLevel:
    """Make a level of an array that is read by slicing (zarr, dask, memory map).

    Parameters
    ----------
    array
        uint8 with the given axes.
    axes
        ``yxc`` or ``cyx``.
    block
        (height, width) of what is read at a time.
    store, name
        As in ``BlockLevel``.
    """
    height, width = (array.shape[axes.index(axis)] for axis in "yx")

    def read(i: int, j: int) -> Pixels:
        rows = slice(i * block[0], min((i + 1) * block[0], height))
        columns = slice(j * block[1], min((j + 1) * block[1], width))
        part = np.asarray(array[:, rows, columns] if axes == "cyx" else array[rows, columns])
        return to_rgb(np.moveaxis(part, 0, 2) if axes == "cyx" else part)

    return BlockLevel((height, width, 3), block, read, store=store, name=name)


def to_rgb(block: NDArray[np.uint8]) -> Pixels:
    """Lay an image with alpha over white, the colour of glass; without alpha it is returned as it is.

    Parameters
    ----------
    block
        uint8 (height, width, channel) with 3 or 4 channels.
    """
    if block.shape[2] == 3:
        return np.ascontiguousarray(block)
    alpha = block[..., 3:].astype(np.uint16)
    if (alpha == 255).all():
        return np.ascontiguousarray(block[..., :3])
    mixed = block[..., :3].astype(np.uint16) * alpha + 255 * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


def check_pixels(dtype: Any, channels: int, name: str) -> None:
    """Check that pixels are 8-bit RGB, with alpha or without.

    Raises
    ------
    InputError
        They are not; the sentence says what they are and what to do.
    """
    if np.dtype(dtype) != np.uint8:
        raise InputError(
            f"{name} holds {np.dtype(dtype)} pixels, and experts read 8-bit RGB: which of its values are black and "
            "white is not known here, so convert it to 8 bit."
        )
    if channels not in (3, 4):
        raise InputError(
            f"{name} has {channels} channel{'s' * (channels != 1)}, and experts of histology read RGB: "
            "give the image of the H&E stain."
        )
