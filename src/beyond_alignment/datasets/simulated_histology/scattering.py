"""Transcripts of simulated cells: how many of each gene, and where they come to lie."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scattered:
    """Transcripts in microns.

    Attributes
    ----------
    gene
        Column of the expected counts (transcript,).
    cell
        Row of the expected counts, -1 for an ambient one (transcript,).
    places
        x and y in microns (transcript, 2).
    """

    gene: NDArray[np.int64]
    cell: NDArray[np.int64]
    places: NDArray[np.float64]


def scatter(
    rng: np.random.Generator,
    expected: NDArray[np.float64],
    centres: NDArray[np.float64],
    radius_um: NDArray[np.float64],
    *,
    size_um: float,
    diffusion_um: float,
    ambient: float,
) -> Scattered:
    """Draw transcripts in and around cells.

    A cell makes Poisson numbers with the mean (1 - ambient) * expected, evenly over a disc of its radius; each then
    walks a normal step, so that along each axis its variance about the centre is radius^2 / 4 + diffusion^2. The
    ambient ones, Poisson with the mean of the rest, lie anywhere. What walks out of the field is not seen.

    Parameters
    ----------
    rng
        Decides numbers and places.
    expected
        Mean transcripts (cell, gene).
    centres
        x and y of the cells in microns (cell, 2).
    radius_um
        Of the cells (cell,).
    size_um
        Side of the field.
    diffusion_um, ambient
        The dials.
    """
    numbers, places_rng = rng.spawn(2)
    counts = numbers.poisson((1.0 - ambient) * expected)
    n_genes = expected.shape[1]
    cell, gene = np.divmod(np.repeat(np.arange(counts.size), counts.ravel()), n_genes)
    radius = radius_um[cell] * np.sqrt(places_rng.random(len(cell)))
    turn = places_rng.uniform(0.0, 2.0 * np.pi, len(cell))
    places = centres[cell] + radius[:, np.newaxis] * np.column_stack([np.cos(turn), np.sin(turn)])
    places += diffusion_um * places_rng.standard_normal(places.shape)
    loose = np.repeat(np.arange(n_genes), numbers.poisson(ambient * expected.sum(axis=0)))
    gene = np.concatenate([gene, loose])
    cell = np.concatenate([cell, np.full(len(loose), -1)])
    places = np.vstack([places, places_rng.uniform(0.0, size_um, (len(loose), 2))])
    inside = ((places >= 0.0) & (places < size_um)).all(axis=1)
    return Scattered(gene[inside], cell[inside], places[inside])
