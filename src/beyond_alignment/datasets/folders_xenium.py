"""A folder that Xenium Onboard Analysis wrote, with the H&E image that was aligned to it."""

from pathlib import Path

import anndata as ad
import numpy as np
from numpy.typing import NDArray

from beyond_alignment.datasets.folder_parts import first_of, needed, place, positive, read_counts, read_json, read_table
from beyond_alignment.errors import InputError


def fits(folder: Path) -> bool:
    """Tell whether a folder has this layout."""
    return first_of(folder, "*experiment.xenium") is not None


def read(folder: Path) -> ad.AnnData:
    """Read the cells: counts, centroids, scale and the H&E image where one is there.

    Centroids are in microns; divided by the pixel size of the morphology image they are pixels of it, and the inverse
    of the alignment (``*he_imagealignment.csv``: H&E pixel -> morphology pixel, 3 x 3) takes them into the H&E image.

    Parameters
    ----------
    folder
        The output bundle.

    Returns
    -------
    AnnData
        As ``read_folder`` describes; without an H&E image positions are pixels of the morphology image.

    Raises
    ------
    InputError
        A file is missing or damaged, the H&E image has no alignment, or the cells of counts and table differ.
    """
    experiment = needed(folder, "*experiment.xenium")
    pixel_um = positive(read_json(experiment).get("pixel_size"))
    if pixel_um is None:
        raise InputError(f"{experiment} states no pixel_size: it is damaged; get it again.")
    counts = needed(folder, "*cell_feature_matrix.h5")
    adata = read_counts(counts)
    table = needed(folder, "*cells.parquet", "*cells.csv.gz", "*cells.csv")
    cells = read_table(table)
    if missing := [name for name in ("cell_id", "x_centroid", "y_centroid") if name not in cells.columns]:
        raise InputError(f"{table} lacks the columns {', '.join(missing)}: it is no table of cells; get it again.")
    cells.index = [name.decode() if isinstance(name, bytes) else str(name) for name in cells["cell_id"]]
    if absent := [cell for cell in adata.obs_names if cell not in cells.index]:
        raise InputError(f"{len(absent)} cells of {counts.name} are not in {table.name}, such as {absent[0]}.")
    pixels = cells.loc[adata.obs_names, ["x_centroid", "y_centroid"]].to_numpy(dtype=np.float64) / pixel_um
    image = first_of(folder, "*he_image.ome.tif", "*he_image.tif", "*he_image.ome.tiff")
    microns = pixel_um
    if image is not None:
        affine = he_affine(folder)
        pixels = np.column_stack([pixels, np.ones(len(pixels))]) @ np.linalg.inv(affine).T[:, :2]
        microns = pixel_um * float(np.sqrt(abs(np.linalg.det(affine[:2, :2]))))
    name = folder.parent.name if folder.name == "outs" else folder.name
    return place(adata, name, pixels, layout="xenium", microns_per_pixel=microns, image=image)


def he_affine(folder: Path) -> NDArray[np.float64]:
    """Read the 3 x 3 matrix that takes (x, y, 1) of the H&E image to pixels of the morphology image.

    Parameters
    ----------
    folder
        Reads ``*he_imagealignment.csv``.

    Raises
    ------
    InputError
        The file is missing, or holds no invertible affine matrix.
    """
    path = needed(folder, "*he_imagealignment.csv", "*he_image_alignment.csv")
    try:
        matrix = read_table(path, header=None).to_numpy(dtype=np.float64)
    except ValueError:
        matrix = np.zeros((0, 0))
    whole = matrix.shape == (3, 3) and np.isfinite(matrix).all() and abs(np.linalg.det(matrix)) > 1e-12
    if not whole or not np.allclose(matrix[2], (0, 0, 1)):
        raise InputError(f"{path} holds no invertible 3 x 3 affine matrix: export the alignment again.")
    return matrix
