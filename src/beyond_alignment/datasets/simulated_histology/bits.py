"""The bits of each simulated cell, and what the labels made of them hold, in closed form."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.datasets.simulated_histology.dials import Dials
from beyond_alignment.datasets.simulated_histology.random_fields import at_points, smooth_grid

CORE_BITS = ("shared", "expression", "pair_expression")
"""Bits that the core genes show."""
SHAPE_BITS = ("shared", "morphology", "pair_morphology")
"""Bits that the nuclei show."""
BITS = ("shared", "expression", "morphology", "pair_expression", "pair_morphology")
_TERMS = ("redundancy", "unique1", "unique2", "synergy")

LABEL_BITS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        name: MappingProxyType(dict(zip(_TERMS, bits, strict=True)))
        for name, bits in {
            "redundant": (1.0, 0.0, 0.0, 0.0),
            "unique_expression": (0.0, 1.0, 0.0, 0.0),
            "unique_morphology": (0.0, 0.0, 1.0, 0.0),
            "synergy": (0.0, 0.0, 0.0, 1.0),
            "all": (1.0, 1.0, 1.0, 1.0),
        }.items()
    }
)
"""Label of a cell -> its decomposition in bits.

The first source is the bits of the core genes (``CORE_BITS``), the second those of the nuclei (``SHAPE_BITS``); ``all``
is the label of sixteen classes made of the other four. Exact for bits that are independent fair coins, as they are over
cells drawn at random. Counts and pictures show the bits with noise, so what can be measured from them is at most this.
"""


def draw_bits(rng: np.random.Generator, points: NDArray[np.float64], size_um: float, dials: Dials) -> pd.DataFrame:
    """Draw the bits of cells: each is 1 for the half of the field's cells in which a smooth field is higher.

    The bits of the pair are ``pair_expression``, which changes every ``co_location_um``, and ``pair_morphology``, which
    equals it or is its opposite according to a slow bit, their exclusive-or: over an area that is wide for
    ``co_location_um`` either is a half on average whatever the exclusive-or is.

    Parameters
    ----------
    rng
        Decides the fields.
    points
        x and y of the cells in microns (cell, 2).
    size_um
        Side of the field.
    dials
        Reads ``niche_um`` and ``co_location_um``.

    Returns
    -------
    pandas.DataFrame
        A row a cell, 0 or 1: the columns ``BITS``.
    """
    scales = (*(dials.niche_um,) * 4, dials.co_location_um)
    shared, expression, morphology, differ, pair = (
        _bit(part, points, size_um, scale) for part, scale in zip(rng.spawn(5), scales, strict=True)
    )
    columns = (shared, expression, morphology, pair, pair ^ differ)
    return pd.DataFrame(dict(zip(BITS, columns, strict=True)))


def scores(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the score, -1 or +1, of each cell on the programmes that are made of bits.

    Parameters
    ----------
    cells
        With the columns ``BITS``.

    Returns
    -------
    pandas.DataFrame
        A row a cell: redundant, unique_expression, unique_morphology, synergy (+1 where the bits of the pair differ).
    """
    bits = {
        "redundant": cells["shared"],
        "unique_expression": cells["expression"],
        "unique_morphology": cells["morphology"],
        "synergy": cells["pair_expression"] ^ cells["pair_morphology"],
    }
    return pd.DataFrame({name: 2 * bit.astype(np.int8) - 1 for name, bit in bits.items()})


def _bit(rng: np.random.Generator, points: NDArray[np.float64], size_um: float, change_um: float) -> NDArray[np.int8]:
    """Return 1 for the half of the points in which a field is higher (point,)."""
    if change_um > 0:
        values = at_points(smooth_grid(rng, size_um, change_um), points, size_um)
    else:
        values = rng.standard_normal(len(points))
    return (values > np.median(values)).astype(np.int8)
