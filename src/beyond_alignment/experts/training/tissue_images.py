"""The tissue that ``tissue_vit`` is trained on: each section at the scale of each field of view."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage import filters
from torch import Tensor

from beyond_alignment import keys
from beyond_alignment.datasets import at_hand, load, read_image
from beyond_alignment.datasets.images import Pixels, background_colour
from beyond_alignment.errors import InputError

DATA_SETS = ("her2st", "mob", "crc_visium")
MASK_UM = 20.0
MARGIN_UM = 100.0
_REACH = 1.0  # of the field of view: what a view can reach from the place that it is cut around


@dataclass(frozen=True)
class TissueImage:
    """One section at the scale of one field of view.

    Attributes
    ----------
    data_set, section, donor
        Where it comes from.
    field_um
        Side of the square field of view in microns.
    microns_per_pixel
        Of ``pixels``: that of a patch of the field, or the section's own where that is coarser.
    pixels
        uint8 (height, width, channel), RGB.
    centres
        Centres of the squares of ``MASK_UM`` that hold tissue (square, 2): x, y in microns from the top left.
    background
        Colour of the glass, (channel,).
    """

    data_set: str
    section: str
    donor: str
    field_um: float
    microns_per_pixel: float
    pixels: Tensor
    centres: NDArray[np.float32]
    background: tuple[int, int, int]

    @property
    def area_mm2(self) -> float:
        """Area of the tissue."""
        return len(self.centres) * (MASK_UM / 1000.0) ** 2


def tissue_centres(
    image: Pixels, microns_per_pixel: float, box_um: tuple[float, float, float, float]
) -> NDArray[np.float32]:
    """Find the squares of 20 microns that hold tissue, within a box.

    Tissue is what differs from the glass by more than Otsu's threshold of the colour distance, holes filled, after
    pieces smaller than five squares are dropped.

    Parameters
    ----------
    image
        uint8 (height, width, channel).
    microns_per_pixel
        Of ``image``.
    box_um
        Left, top, right, bottom in microns.

    Returns
    -------
    numpy.ndarray
        (square, 2): x, y of the centres, in microns.
    """
    height, width = image.shape[:2]
    size = (max(1, round(width * microns_per_pixel / MASK_UM)), max(1, round(height * microns_per_pixel / MASK_UM)))
    small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX)).astype(np.float32)
    distance = np.linalg.norm(small - np.array(background_colour(image), np.float32), axis=2)
    mask = distance > filters.threshold_otsu(distance)
    mask = ndimage.binary_opening(ndimage.binary_closing(mask, iterations=2), structure=np.ones((2, 2)))
    mask = ndimage.binary_fill_holes(mask)
    rows, columns = np.nonzero(mask)
    step = (width * microns_per_pixel / size[0], height * microns_per_pixel / size[1])
    centres = np.column_stack([(columns + 0.5) * step[0], (rows + 0.5) * step[1]]).astype(np.float32)
    left, top, right, bottom = box_um
    within = (centres >= (left, top)).all(axis=1) & (centres <= (right, bottom)).all(axis=1)
    return centres[within]


def around_tissue(
    image: Pixels, microns_per_pixel: float, centres: NDArray[np.float32], reach_um: float
) -> tuple[Pixels, NDArray[np.float32]]:
    """Return the part of an image that lies within a reach of its tissue, and the centres (square, 2) within it."""
    low = np.maximum(np.floor((centres.min(axis=0) - reach_um) / microns_per_pixel), 0).astype(int)
    high = np.ceil((centres.max(axis=0) + reach_um) / microns_per_pixel).astype(int)
    part = image[low[1] : high[1], low[0] : high[0]]
    return np.ascontiguousarray(part), centres - (low * microns_per_pixel).astype(np.float32)


def at_field(image: Pixels, microns_per_pixel: float, field_um: float, input_px: int) -> tuple[Pixels, float]:
    """Return an image at the scale at which a field of view fills the network's input, and that scale.

    An image coarser than that stays as it is: the views are interpolated from it.
    """
    wanted = field_um / input_px
    if wanted <= microns_per_pixel:
        return image, microns_per_pixel
    size = (round(image.shape[1] * microns_per_pixel / wanted), round(image.shape[0] * microns_per_pixel / wanted))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)), wanted


def read_tissue(
    *,
    fields_um: Sequence[float],
    input_px: int,
    exclude_donors: Iterable[str] = (),
    device: torch.device,
    tell: Callable[[str], None] = lambda text: None,
) -> list[TissueImage]:
    """Read all sections whose H&E is in the cache or the mirror, at the scale of each field of view.

    Parameters
    ----------
    fields_um
        Sides of the fields of view, in microns.
    input_px
        Side of the network's input, in pixels.
    exclude_donors
        Donors whose sections are left out, such as ``"B"``.
    device
        Where the pixels are kept.
    tell
        Told which section is read.

    Raises
    ------
    InputError
        If no section is at hand, or an excluded donor is none of the donors at hand.
    """
    excluded, donors = set(exclude_donors), set()
    found: list[TissueImage] = []
    for name in DATA_SETS:
        sections = at_hand(name)
        if not sections:
            continue
        adata = load(name, sections=sections, progress=False, network=False)
        for section in sections:
            rows = (adata.obs[keys.SECTION] == section).to_numpy()
            donor = str(adata.obs.loc[rows, keys.DONOR].iloc[0])
            donors.add(donor)
            if donor in excluded:
                continue
            tell(f"reading {section}")
            scales = adata.uns[keys.SPATIAL][section]["scalefactors"]
            scale = scales[keys.MICRONS_PER_PIXEL] / scales[keys.IMAGE_SCALE]
            image = read_image(adata, section)
            spots = adata.obsm[keys.SPATIAL][rows] * scales[keys.MICRONS_PER_PIXEL]
            box = (*(spots.min(axis=0) - MARGIN_UM), *(spots.max(axis=0) + MARGIN_UM))
            glass = background_colour(image)
            image, centres = around_tissue(image, scale, tissue_centres(image, scale, box), _REACH * max(fields_um))
            for field in fields_um:
                pixels, own = at_field(image, scale, field, input_px)
                tensor = torch.from_numpy(np.array(pixels)).to(device)
                found.append(TissueImage(name, section, donor, field, own, tensor, centres, glass))
    if unknown := sorted(excluded - donors):
        msg = f"Donor {', '.join(unknown)} is none of those at hand ({', '.join(sorted(donors))}): exclude one of them."
        raise InputError(msg)
    if not found:
        msg = "No H&E image is at hand to train on: fetch the data sets first, or exclude fewer donors."
        raise InputError(msg)
    return found


def group_weights(images: Sequence[TissueImage]) -> NDArray[np.float64]:
    """Return how often each image is drawn: in proportion to the square root of its tissue's area, sum 1."""
    weights = np.array([math.sqrt(max(image.area_mm2, 1e-9)) for image in images])
    return weights / weights.sum()
