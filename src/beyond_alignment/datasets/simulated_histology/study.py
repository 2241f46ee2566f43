"""Simulated fields of several donors."""

from collections.abc import Mapping

from rich.progress import track

from beyond_alignment.datasets.console import terminal_console
from beyond_alignment.datasets.simulated_histology.checks import check_whole
from beyond_alignment.datasets.simulated_histology.dials import Dials, as_dials
from beyond_alignment.datasets.simulated_histology.field import SimulatedField, simulate_field


def simulate_fields(
    *,
    n_donors: int = 4,
    fields_per_donor: int = 1,
    size_um: float = 1000.0,
    microns_per_pixel: float = 0.5,
    dials: Dials | Mapping[str, float] | None = None,
    n_core_genes: int = 80,
    n_addon_genes: int = 40,
    seed: int = 0,
) -> tuple[SimulatedField, ...]:
    """Simulate the fields of a study, donor by donor: the same genes and dials, each donor with its stain and shifts.

    Parameters
    ----------
    n_donors, fields_per_donor
        Donors, and fields of each.
    size_um, microns_per_pixel, dials, n_core_genes, n_addon_genes, seed
        As in :func:`simulate_field`.

    Raises
    ------
    InputError
        As :func:`simulate_field` does, or if there is not one donor and one field.
    """
    for name, value in (("n_donors", n_donors), ("fields_per_donor", fields_per_donor)):
        check_whole(name, value, least=1)
    chosen = as_dials(dials)
    console = terminal_console()
    return tuple(
        simulate_field(
            size_um=size_um,
            microns_per_pixel=microns_per_pixel,
            dials=chosen,
            n_core_genes=n_core_genes,
            n_addon_genes=n_addon_genes,
            donor=donor,
            section=section,
            seed=seed,
        )
        for donor in track(range(n_donors), "simulated donors", console=console, transient=True)
        for section in range(fields_per_donor)
    )
