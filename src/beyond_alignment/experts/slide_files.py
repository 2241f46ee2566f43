"""Opens slides in the formats that they come in: TIFF pyramids, OME-Zarr, SpatialData images, PNG and JPEG."""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from beyond_alignment.errors import InputError
from beyond_alignment.experts.slide_levels import BlockLevel, BlockStore, Pixels, check_pixels, sliced_level, to_rgb
from beyond_alignment.experts.slide_scale import ome_zarr_scale, tiff_scale
from beyond_alignment.experts.slides import Slide
from beyond_alignment.files import file_sha256

MOST_PIXELS = 400_000_000
_ALPHA = "It has an alpha channel; what is transparent is white here."
_SLICE_PX = 512


def is_tiff(path: Path) -> bool:
    """Tell by its first bytes whether a file is a TIFF or a BigTIFF."""
    with path.open("rb") as handle:
        return handle.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def open_tiff(path: Path, *, microns_per_pixel: float | None) -> Slide:
    """Open a TIFF: the largest image in it, with its pyramid.

    Raises
    ------
    InputError
        As in ``open_slide``.
    """
    import tifffile

    try:
        file = tifffile.TiffFile(path)
        series = max(file.series, key=lambda candidate: int(np.prod(candidate.shape)))
        levels = list(series.levels)
    except Exception as error:  # a damaged directory shows in as many ways as there are tags
        raise InputError(_unreadable(path, error)) from error
    try:
        store = BlockStore()
        pages: list[Any] = [level.keyframe for level in levels]
        axes, channels = _tiff_axes(series, path.name)
        check_pixels(series.dtype, channels, path.name)
        if pages[0].photometric.name not in ("RGB", "YCBCR"):
            raise InputError(
                f"{path.name} holds {pages[0].photometric.name} pixels, and experts read RGB: convert it to RGB."
            )
        _check_whole(path, [page for level in levels for page in level.pages if page is not None])
        opened = tuple(_tiff_level(path, series, number, axes, store, file) for number in range(len(levels)))
        scale = microns_per_pixel or tiff_scale(file, pages[0], path.name)
    except InputError:
        file.close()
        raise
    except Exception as error:
        file.close()
        raise InputError(_unreadable(path, error)) from error
    notes = (_ALPHA,) if channels == 4 else ()
    return Slide(path.name, opened, scale, notes, lambda: file_sha256(path), file.close)


def _tiff_axes(series: Any, name: str) -> tuple[str, int]:
    """Return the order of the axes, ``yxc`` or ``cyx``, and the number of channels."""
    kept = [(axis, size) for axis, size in zip(series.axes, series.shape, strict=True) if axis in "YX" or size > 1]
    axes = "".join(axis for axis, _ in kept)
    if axes == "YX":
        return "yx", 1
    if len(kept) == 3 and axes[1:] == "YX":
        return "cyx", kept[0][1]
    if len(kept) == 3 and axes[:2] == "YX":
        return "yxc", kept[2][1]
    raise InputError(f"{name} has the axes {series.axes} of sizes {series.shape}: give a plane image in RGB.")


def _check_whole(path: Path, pages: list[Any]) -> None:
    """Check that every block that the directory names lies within the file."""
    size = path.stat().st_size
    ends = [
        offset + count
        for page in pages
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False)
        if count
    ]
    if not ends or max(ends) > size:
        needed = max(ends, default=0)
        raise InputError(f"{path} is truncated: it has {size:,} bytes and names {needed:,}; get it again.")


def _tiff_level(path: Path, series: Any, number: int, axes: str, store: BlockStore, file: Any) -> BlockLevel:
    """Make a level that decodes single tiles or strips of a TIFF."""
    level = series.levels[number]
    page = level.keyframe
    plain = axes == "yxc" and len(level.pages) == 1 and page.parent is file and page.planarconfig == 1
    if not plain or len(level.shape) != 3:
        import zarr

        array = zarr.open_array(series.aszarr(level=number, fillvalue=255), mode="r")
        squeezed = tuple(slice(None) if size > 1 or axis in "YX" else 0
                         for axis, size in zip(level.axes, level.shape, strict=True))  # fmt: skip
        view = array if all(part == slice(None) for part in squeezed) else _Squeezed(array, squeezed)
        return sliced_level(view, axes=axes, block=_rounded(array.chunks, level.axes), store=store, name=path.name)
    height, width = level.shape[:2]
    if not page.is_tiled and page.rowsperstrip >= height and page.is_memmappable:
        mapped = np.memmap(path, mode="r", dtype=np.uint8, offset=page.dataoffsets[0], shape=page.shape)
        return sliced_level(mapped, axes="yxc", block=(_SLICE_PX, _SLICE_PX), store=store, name=path.name)
    block = (page.tilelength, page.tilewidth) if page.is_tiled else (min(page.rowsperstrip, height), width)
    columns = -(-width // block[1])
    tables = {"jpegtables": page.jpegtables, "jpegheader": page.jpegheader}
    handle = file.filehandle.fileno()

    def read(i: int, j: int) -> Pixels:
        index = i * columns + j
        count = page.databytecounts[index]
        if count == 0:  # a tile that the scanner left out: glass
            return np.full((*block, 3), 255, dtype=np.uint8)
        data = os.pread(handle, count, page.dataoffsets[index])
        segment = page.decode(data, index, **tables)[0]
        if segment is None:
            raise ValueError("an empty block")
        return to_rgb(segment[0])

    return BlockLevel((height, width, 3), block, read, store=store, name=path.name)


class _Squeezed:
    """A zarr array less its axes of length one."""

    def __init__(self, array: Any, index: tuple[Any, ...]):
        self._array, self._index = array, index
        self.shape = tuple(size for size, part in zip(array.shape, index, strict=True) if part != 0)

    def __getitem__(self, window: Any) -> Any:
        """Read a window of the axes that are left."""
        wanted = iter(window)
        return self._array[tuple(next(wanted, slice(None)) if part != 0 else 0 for part in self._index)]


def _rounded(chunks: tuple[int, ...], axes: str) -> tuple[int, int]:
    """Return the height and width of a chunk."""
    sizes = dict(zip(axes.upper(), chunks, strict=True))
    return sizes["Y"], sizes["X"]


def open_zarr(path: Path, *, microns_per_pixel: float | None) -> Slide:
    """Open an OME-Zarr image, or the one RGB image of a SpatialData store.

    Raises
    ------
    InputError
        As in ``open_slide``, or a store holds several images (they are named).
    """
    import zarr

    try:
        group: Any = zarr.open_group(path, mode="r")
    except Exception as error:
        raise InputError(f"{path} is a folder and no OME-Zarr image: give the image itself.") from error
    attributes: dict[str, Any] = group.attrs.asdict()
    multiscales = (attributes.get("ome") or attributes).get("multiscales")
    if not multiscales:
        inside = sorted(child.name for child in (path / "images").glob("[!.]*") if child.is_dir())
        if len(inside) == 1:
            return open_zarr(path / "images" / inside[0], microns_per_pixel=microns_per_pixel)
        listed = ", ".join(f"images/{name}" for name in inside) or "no image"
        raise InputError(f"{path} holds {listed}: give the path of one OME-Zarr image.")
    store, levels = BlockStore(), []
    try:
        names = [axis["name"] if isinstance(axis, dict) else axis for axis in multiscales[0]["axes"]]
        for dataset in multiscales[0]["datasets"]:
            array = group[dataset["path"]]
            kept = "".join(n for n, size in zip(names, array.shape, strict=True) if n in ("y", "x", "c") or size > 1)
            if kept not in ("cyx", "yxc"):
                raise InputError(f"{path} has the axes {''.join(names)}: give a plane image in RGB.")
            check_pixels(array.dtype, array.shape[names.index("c")], path.name)
            index = tuple(slice(None) if name in ("y", "x", "c") else 0 for name in names)
            view = array if len(names) == 3 else _Squeezed(array, index)
            block = _rounded(array.chunks, "".join(names))
            levels.append(sliced_level(view, axes=kept, block=block, store=store, name=path.name))
        scale = microns_per_pixel or ome_zarr_scale(multiscales[0], path.name)
    except InputError:
        raise
    except Exception as error:
        raise InputError(_unreadable(path, error)) from error
    return Slide(path.name, tuple(levels), scale, digest=lambda: folder_sha256(path))


def open_element(element: Any, *, microns_per_pixel: float | None) -> Slide:
    """Open an image of a SpatialData object: an xarray (c, y, x), or a tree of them, a level each.

    Raises
    ------
    InputError
        As in ``open_slide``, or it is no such image.
    """
    try:
        arrays = [element.data] if hasattr(element, "data") else [next(iter(element[name].data_vars.values())).data
                                                                  for name in element.children]  # fmt: skip
        sizes = [array.shape for array in arrays]
    except (AttributeError, StopIteration, TypeError) as error:
        raise InputError(
            f"A {type(element).__name__} is no image: give a path, an array or a SpatialData image."
        ) from error
    if not sizes or any(len(size) != 3 for size in sizes):
        raise InputError(f"An image of shapes {sizes} cannot be read: give (channel, height, width).")
    check_pixels(arrays[0].dtype, sizes[0][0], "The image")
    store = BlockStore()
    levels = tuple(
        sliced_level(array, axes="cyx", block=(_SLICE_PX, _SLICE_PX), store=store, name="the image") for array in arrays
    )

    def digest() -> str:
        """Hash full resolution in bands, so that it is never in memory whole."""
        height, width = levels[0].shape[:2]
        found = hashlib.sha256(repr(levels[0].shape).encode())
        for top in range(0, height, _SLICE_PX):
            found.update(levels[0][top : min(top + _SLICE_PX, height), 0:width].tobytes())
        return found.hexdigest()

    return Slide("the image", levels, microns_per_pixel, digest=digest)


def open_picture(path: Path, *, microns_per_pixel: float | None) -> Slide:
    """Open a PNG or a JPEG, which can only be decoded whole.

    Raises
    ------
    InputError
        As in ``open_slide``.
    """
    previous = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(path) as picture:
            mode, pixels = picture.mode, picture.width * picture.height
            if pixels > MOST_PIXELS:
                raise InputError(
                    f"{path.name} has {pixels:,} pixels, too many to be decoded whole: convert it to a tiled pyramid."
                )
            if mode.startswith("I") or mode == "F" or _sixteen_bit_png(path):
                check_pixels(np.uint16 if mode != "F" else np.float32, 3, path.name)
            if mode in ("L", "1", "LA"):
                check_pixels(np.uint8, 1, path.name)
            alpha = mode in ("RGBA", "PA", "RGBa") or "transparency" in picture.info
            image = to_rgb(np.asarray(picture.convert("RGBA" if alpha else "RGB")))
    except InputError:
        raise
    except Exception as error:
        raise InputError(_unreadable(path, error)) from error
    finally:
        Image.MAX_IMAGE_PIXELS = previous
    return Slide(path.name, (image,), microns_per_pixel, (_ALPHA,) if alpha else (), lambda: file_sha256(path))


def _sixteen_bit_png(path: Path) -> bool:
    """Tell whether a PNG has 16 bits a channel, which Pillow cuts to 8 without a word."""
    with path.open("rb") as handle:
        head = handle.read(25)
    return head.startswith(b"\x89PNG") and len(head) == 25 and head[24] == 16


def folder_sha256(path: Path) -> str:
    """Return one sha256 of the names and contents of the files below a folder."""
    found = hashlib.sha256()
    for file in sorted(child for child in path.rglob("*") if child.is_file()):
        found.update(f"{file.relative_to(path).as_posix()}\0{file_sha256(file)}\n".encode())
    return found.hexdigest()


def _unreadable(path: Path, error: Exception) -> str:
    """Say that a file cannot be read."""
    reason = " ".join(str(error).split())[:160] or type(error).__name__
    return f"{path} cannot be read as an image ({reason}): it is damaged or of another kind; get it again."
