"""A folder in the layout of HEST-1k: one .h5ad a sample, its slide, its patches, its metadata."""

from pathlib import Path

import anndata as ad
import pandas as pd

from beyond_alignment import keys
from beyond_alignment.datasets.folder_parts import first_of, place, positive, read_json
from beyond_alignment.datasets.sparse_tables import check_sparse_tables
from beyond_alignment.errors import InputError


def fits(folder: Path) -> bool:
    """Tell whether a folder has this layout."""
    return first_of(folder, "st/*.h5ad") is not None


def read(folder: Path) -> ad.AnnData:
    """Read all samples of the folder, one section each (Jaume et al., NeurIPS 2024).

    Parameters
    ----------
    folder
        Holds ``st/<id>.h5ad`` and, where they are there, ``wsis/<id>.tif``, ``patches/<id>.h5``, ``metadata/<id>.json``
        (``pixel_size_um_estimated``, else ``pixel_size_um_embedded``).

    Returns
    -------
    AnnData
        As ``read_folder`` describes; genes are those that any sample has, and one that a sample lacks counts 0 there.

    Raises
    ------
    InputError
        A sample is damaged, has no positions, or neither a slide nor patches.
    """
    samples = [_sample(folder, file) for file in sorted(folder.glob("st/*.h5ad")) if not file.name.startswith(".")]
    spatial = {section: record for sample in samples for section, record in sample.uns[keys.SPATIAL].items()}
    if len(samples) == 1:
        joined = samples[0]
    else:
        for sample in samples:
            sample.obs_names = [f"{sample.obs[keys.SECTION].iloc[0]}_{name}" for name in sample.obs_names]
        joined = ad.concat(samples, join="outer", fill_value=0)
        joined.obs[keys.SECTION] = pd.Categorical(joined.obs[keys.SECTION], categories=list(spatial))
    joined.uns = {keys.SPATIAL: spatial, keys.DATASET: {"name": folder.name, "layout": "hest"}}
    return joined


def _sample(folder: Path, file: Path) -> ad.AnnData:
    """Read one sample."""
    name = file.stem
    try:
        check_sparse_tables(file)
        adata = ad.read_h5ad(file)
    except Exception as error:  # as many ways as there are bytes
        raise InputError(f"{file} cannot be read as .h5ad: it is damaged; get it again.") from error
    if keys.SPATIAL not in adata.obsm or not adata.n_obs:
        raise InputError(f"{file} has no spots with positions in obsm['spatial']: get it again.")
    image = first_of(folder, *(f"wsis/{name}{suffix}" for suffix in (".tif", ".tiff", ".ome.tif", ".svs")))
    patches = first_of(folder, f"patches/{name}.h5")
    if image is None and patches is None:
        raise InputError(f"{folder} has neither wsis/{name}.tif nor patches/{name}.h5: get one of them.")
    metadata = first_of(folder, f"metadata/{name}.json")
    stated = read_json(metadata) if metadata else {}
    microns = positive(stated.get("pixel_size_um_estimated")) or positive(stated.get("pixel_size_um_embedded"))
    library: dict = next(iter(adata.uns.get(keys.SPATIAL, {}).values()), {})
    diameter = positive(library.get("scalefactors", {}).get(keys.SPOT_DIAMETER))
    bare = ad.AnnData(adata.X, obs=adata.obs, var=adata.var[[]])
    return place(
        bare, name, adata.obsm[keys.SPATIAL][:, :2], layout="hest", microns_per_pixel=microns, image=image,
        spot_diameter=diameter, patches=patches,
    )  # fmt: skip
