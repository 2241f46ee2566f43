"""Core and add-on genes of simulated tissue: what each follows, and the counts expected of it."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.datasets.simulated_histology.bits import CORE_BITS, scores
from beyond_alignment.datasets.simulated_histology.dials import PROGRAMMES, Dials
from beyond_alignment.datasets.simulated_histology.placing import CELL_TYPES

_MARKS = (*CORE_BITS, *CELL_TYPES, *CORE_BITS, "nothing")  # dealt out to the core genes in turn
_SPREAD = 0.8  # of the log of the mean count over genes
_CONCENTRATION = 0.5  # of the Dirichlet law of an add-on gene's shares: most genes follow one or two programmes


def draw_genes(
    rng: np.random.Generator, dials: Dials, *, n_core: int, n_addon: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the genes of a study, the same for all its donors.

    A core gene marks one bit (up or down in turn, so that their sum says little), one cell type, or nothing. An add-on
    gene g has shares p_gk of the programmes whose dials d_k are on, from a symmetric Dirichlet law, and follows each
    with the loading d_k sqrt(p_gk), up or down at random.

    Parameters
    ----------
    rng
        Decides them.
    dials
        Reads the programmes, ``core`` and ``transcripts_per_cell``.
    n_core, n_addon
        Number of genes.

    Returns
    -------
    core
        A row a gene, by name: base_per_cell, marked_type, and loadings on cell_type and on each of ``CORE_BITS``.
    addon
        A row a gene, by name: base_per_cell, marked_type, and loadings on each of ``PROGRAMMES``.
    """
    level = np.exp(_SPREAD * rng.standard_normal(n_core + n_addon))
    base = level * (dials.transcripts_per_cell / level.sum())
    kinds = [_MARKS[i % len(_MARKS)] for i in range(n_core)]
    core = pd.DataFrame(
        {"base_per_cell": base[:n_core], "marked_type": [kind if kind in CELL_TYPES else "" for kind in kinds]},
        index=[f"simulated_core_{i + 1:03d}" for i in range(n_core)],
    ).rename_axis("gene")
    core["cell_type"] = np.where(core["marked_type"] != "", dials.core, 0.0)
    for bit in CORE_BITS:
        marks = np.array(kinds) == bit
        core[bit] = np.where(marks, dials.core * np.where(np.cumsum(marks) % 2, 1.0, -1.0), 0.0)
    addon = pd.DataFrame(
        {"base_per_cell": base[n_core:], "marked_type": rng.choice(CELL_TYPES, n_addon)},
        index=[f"simulated_addon_{i + 1:03d}" for i in range(n_addon)],
    ).rename_axis("gene")
    weights = np.array([getattr(dials, name) for name in PROGRAMMES])
    parts = rng.gamma(_CONCENTRATION, size=(n_addon, len(PROGRAMMES))) + 1e-9
    parts *= weights > 0
    shares = parts / np.maximum(parts.sum(axis=1, keepdims=True), 1e-12)
    signs = rng.choice([-1.0, 1.0], (n_addon, len(PROGRAMMES)))
    signs[:, PROGRAMMES.index("cell_type")] = 1.0
    addon[list(PROGRAMMES)] = weights * np.sqrt(shares) * signs
    return core, addon


def expected_counts(genes: pd.DataFrame, cells: pd.DataFrame) -> NDArray[np.float64]:
    """Return the mean transcripts of each gene in each cell (cell, gene), before the donor and the ambient share.

    base * exp(a_type [the marked type]) * product over scores s of exp(a s) / cosh(a): a score is -1 or +1 in half of
    the cells each, so that a loading does not move the mean over cells.

    Parameters
    ----------
    genes
        Either table of ``draw_genes``.
    cells
        With cell_type and the columns ``BITS``.
    """
    values = pd.concat([2.0 * cells[list(CORE_BITS)] - 1.0, scores(cells)], axis=1)
    names = [name for name in genes.columns if name in values.columns]
    loadings = genes[names].to_numpy()
    marked = cells["cell_type"].astype(str).to_numpy()[:, np.newaxis] == genes["marked_type"].to_numpy()
    log_rate = values[names].to_numpy() @ loadings.T + marked * genes["cell_type"].to_numpy()
    scale = genes["base_per_cell"].to_numpy() / np.cosh(loadings).prod(axis=1)
    return np.asarray(np.exp(log_rate) * scale)


def truth_of(addon: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Add to the add-on genes what share of the variance of their log rate over cells each programme makes.

    The variance is a_k^2 for a score of -1 or +1, each in half of the cells, and a^2 f (1 - f) for a cell type that is
    a share f of the cells.

    Parameters
    ----------
    addon
        As ``draw_genes`` returns it.
    cells
        Of the field, with cell_type.

    Returns
    -------
    pandas.DataFrame
        With the columns share_<programme>; core_share, what the core genes show (cell type, redundant, unique to
        expression); nuclei_share, what the nuclei show (cell type, redundant, unique to morphology). All are 0 for a
        gene that follows nothing.
    """
    variance = addon[list(PROGRAMMES)] ** 2
    frequency = addon["marked_type"].map(cells["cell_type"].astype(str).value_counts() / len(cells)).fillna(0.0)
    variance["cell_type"] *= frequency * (1.0 - frequency)
    total = variance.sum(axis=1)
    shares = variance.div(total.where(total > 0, 1.0), axis=0).add_prefix("share_")
    both = shares["share_cell_type"] + shares["share_redundant"]
    return addon.join(shares).assign(
        core_share=both + shares["share_unique_expression"], nuclei_share=both + shares["share_unique_morphology"]
    )
