"""The transcripts of a Xenium field in the pixels of its H&E image."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.datasets.patches import Windows
from beyond_alignment.errors import InputError

if TYPE_CHECKING:
    from spatialdata import SpatialData


@dataclass(frozen=True)
class TranscriptsOnImage:
    """A field of tissue with its transcripts.

    Attributes
    ----------
    image
        uint8 (height, width, channel), H&E, RGB; of a whole section something that windows are cut from.
    transcripts
        A row a transcript: gene; x, y in pixels of the image. Where ``gene`` is categorical its categories are the
        panel.
    microns_per_pixel
        Of the image.
    """

    image: NDArray[np.uint8] | Windows
    transcripts: pd.DataFrame
    microns_per_pixel: float


def transcripts_on_image(
    crop: "SpatialData", *, image: str = "he_image", min_quality: float = 0.0
) -> TranscriptsOnImage:
    """Map transcripts into an image by the transformations that the store carries.

    Parameters
    ----------
    crop
        As ``load("xenium_breast_crop")`` returns it; reads ``points["transcripts"]`` (x, y in microns).
    image
        Name of the image.
    min_quality
        Least Phred score of a transcript (column qv, read where this is above 0); Xenium counts from 20 on.

    Raises
    ------
    InputError
        The image or the transcripts are not there, or the affine of the image is missing.
    """
    for name, elements in ((image, crop.images), ("transcripts", crop.points)):
        if name not in elements:
            raise InputError(f"There is no {name!r} in the store, which has {', '.join(elements) or 'none'}: name it.")
    picture, points = crop.images[image], crop.points["transcripts"]
    affine = _affine(picture, points, image)  # microns -> pixels of the image
    quality = ["qv"] if min_quality > 0 else []
    table = points[["x", "y", "feature_name", *quality]].compute()
    if quality:
        table = table[table["qv"] >= min_quality]
    pixels = table[["x", "y"]].to_numpy(dtype=np.float64) @ affine[:2, :2].T + affine[:2, 2]
    level = picture["scale0"]["image"] if "scale0" in picture else picture
    return TranscriptsOnImage(
        image=np.moveaxis(np.asarray(level.data), 0, 2),
        transcripts=pd.DataFrame(
            {"gene": table["feature_name"].astype(str).to_numpy(), "x": pixels[:, 0], "y": pixels[:, 1]}
        ),
        microns_per_pixel=float(1.0 / np.sqrt(abs(np.linalg.det(affine[:2, :2])))),
    )


def _affine(picture: Any, points: Any, image: str) -> NDArray[np.float64]:
    """Return the 3 x 3 matrix from the frame of the transcripts to the pixels of the image."""
    from spatialdata.transformations import get_transformation  # here, because it takes seconds

    axes = ("x", "y")
    try:
        to_common, from_image = (
            get_transformation(element).to_affine_matrix(axes, axes) for element in (points, picture)
        )
    except ValueError as error:
        raise InputError(
            f"Transcripts and {image!r} share no coordinate system 'global': the affine of the image is missing; "
            "set it with spatialdata.transformations.set_transformation."
        ) from error
    affine = np.linalg.inv(from_image) @ to_common
    if np.allclose(affine, np.eye(3)):
        raise InputError(
            f"Neither transcripts nor {image!r} carry a transformation, so microns would be taken for pixels: the "
            "affine of the image is missing; set it with spatialdata.transformations.set_transformation."
        )
    return affine
