"""Folders of spatial experiments as their makers lay them out: HEST-1k, Visium (Space Ranger), Xenium."""

from pathlib import Path

import anndata as ad

from beyond_alignment.datasets import folders_hest, folders_visium, folders_xenium
from beyond_alignment.errors import InputError


def read_folder(path: str | Path) -> ad.AnnData:
    """Read a folder as it is; which layout it has is seen from what it holds.

    The tables are read directly, to what spatialdata-io makes of them (a test holds the two together): it does without
    segmentation masks, reads Visium HD's positions too, decodes no image, and says in a sentence what is missing.

    Parameters
    ----------
    path
        - HEST-1k: ``st/*.h5ad`` with ``wsis/*.tif`` or ``patches/*.h5``, and ``metadata/*.json`` for the scale.
        - Visium: Space Ranger's ``outs`` (or one ``square_…um`` folder of Visium HD) with ``spatial/`` and
          ``filtered_feature_bc_matrix.h5``; the full-resolution image is taken where it lies beside them.
        - Xenium: ``experiment.xenium``, ``cell_feature_matrix.h5``, ``cells.parquet`` or ``cells.csv.gz``; the H&E
          image and its alignment (``*he_image.ome.tif``, ``*he_imagealignment.csv``) where they are there.

    Returns
    -------
    AnnData
        Raw counts (spot or cell, gene); ``obs["section"]``; ``obsm["spatial"]``, x and y in full-resolution pixels of
        the histology image; ``uns["spatial"][section]``: scalefactors (microns_per_pixel, tissue_image_scalef,
        spot_diameter_fullres) and metadata (image, an absolute path; patches likewise); ``uns["dataset"]``.

    Raises
    ------
    InputError
        There is no such folder, its layout is none of these, or a file of it is missing or damaged (it is named).
    """
    folder = Path(path)
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}: give one of HEST-1k, Visium or Xenium.")
    for layout in (folders_hest, folders_xenium, folders_visium):
        if layout.fits(folder):
            return layout.read(folder.resolve())
    raise InputError(
        f"{folder} is laid out like none of HEST-1k (st/*.h5ad), Visium (filtered_feature_bc_matrix.h5 and spatial/) "
        "and Xenium (experiment.xenium): give the folder that holds these files."
    )
