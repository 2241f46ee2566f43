"""The physical size of a pixel, measured from the spots themselves."""

import anndata as ad
import numpy as np

from beyond_alignment import keys
from beyond_alignment.datasets.registry import data_set

# Microns from one array coordinate to the next, along x and along y.
STEPS_UM = {
    "her2st": (200.0, 200.0),
    "mob": (100.0, 100.0),
    "crc_visium": (50.0, 50.0 * np.sqrt(3.0)),
}


def measured_microns_per_pixel(adata: ad.AnnData, section: str) -> float:
    """Measure the microns per full-resolution pixel of a section from the pitch of its array.

    An affine map from array positions in microns to pixels is fitted by least squares; its determinant gives the
    scale, so that a rotated or mirrored section needs no care and unequal axes are averaged geometrically.

    Parameters
    ----------
    adata
        As ``load`` returns it; reads ``obs``: section, array_x, array_y; ``obsm["spatial"]``; ``uns["dataset"]``.
    section
        Name of the section.

    Raises
    ------
    InputError
        If the data set has no such section.
    """
    record = data_set(adata.uns[keys.DATASET]["name"])
    (section,) = record.choose([section])
    rows = (adata.obs[keys.SECTION] == section).to_numpy()
    array = adata.obs.loc[rows, [keys.ARRAY_X, keys.ARRAY_Y]].to_numpy(dtype=np.float64)
    design = np.column_stack([array * STEPS_UM[record.name], np.ones(len(array))])
    affine, *_ = np.linalg.lstsq(design, adata.obsm[keys.SPATIAL][rows], rcond=None)
    return float(1.0 / np.sqrt(abs(np.linalg.det(affine[:2]))))
