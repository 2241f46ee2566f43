"""Simulated fields of tissue: an H&E-like picture with transcripts whose information is dialled."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.datasets.simulated_histology.bits import draw_bits
from beyond_alignment.datasets.simulated_histology.checks import check_sizes, check_whole
from beyond_alignment.datasets.simulated_histology.compartments import draw_compartments
from beyond_alignment.datasets.simulated_histology.dials import Dials, as_dials
from beyond_alignment.datasets.simulated_histology.genes import draw_genes, expected_counts, truth_of
from beyond_alignment.datasets.simulated_histology.painting import paint
from beyond_alignment.datasets.simulated_histology.placing import place_cells
from beyond_alignment.datasets.simulated_histology.random_fields import stream
from beyond_alignment.datasets.simulated_histology.scattering import scatter
from beyond_alignment.datasets.simulated_histology.shapes import cell_radius_um, draw_shapes
from beyond_alignment.datasets.simulated_histology.staining import Stain, draw_stain
from beyond_alignment.datasets.transcripts import TranscriptsOnImage

_GENES, _DONOR, _FIELD = range(3)
_GENE_SHIFT = 0.2
_COMPARTMENT_UM = 250.0


@dataclass(frozen=True)
class SimulatedField:
    """A field of simulated tissue with its truth.

    Attributes
    ----------
    on_image
        Picture and transcripts; genes are a categorical of core and add-on genes.
    cells
        A row a cell: x_um, y_um; cell_type; niche, the compartment; angle of the nucleus in radians; the bits shared,
        expression, morphology, pair_expression, pair_morphology (0 or 1); nucleus_um, nucleus_aspect, chromatin; and
        cell_radius_um.
    transcript_cells
        Row of ``cells`` that made each transcript, -1 for an ambient one (transcript,).
    core_genes, addon_genes
        Names.
    core
        A row a core gene: base_per_cell, marked_type, loadings on cell_type, shared, expression, pair_expression.
    truth
        A row an add-on gene: base_per_cell, marked_type, loadings on and shares of each programme, core_share and
        nuclei_share; see ``truth_of``.
    gene_shifts
        The donor's shift of the log rate of each core and add-on gene (gene,).
    stain
        Of the donor.
    dials
        As set.
    name
        "simulated D<donor + 1>S<section + 1>".
    donor, section, seed
        As given.
    """

    on_image: TranscriptsOnImage
    cells: pd.DataFrame
    transcript_cells: NDArray[np.int64]
    core_genes: tuple[str, ...]
    addon_genes: tuple[str, ...]
    core: pd.DataFrame
    truth: pd.DataFrame
    gene_shifts: NDArray[np.float64]
    stain: Stain
    dials: Dials
    name: str
    donor: int
    section: int
    seed: int


def simulate_field(
    *,
    size_um: float = 2000.0,
    microns_per_pixel: float = 0.5,
    dials: Dials | Mapping[str, float] | None = None,
    n_core_genes: int = 80,
    n_addon_genes: int = 40,
    donor: int = 0,
    section: int = 0,
    seed: int = 0,
) -> SimulatedField:
    """Simulate a square field of tissue.

    Compartments (stroma, glands, solid tumour, immune aggregates, fat), glands and vessels are laid out; cells are
    placed and given five bits each; the bits shape nuclei and the rates of genes as :class:`Dials` says. What a seed
    decides does not hang on a dial that it is not about, nor on the resolution: fields of one seed, donor and section
    have the same cells at every scale of the image, and differ by one dial in its effect alone.

    Parameters
    ----------
    size_um
        Side of the field in microns, at least 100.
    microns_per_pixel
        Of the image, 0.1 to 4.
    dials
        Strengths of the programmes and the rest; a mapping changes the dials that it names.
    n_core_genes
        Genes that serve as input, at least 3.
    n_addon_genes
        Genes to predict, at least 1.
    donor
        Whose stain and gene rates; 0 and up.
    section
        Which field of the donor; 0 and up.
    seed
        Of the study; genes follow the same programmes in all its fields.

    Raises
    ------
    InputError
        If a size, a number of genes, the donor, the section, the seed or a dial is out of its range.
    """
    chosen = as_dials(dials)
    check_sizes(size_um, microns_per_pixel)
    least = {"n_core_genes": 3, "n_addon_genes": 1, "donor": 0, "section": 0, "seed": 0}
    for (name, low), value in zip(least.items(), (n_core_genes, n_addon_genes, donor, section, seed), strict=True):
        check_whole(name, value, least=low)
    core, addon = draw_genes(stream(seed, _GENES), chosen, n_core=n_core_genes, n_addon=n_addon_genes)
    of_stain, of_genes = stream(seed, _DONOR, donor).spawn(2)
    stain = draw_stain(of_stain, donor_effect=chosen.donor_effect)
    shifts = _GENE_SHIFT * chosen.donor_effect * of_genes.standard_normal(n_core_genes + n_addon_genes)
    layout, places, bits, shapes, counts, picture = stream(seed, _FIELD, donor, section).spawn(6)
    plan = draw_compartments(layout, size_um, chosen.niche_um or _COMPARTMENT_UM)
    cells = place_cells(places, plan)
    centres = cells[["x_um", "y_um"]].to_numpy()
    cells = cells.join(draw_bits(bits, centres, size_um, chosen))
    cells = cells.join(draw_shapes(shapes, cells, contrast=chosen.shape)).assign(cell_radius_um=cell_radius_um(cells))
    expected = np.hstack([expected_counts(core, cells), expected_counts(addon, cells)]) * np.exp(shifts)
    scattered = scatter(
        counts,
        expected,
        centres,
        cells["cell_radius_um"].to_numpy(),
        size_um=size_um,
        diffusion_um=chosen.diffusion_um,
        ambient=chosen.ambient,
    )
    n_pixels = int(size_um / microns_per_pixel + 1e-6)
    image = paint(picture, plan, cells, stain, n=n_pixels, microns_per_pixel=microns_per_pixel)
    names = [*core.index, *addon.index]
    pixels = scattered.places / microns_per_pixel
    seen = (pixels < n_pixels).all(axis=1)
    table = pd.DataFrame(
        {
            "gene": pd.Categorical.from_codes(scattered.gene[seen], categories=names),
            "x": pixels[seen, 0],
            "y": pixels[seen, 1],
        }
    )
    return SimulatedField(
        on_image=TranscriptsOnImage(image, table, float(microns_per_pixel)),
        cells=cells,
        transcript_cells=scattered.cell[seen],
        core_genes=tuple(core.index),
        addon_genes=tuple(addon.index),
        core=core,
        truth=truth_of(addon, cells),
        gene_shifts=shifts,
        stain=stain,
        dials=chosen,
        name=f"simulated D{donor + 1}S{section + 1}",
        donor=donor,
        section=section,
        seed=seed,
    )
