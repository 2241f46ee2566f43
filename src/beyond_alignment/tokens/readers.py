"""Whole sections with their transcripts, read from their folders; the image stays on disk."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from beyond_alignment.datasets.folder_parts import needed, positive, read_json
from beyond_alignment.datasets.folders_xenium import he_affine
from beyond_alignment.datasets.transcripts import TranscriptsOnImage
from beyond_alignment.errors import InputError
from beyond_alignment.experts.slides import open_slide
from beyond_alignment.tokens.genes import MIN_QUALITY, without_controls

COLUMNS = ["x_location", "y_location", "feature_name"]


def read_xenium_field(folder: Path, *, min_quality: float = MIN_QUALITY) -> TranscriptsOnImage:
    """Read the output of Xenium Onboard Analysis: the H&E image and the transcripts of genes in its pixels.

    Transcripts are in microns; divided by the pixel size of the morphology image they are pixels of it, and the inverse
    of the alignment takes them into the H&E image.

    Parameters
    ----------
    folder
        Reads ``experiment.xenium``, ``transcripts.parquet``, ``*he_image.ome.tif`` and ``*he_imagealignment.csv``.
    min_quality
        Least Phred score of a transcript.

    Returns
    -------
    TranscriptsOnImage
        Controls are left out; the categories of ``gene`` are the genes that the section has.

    Raises
    ------
    InputError
        A file is missing or damaged, as is the affine of the H&E image.
    """
    experiment = needed(folder, "*experiment.xenium")
    pixel_um = positive(read_json(experiment).get("pixel_size"))
    if pixel_um is None:
        raise InputError(f"{experiment} states no pixel_size: it is damaged; get it again.")
    affine = he_affine(folder)
    image = needed(folder, "*he_image.ome.tif", "*he_image.tif", "*he_image.ome.tiff")
    table = _transcripts(needed(folder, "*transcripts.parquet"), min_quality)
    inverse = np.linalg.inv(affine)
    table[["x", "y"]] = table[["x", "y"]].to_numpy() / pixel_um @ inverse[:2, :2].T + inverse[:2, 2]
    microns = pixel_um * float(np.sqrt(abs(np.linalg.det(affine[:2, :2]))))
    return without_controls(TranscriptsOnImage(open_slide(image).levels[0], table, microns))


def _transcripts(path: Path, min_quality: float) -> pd.DataFrame:
    """Read gene (categorical), x and y of the transcripts of good quality; only the columns that are needed."""
    try:
        present = pq.read_schema(path).names
    except Exception as error:  # as many ways as there are bytes
        raise InputError(f"{path} cannot be read as a table: it is damaged; get it again.") from error
    if missing := [name for name in COLUMNS if name not in present]:
        raise InputError(f"{path} lacks the columns {', '.join(missing)}: give the transcripts of a Xenium section.")
    rules = [("qv", ">=", min_quality)] if "qv" in present else []
    rules += [("is_gene", "==", True)] if "is_gene" in present else []
    try:
        read = pq.read_table(path, columns=COLUMNS, filters=rules or None, read_dictionary=["feature_name"])
    except Exception as error:
        raise InputError(f"{path} cannot be read as a table: it is damaged; get it again.") from error
    if not len(read):
        raise InputError(f"{path} holds no transcript of a Phred score of {min_quality:g} or more: lower min_quality.")
    gene = pd.Categorical(read["feature_name"].to_pandas())
    gene = gene.rename_categories([n.decode() if isinstance(n, bytes) else str(n) for n in gene.categories])
    return pd.DataFrame({"gene": gene, "x": _column(read, COLUMNS[0]), "y": _column(read, COLUMNS[1])})


def _column(table: "pq.pa.Table", name: str) -> NDArray[np.float64]:
    """Return a column as float64."""
    return table[name].to_numpy().astype(np.float64)
