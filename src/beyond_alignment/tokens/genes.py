"""Which transcripts are of genes, and which of the controls that a panel carries."""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.datasets.transcripts import TranscriptsOnImage

# How Xenium Onboard Analysis names what is no gene, in all its versions.
CONTROLS = ("NegControl", "BLANK_", "antisense_", "UnassignedCodeword", "DeprecatedCodeword", "Intergenic")
MIN_QUALITY = 20.0


def names_of_genes(names: pd.Index) -> NDArray[np.bool_]:
    """Tell which names are genes, and not controls (name,)."""
    return ~names.astype(str).str.startswith(CONTROLS)


def without_controls(field: TranscriptsOnImage) -> TranscriptsOnImage:
    """Drop the transcripts of controls and of no name; genes become categorical, so that the categories are the panel.

    Parameters
    ----------
    field
        With controls named as Xenium Onboard Analysis does.
    """
    gene = pd.Categorical(field.transcripts["gene"])
    is_gene = names_of_genes(gene.categories)
    table = field.transcripts.assign(gene=gene)[np.append(is_gene, False)[gene.codes]].reset_index(drop=True)
    return replace(field, transcripts=table.assign(gene=table["gene"].cat.remove_categories(gene.categories[~is_gene])))
