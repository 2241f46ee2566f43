"""The transcripts of a Xenium field in the pixels of its H&E image."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.datasets.patches import Windows

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


def transcripts_on_image(crop: "SpatialData", *, image: str = "he_image") -> TranscriptsOnImage:
    """Map transcripts into an image by the transformations that the store carries.

    Parameters
    ----------
    crop
        As ``load("xenium_breast_crop")`` returns it; reads ``points["transcripts"]`` (x, y in microns).
    image
        Name of the image.
    """
    from spatialdata.transformations import get_transformation  # here, because it takes seconds

    picture, points = crop.images[image], crop.points["transcripts"]
    axes = ("x", "y")
    to_common = get_transformation(points).to_affine_matrix(axes, axes)
    from_image = get_transformation(picture).to_affine_matrix(axes, axes)
    affine = np.linalg.inv(from_image) @ to_common  # microns -> pixels of the image
    table = points[["x", "y", "feature_name"]].compute()
    pixels = table[["x", "y"]].to_numpy(dtype=np.float64) @ affine[:2, :2].T + affine[:2, 2]
    return TranscriptsOnImage(
        image=np.moveaxis(np.asarray(picture["scale0"]["image"].data), 0, 2),
        transcripts=pd.DataFrame(
            {"gene": table["feature_name"].astype(str).to_numpy(), "x": pixels[:, 0], "y": pixels[:, 1]}
        ),
        microns_per_pixel=float(1.0 / np.sqrt(abs(np.linalg.det(affine[:2, :2])))),
    )
