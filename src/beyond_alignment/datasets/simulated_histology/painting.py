"""The picture of a simulated field."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from beyond_alignment.datasets.simulated_histology.compartments import Compartments
from beyond_alignment.datasets.simulated_histology.ground import draw_ground, grain
from beyond_alignment.datasets.simulated_histology.staining import Stain, expose
from beyond_alignment.datasets.simulated_histology.stamping import stamp_discs, stamp_nuclei

_BODIES = {"tumour": (6.6, 0.25, 0.075), "lymphocyte": (3.9, 0.12, 0.09)}  # radius um, eosin, haematoxylin
_BLUR_UM = 0.36


def paint(
    rng: np.random.Generator, plan: Compartments, cells: pd.DataFrame, stain: Stain, *, n: int, microns_per_pixel: float
) -> NDArray[np.uint8]:
    """Render a field as an H&E picture, uint8 (height, width, channel).

    Parameters
    ----------
    rng
        Decides textures, outlines and noise: nothing that a cell's bits or place hang on.
    plan
        Of the field.
    cells
        With x_um, y_um, angle, cell_type, nucleus_um, nucleus_aspect, chromatin.
    stain
        Of the donor.
    n
        Pixels along a side.
    microns_per_pixel
        Of the picture.
    """
    ground, bodies, outlines, clumps, camera = rng.spawn(5)
    haematoxylin, eosin = draw_ground(ground, plan, n=n, microns_per_pixel=microns_per_pixel)
    kind = cells["cell_type"].astype(str).to_numpy()
    places = cells[["x_um", "y_um"]].to_numpy()
    for name, (radius, pink, blue) in _BODIES.items():
        some = places[kind == name]
        spread = np.exp(0.12 * bodies.standard_normal((2, len(some))))
        for density, amount, rim in ((eosin, pink, 0.25), (haematoxylin, blue, -0.5)):
            stamp_discs(
                density, some, radius * spread[0], amount * spread[1], rim=rim, microns_per_pixel=microns_per_pixel
            )
    texture = grain(clumps, n, microns_per_pixel=microns_per_pixel)
    stamp_nuclei(outlines, haematoxylin, eosin, cells, texture, microns_per_pixel=microns_per_pixel)
    eosin += np.float32(0.012) * texture * (eosin > 0.05)
    blur = _BLUR_UM / microns_per_pixel
    for density in (haematoxylin, eosin):
        ndimage.gaussian_filter(density, blur, output=density, truncate=2.5)
    return expose(camera, haematoxylin, eosin, stain)
