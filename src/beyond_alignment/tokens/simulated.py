"""Tiles of several simulated donors, with the truth of their genes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from beyond_alignment.datasets.simulated_histology import Dials, simulate_fields
from beyond_alignment.datasets.simulated_histology.dials import PROGRAMMES
from beyond_alignment.datasets.simulated_histology.field import SimulatedField
from beyond_alignment.errors import InputError
from beyond_alignment.tokens.tiles import Tiles, make_tiles


@dataclass(frozen=True)
class SimulatedTiles:
    """Tiles of simulated donors with their truth.

    Attributes
    ----------
    tiles
        The tiles; ``group`` is the donor.
    fields
        What they were cut from.
    """

    tiles: Tiles
    fields: tuple[SimulatedField, ...]

    @property
    def core_share(self) -> pd.Series:
        """Share of each add-on gene's variance that core genes show, averaged over fields (gene,)."""
        return pd.concat([field.truth["core_share"] for field in self.fields], axis=1).mean(axis=1)


def simulated_tiles(
    *,
    n_donors: int = 4,
    size_um: float = 1000.0,
    microns_per_pixel: float = 1.0,
    dials: Dials | Mapping[str, float] | None = None,
    tile_um: float = 128.0,
    stride_um: float = 64.0,
    input_px: int = 64,
    patch_px: int = 16,
    min_transcripts: int = 300,
    seed: int = 0,
) -> SimulatedTiles:
    """Simulate a field of each donor and cut it into tiles.

    Parameters
    ----------
    n_donors, size_um, microns_per_pixel, dials, seed
        As in :func:`beyond_alignment.datasets.simulate_fields`.
    tile_um, stride_um, input_px, patch_px, min_transcripts
        As in :func:`make_tiles`.

    Raises
    ------
    InputError
        As both do.
    """
    fields = simulate_fields(
        n_donors=n_donors, size_um=size_um, microns_per_pixel=microns_per_pixel, dials=dials, seed=seed
    )
    tiles = make_tiles(
        [field.on_image for field in fields],
        core_genes=fields[0].core_genes,
        addon_genes=fields[0].addon_genes,
        groups=donor_names(fields),
        tile_um=tile_um,
        stride_um=stride_um,
        input_px=input_px,
        patch_px=patch_px,
        min_transcripts=min_transcripts,
    )
    return SimulatedTiles(tiles, fields)


def donor_names(fields: Sequence[SimulatedField]) -> list[str]:
    """Return the ``group`` of the tiles of each field (field,)."""
    return [f"donor {field.donor + 1}" for field in fields]


def only(*programmes: str) -> Dials:
    """Return the default dials with every programme of the add-on genes off but some.

    Parameters
    ----------
    programmes
        Names in ``PROGRAMMES`` of the simulated tissue.

    Raises
    ------
    InputError
        If there is no such programme.
    """
    if unknown := set(programmes) - set(PROGRAMMES):
        msg = f"There is no programme {', '.join(sorted(unknown))}: choose among {', '.join(PROGRAMMES)}."
        raise InputError(msg)
    return Dials(**{name: 0.0 for name in PROGRAMMES if name not in programmes})
