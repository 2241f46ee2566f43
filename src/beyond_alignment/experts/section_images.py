"""Finds the image of every section of a data set, whoever made it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from beyond_alignment import keys
from beyond_alignment.datasets.folder_parts import positive
from beyond_alignment.datasets.images import read_image
from beyond_alignment.datasets.registry import data_sets
from beyond_alignment.errors import InputError
from beyond_alignment.experts.patch_stream import StoredPatches
from beyond_alignment.experts.slides import Slide, open_slide

# Copies that other tools keep within the data, the finest first, each with the name of its scale.
COPIES = ("hires", "downscaled_fullres", "lowres")


@dataclass(frozen=True)
class SectionImage:
    """One section and its image.

    Attributes
    ----------
    section
        Its name.
    rows
        (spot,), numbers of its spots.
    opened
        A slide, or patches that were cut before.
    centres_px
        (spot, 2), x and y in pixels of the slide; empty for patches.
    """

    section: str
    rows: NDArray[np.intp]
    opened: Slide | StoredPatches
    centres_px: NDArray[np.float64]


def section_images(
    adata: AnnData, *, image: Path | None = None, microns_per_pixel: float | None = None, base: Path | None = None
) -> Iterator[SectionImage]:
    """Open the images of a data set, one section at a time; each is to be closed by the caller.

    Parameters
    ----------
    adata
        Reads ``obs["section"]`` (without it, all spots are one section), ``obsm["spatial"]`` and ``uns["spatial"]``:
        the file in ``metadata["image"]``, or ``metadata["patches"]``, or a copy in ``images``.
    image
        The full-resolution image of the only section, in whose pixels ``obsm["spatial"]`` is.
    microns_per_pixel
        Of full resolution; what the data, or else the image, says when None.
    base
        Folder from which relative paths of images start.

    Yields
    ------
    SectionImage
        In the order of the sections.

    Raises
    ------
    InputError
        A section has no image or no position, or one image is given for several sections.
    """
    if keys.SPATIAL not in adata.obsm:
        raise InputError("The data have no obsm['spatial']: positions in pixels are needed to cut patches.")
    positions = np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64)[:, :2]
    libraries = {str(name): record for name, record in adata.uns.get(keys.SPATIAL, {}).items()}
    if keys.SECTION in adata.obs:
        labels = adata.obs[keys.SECTION].astype(str).to_numpy()
    else:
        labels = np.full(adata.n_obs, next(iter(libraries)) if len(libraries) == 1 else "all")
    names = [str(name) for name in dict.fromkeys(labels)]
    if image is not None and len(names) > 1:
        raise InputError(f"One image was given for {len(names)} sections ({', '.join(names[:5])}): keep one section.")
    for name in names:
        rows = np.flatnonzero(labels == name)
        library = libraries.get(name, {})
        opened, scale = _open(adata, name, library, image=image, microns=microns_per_pixel, base=base)
        yield SectionImage(name, rows, opened, positions[rows] * scale)


def _open(
    adata: AnnData, name: str, library: Any, *, image: Path | None, microns: float | None, base: Path | None
) -> tuple[Slide | StoredPatches, float]:
    """Open what there is of a section; with the image pixels along a full-resolution pixel."""
    scales, metadata = library.get("scalefactors", {}), library.get("metadata", {})
    full = microns if microns is not None else positive(scales.get(keys.MICRONS_PER_PIXEL))

    def opened(source: Any, scale: float) -> tuple[Slide, float]:
        slide = open_slide(source, microns_per_pixel=None if full is None else full / scale)
        return (replace(slide, name=f"the image of {name}") if isinstance(source, np.ndarray) else slide), scale

    if image is not None:
        return opened(image, 1.0)
    stated = positive(scales.get(keys.IMAGE_SCALE)) or 1.0
    if metadata.get("image") and _registered(adata):
        return opened(read_image(adata, name), stated)
    if (path := _path(metadata.get("image"), base)) is not None:
        return opened(path, stated)
    if (path := _path(metadata.get("patches"), base)) is not None:
        return StoredPatches(path), 1.0
    for copy in COPIES:
        picture, scale = library.get("images", {}).get(copy), positive(scales.get(f"tissue_{copy}_scalef"))
        if picture is not None and scale is not None:
            return opened(_eight_bit(np.asarray(picture)), scale)
    raise InputError(f"Section {name!r} has no image in the data or beside them: give the path of its image.")


def _registered(adata: AnnData) -> bool:
    """Tell whether the data are one of the project's own data sets, whose images the registry knows."""
    known = {record.name for record in data_sets()}
    described = adata.uns.get(keys.DATASET, {})
    return "layout" not in described and str(described.get("name")) in known


def _path(stated: Any, base: Path | None) -> Path | None:
    """Return a stated path, or the file of that name beside the data, where there is one."""
    if not stated:
        return None
    path = Path(str(stated))
    places = [path, *([] if base is None else [base / path, base / path.name])]
    return next((place for place in places if place.exists()), path)


def _eight_bit(picture: NDArray[Any]) -> NDArray[Any]:
    """Return a copy of an image as 8 bit where it is kept, as usual, in [0, 1]."""
    floating = np.issubdtype(picture.dtype, np.floating) and picture.size and 0 <= picture.min() <= picture.max() <= 1
    return np.rint(picture * 255).astype(np.uint8) if floating else picture
