"""Nuclei of simulated cells: size, elongation and chromatin by cell type and bits."""

import numpy as np
import pandas as pd

# cell type -> diameter of the nucleus (of the disc of its area) and radius of the cell in microns, ratio of the axes of
# the nucleus, optical density of its haematoxylin
_TYPES = pd.DataFrame.from_dict(
    {
        "fibroblast": (5.6, 6.5, 3.1, 0.50),
        "epithelial": (7.0, 6.0, 1.45, 0.48),
        "tumour": (8.2, 6.5, 1.3, 0.46),
        "lymphocyte": (5.6, 3.8, 1.15, 0.64),
        "endothelial": (5.0, 5.0, 2.7, 0.55),
        "adipocyte": (4.6, 6.0, 2.6, 0.6),
    },
    orient="index",
    columns=["nucleus_um", "cell_radius_um", "aspect", "chromatin"],
)
# log change from the mean to a bit of 1 at a contrast of 1, and the log spread between cells of the same bits
_SIZE, _SIZE_SPREAD = 0.15, 0.06
_LENGTH, _LENGTH_SPREAD = 0.32, 0.10
_DARK, _DARK_SPREAD = 0.28, 0.09


def cell_radius_um(cells: pd.DataFrame) -> pd.Series:
    """Return the radius of each cell in microns, which its type alone decides.

    Parameters
    ----------
    cells
        With cell_type.
    """
    return cells["cell_type"].astype(str).map(_TYPES["cell_radius_um"])


def draw_shapes(rng: np.random.Generator, cells: pd.DataFrame, *, contrast: float) -> pd.DataFrame:
    """Draw the nucleus of each cell.

    The bit ``shared`` makes it larger, ``morphology`` longer at the same area, ``pair_morphology`` dark and dense,
    where 0 is pale and vesicular, with a rim and a nucleolus.

    Parameters
    ----------
    rng
        Decides what differs between cells of the same type and bits.
    cells
        With cell_type, shared, morphology, pair_morphology.
    contrast
        The dial ``shape``.

    Returns
    -------
    pandas.DataFrame
        A row a cell: nucleus_um, the diameter of the disc of the same area; nucleus_aspect, long over short axis;
        chromatin, optical density of haematoxylin before the donor's stain.
    """
    own = _TYPES.loc[cells["cell_type"].astype(str)].reset_index(drop=True)
    size, length, dark = (
        contrast * step * (2.0 * cells[bit].to_numpy() - 1.0) + spread * rng.standard_normal(len(cells))
        for bit, step, spread in (
            ("shared", _SIZE, _SIZE_SPREAD),
            ("morphology", _LENGTH, _LENGTH_SPREAD),
            ("pair_morphology", _DARK, _DARK_SPREAD),
        )
    )
    return pd.DataFrame(
        {
            "nucleus_um": own["nucleus_um"] * np.exp(size),
            "nucleus_aspect": np.maximum(own["aspect"] * np.exp(length), 1.0),
            "chromatin": own["chromatin"] * np.exp(dark),
        }
    )
