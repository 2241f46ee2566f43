"""MOB: mouse olfactory bulb on Spatial Transcriptomics arrays."""

from collections.abc import Mapping

import anndata as ad
import pandas as pd

from beyond_alignment.datasets.registry import DataSet
from beyond_alignment.datasets.tables import Files, join_sections, read_counts, read_spots, spot_data
from beyond_alignment.errors import InputError


def read(data_set: DataSet, files: Mapping[str, Files]) -> ad.AnnData:
    """Read the sections of MOB: counts of the spots under tissue, genes by symbol.

    Source: Stahl et al., Science 2016, as carried by STUtility. Spots stand on a staggered grid (x + y even).

    Parameters
    ----------
    data_set
        Record in the registry.
    files
        For each section the local path of each role.

    Returns
    -------
    AnnData
        Raw counts over the union of the sections' genes (0 where a section does not list a gene), sorted by Ensembl
        id; ``var["ensembl_id"]`` with version; a symbol shared by several ids is made unique.

    Raises
    ------
    InputError
        If spots and counts do not fit.
    """
    parts = []
    for section, paths in files.items():
        counts, names, genes = read_counts(paths["counts"])
        spots = read_spots(paths["spots"])
        spots = spots[spots["selected"] == 1]
        row = {name: i for i, name in enumerate(names)}
        if absent := [name for name in spots.index if name not in row]:
            msg = f"{paths['counts'].name} has no counts of the spots {', '.join(absent[:5])}; fetch it again."
            raise InputError(msg)
        parts.append(
            spot_data(
                data_set,
                section,
                counts[[row[name] for name in spots.index]],
                genes,
                array=spots[["x", "y"]].to_numpy(),
                pixels=spots[["pixel_x", "pixel_y"]].to_numpy(),
                names=[f"{section}_{name}" for name in spots.index],
            )
        )
    adata = join_sections(parts)
    genes_file = next(iter(files.values()))["genes"]
    symbols = pd.read_csv(genes_file, sep="\t").drop_duplicates("gene_id").set_index("gene_id")["gene_name"]
    adata.var["ensembl_id"] = adata.var_names.to_numpy()
    known = symbols.reindex(adata.var_names)
    adata.var_names = known.where(known.notna(), adata.var["ensembl_id"]).astype(str).to_numpy()
    adata.var_names_make_unique()
    return adata
