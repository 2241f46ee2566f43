"""The dials of the simulated tissue."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

import numpy as np

from beyond_alignment.errors import InputError

PROGRAMMES = ("cell_type", "redundant", "unique_expression", "unique_morphology", "synergy")
_AT_MOST = {"core": 3.0, "shape": 2.0, "donor_effect": 3.0, "diffusion_um": 50.0, "ambient": 0.9}
_WEIGHT_AT_MOST = 3.0
_LENGTHS = ("niche_um", "co_location_um")
_SHORTEST_UM, _LONGEST_UM = 8.0, 1e5


@dataclass(frozen=True)
class Dials:
    """What decides the add-on genes of simulated tissue, and how clearly picture and core genes show it.

    The first five are the strengths of the programmes of the add-on genes: the change in the log of a gene's rate when
    a score goes from 0 to +1 (for ``cell_type``: from other cells to the marked type) where the gene follows that
    programme alone; 0 is off, 3 the most. A gene that follows several has a share of each, see ``addon_genes``.

    Parameters
    ----------
    cell_type
        The gene's own cell type, which core genes and nuclei both show.
    redundant
        The bit ``shared``, which core genes and nuclei both show.
    unique_expression
        The bit ``expression``, which only core genes show.
    unique_morphology
        The bit ``morphology``, which only nuclei show.
    synergy
        The exclusive-or of ``pair_expression``, which only core genes show, and ``pair_morphology``, which only nuclei
        show.
    core
        The same change of log rate for the core genes that mark a bit or a cell type; 0 to 3.
    shape
        Contrast of the nuclei between a bit of 0 and of 1; 1 as in the documentation, 0 no trace in the picture; to 2.
    niche_um
        Mean distance in microns, along a line, between changes of the slow bits (shared, expression, morphology, and
        the exclusive-or of the pair); the compartments of the tissue have the same scale. 0: each cell on its own, the
        compartments as at 250.
    co_location_um
        The same for the two bits of the pair. Well under the side of a tile, the mean of either over the tile is about
        a half wherever the tile lies. 0: each cell on its own.
    transcripts_per_cell
        Mean transcripts of a cell over the core and add-on genes where no programme acts.
    diffusion_um
        Standard deviation of a transcript's walk from where it was made, along each axis, microns.
    ambient
        Share of the transcripts that lie anywhere in the field; 0 to 0.9.
    donor_effect
        Scale of what differs between donors: stain strengths and hue, and the log rate of each gene; 0 is none.

    Raises
    ------
    InputError
        If a dial is not a number in its range.
    """

    cell_type: float = 0.7
    redundant: float = 0.7
    unique_expression: float = 0.7
    unique_morphology: float = 0.7
    synergy: float = 0.7
    core: float = 1.0
    shape: float = 1.0
    niche_um: float = 250.0
    co_location_um: float = 40.0
    transcripts_per_cell: float = 100.0
    diffusion_um: float = 1.5
    ambient: float = 0.03
    donor_effect: float = 1.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            high = _WEIGHT_AT_MOST if name in PROGRAMMES else _AT_MOST.get(name, _LONGEST_UM)
            if isinstance(value, bool) or not isinstance(value, int | float | np.number):
                msg = f"The dial {name!r} is {value!r}: give a number."
                raise InputError(msg)
            if not 0.0 <= float(value) <= high:
                msg = f"The dial {name!r} is {value}: give a number from 0 to {high:g}."
                raise InputError(msg)
            if name in _LENGTHS and 0.0 < float(value) < _SHORTEST_UM:
                least = f"0 (each cell on its own) or {_SHORTEST_UM:g} um and more"
                msg = f"The dial {name!r} is {value} um, less than a cell: give {least}."
                raise InputError(msg)


def as_dials(dials: Dials | Mapping[str, float] | None) -> Dials:
    """Return dials from dials, from a mapping of some of their names to values, or the default ones.

    Parameters
    ----------
    dials
        What to take; the dials that a mapping does not name keep their defaults.

    Raises
    ------
    InputError
        If a name is not a dial, or a value is out of its range.
    """
    if dials is None or isinstance(dials, Dials):
        return dials or Dials()
    if not isinstance(dials, Mapping):
        msg = f"The dials are a {type(dials).__name__}: give Dials(...) or a mapping of names to numbers."
        raise InputError(msg)
    known = [field.name for field in fields(Dials)]
    unknown = [str(name) for name in dials if name not in known]
    if unknown:
        msg = f"There is no dial {', '.join(unknown)}: choose among {', '.join(known)}."
        raise InputError(msg)
    return Dials(**dials)
