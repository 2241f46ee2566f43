"""The H&E image of a section, as an array with clean glass around the tissue."""

from pathlib import Path

import anndata as ad
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage import color, transform

from beyond_alignment import keys
from beyond_alignment.datasets.fetch import fetch
from beyond_alignment.errors import InputError

Pixels = NDArray[np.uint8]

# The glass of patient A's slides (HER2ST), as it shows in the inset at the top right of the overview frames.
GLASS = (225, 209, 226)
_BLACK = 16
_RIM = 2
_MARK_CHROMA = 5.0
_MAX_PIXELS = 400_000_000
_CRC_COLOUR = "tissue_lowres_image.png"
_CRC_DETAIL = "aligned_fiducials.jpg"


def read_image(
    adata: ad.AnnData, section: str, *, cache: str | Path | None = None, mirror: str | Path | None = None
) -> Pixels:
    """Read the H&E image of one section.

    Image pixel = full-resolution pixel * ``tissue_image_scalef``. What is not the photograph as published:

    - HER2ST overview frames (A1, A2): the black around the tissue and the annotated inset at the top right become
      ``GLASS``, see ``clear_overview``.
    - CRC: there is no colour image of this resolution. Lightness comes from the grey 2000-pixel frame and colour from
      the 600-pixel image, see ``combine``; the red fiducial marks of the frame lie outside the
      spots, but patches of spots near the edge of the capture area hold some of them, as grey rings.

    ``image_provenance`` returns the same in one sentence a section.

    Parameters
    ----------
    adata
        As ``load`` returns it; reads ``uns["dataset"]["name"]`` and ``uns["spatial"][section]["metadata"]["image"]``.
    section
        Name of the section.
    cache, mirror
        As in ``fetch``.

    Returns
    -------
    numpy.ndarray
        uint8, (height, width, channel), RGB.

    Raises
    ------
    InputError
        If the section is not in ``adata``, has no image, or the file is damaged.
    """
    dataset, path = _image_file(adata, section)
    if dataset == "crc_visium":
        colour = open_image(fetch(dataset, _CRC_COLOUR, cache=cache, mirror=mirror))
        return combine(colour, open_image(fetch(dataset, _CRC_DETAIL, cache=cache, mirror=mirror)))
    image = open_image(fetch(dataset, path, cache=cache, mirror=mirror))
    return clear_overview(image) if _is_overview(dataset, path) else image


def image_provenance(adata: ad.AnnData, section: str) -> str:
    """Say in one sentence how the image of a section was made from the published files.

    Parameters
    ----------
    adata, section
        As in ``read_image``; reads the same keys.

    Raises
    ------
    InputError
        If the section is not in ``adata`` or has no image.
    """
    dataset, path = _image_file(adata, section)
    if dataset == "crc_visium":
        return f"Combined: lightness of {_CRC_DETAIL} (grey, 2000 px), colour of {_CRC_COLOUR} (600 px)."
    if _is_overview(dataset, path):
        return f"{path}, its black background and its inset replaced by the glass colour {GLASS}."
    return f"{path}, as published."


def open_image(path: Path) -> Pixels:
    """Decode a JPEG or PNG file to uint8 (height, width, channel), RGB.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    InputError
        If the file is truncated, is no image or is larger than 400 million pixels; the message names it.
    """
    try:
        image = _decode(path)
    except (OSError, SyntaxError, ValueError) as error:
        msg = f"{path} cannot be read as an image ({error}): delete it and fetch it again."
        raise InputError(msg) from error
    return image


def clear_overview(image: Pixels) -> Pixels:
    """Replace everything around the tissue of a blacked-out frame by ``GLASS``.

    The tissue is the largest connected piece that is not near-black (a channel of at least 16), its holes included,
    so that dark nuclei stay, less a rim of 2 pixels in which it fades to black; a second piece, such as the annotated
    inset of the HER2ST frames, goes with the black.

    Parameters
    ----------
    image
        uint8, (height, width, channel).
    """
    pieces, n_pieces = ndimage.label(image.max(axis=2) >= _BLACK)
    if n_pieces == 0:
        return np.broadcast_to(np.array(GLASS, dtype=np.uint8), image.shape).copy()
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    tissue = ndimage.binary_erosion(ndimage.binary_fill_holes(pieces == sizes.argmax()), iterations=_RIM)
    return np.where(tissue[..., np.newaxis], image, np.array(GLASS, dtype=np.uint8))


def combine(colour: Pixels, detail: Pixels) -> Pixels:
    """Combine the colour of a small image with the detail of a larger grey one of the same field, in CIELAB.

    a and b are those of ``colour``, enlarged bilinearly. L is that of ``detail``, shifted and scaled as a whole so that
    at the size of ``colour`` its mean and standard deviation are those of ``colour``: the two were exported with
    different contrast. Coloured pixels of ``detail``, marks drawn on it, are left out of these statistics.

    Parameters
    ----------
    colour
        uint8, (height, width, channel).
    detail
        uint8, (height, width, channel), larger, with the same aspect ratio.

    Returns
    -------
    numpy.ndarray
        uint8, in the shape of ``detail``.

    Raises
    ------
    InputError
        If the aspect ratios differ by more than 1 %.
    """
    ratios = [picture.shape[1] / picture.shape[0] for picture in (colour, detail)]
    if abs(ratios[0] / ratios[1] - 1.0) > 0.01:
        msg = f"The images to combine have shapes {colour.shape[:2]} and {detail.shape[:2]}: use two of the same field."
        raise InputError(msg)
    small = color.rgb2lab(colour)
    fine = color.rgb2lab(detail)
    coarse = transform.resize(fine, small.shape, order=1, mode="edge", anti_aliasing=True)
    grey = np.hypot(coarse[..., 1], coarse[..., 2]) < _MARK_CHROMA
    lab = transform.resize(small, fine.shape, order=1, mode="edge", anti_aliasing=False)
    if grey.any() and (spread := float(coarse[grey, 0].std())) > 0.0:
        slope = float(small[grey, 0].std()) / spread
        lightness = (fine[..., 0] - coarse[grey, 0].mean()) * slope + small[grey, 0].mean()
        lab[..., 0] = np.clip(lightness, 0.0, 100.0)
    return np.rint(np.clip(color.lab2rgb(lab), 0.0, 1.0) * 255.0).astype(np.uint8)


def background_colour(image: Pixels) -> tuple[int, int, int]:
    """Return the colour of the glass: the median over the outermost 2 % of an image, by channel.

    Parameters
    ----------
    image
        uint8, (height, width, channel).
    """
    margin = max(1, round(0.02 * min(image.shape[:2])))
    edges = (image[:margin], image[-margin:], image[:, :margin], image[:, -margin:])
    red, green, blue = np.median(np.concatenate([edge.reshape(-1, image.shape[2]) for edge in edges]), axis=0)
    return int(red), int(green), int(blue)


def _decode(path: Path) -> Pixels:
    """Decode a file with the project's own limit on its size in place of Pillow's, which slides exceed."""
    previous = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(path) as image:
            if image.width * image.height > _MAX_PIXELS:
                msg = f"{image.width} x {image.height} pixels, at most {_MAX_PIXELS} are read"
                raise ValueError(msg)
            return np.asarray(image.convert("RGB"))
    finally:
        Image.MAX_IMAGE_PIXELS = previous


def _image_file(adata: ad.AnnData, section: str) -> tuple[str, str]:
    """Return the data set and the registry path of a section's image."""
    spatial = adata.uns.get(keys.SPATIAL, {})
    if section not in spatial:
        msg = f"There is no section {section!r} in the data: choose one of {', '.join(spatial) or '(none)'}."
        raise InputError(msg)
    if "image" not in spatial[section].get("metadata", {}):
        msg = f"Section {section!r} was loaded without its image: load it with images=True."
        raise InputError(msg)
    return str(adata.uns[keys.DATASET]["name"]), str(spatial[section]["metadata"]["image"])


def _is_overview(dataset: str, path: str) -> bool:
    """Tell whether a path is one of the blacked-out frames of HER2ST."""
    return dataset == "her2st" and path.endswith(".png")
