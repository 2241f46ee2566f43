"""States of the sources and labels, drawn from a joint table."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from beyond_alignment.information.known_truth.scenario import Scenario


def tilted_tables(scenario: Scenario, groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Joint table of every donor, whose average over the samples is the scenario's.

    Parameters
    ----------
    scenario
        The scenario; `donor_tilt` says how much the class priors differ.
    groups
        Donor (sample,).

    Returns
    -------
    Tables (donor, i, j, y).
    """
    sizes = np.bincount(groups)
    lean = np.linspace(-1, 1, scenario.classes) if scenario.classes > 1 else np.zeros(1)
    lean = lean - lean @ scenario.prior
    push = np.linspace(-1, 1, len(sizes)) if len(sizes) > 1 else np.zeros(1)
    push = push - push @ sizes / sizes.sum()
    largest = np.abs(np.outer(push, lean)).max()
    factors = 1 + scenario.donor_tilt * np.outer(push, lean) / (largest if largest > 0 else 1)
    return scenario.p[None] * factors[:, None, None, :]


def draw_states(
    scenario: Scenario, fields: NDArray[np.float64], groups: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Map a standard normal field to the cells of the joint table by the inverse of their cumulative shares.

    Each sample on its own follows the table exactly; samples depend on one another as the field does. Cells of one
    class are neighbours in that order, so that smooth fields make patches of one class.

    Parameters
    ----------
    scenario
        The scenario.
    fields
        Standard normal values (sample,).
    groups
        Donor (sample,).

    Returns
    -------
    State of the first source, state of the second, and label, each (sample,).
    """
    uniform = ndtr(fields)
    cell = np.empty(len(fields), dtype=np.int64)
    for donor, table in enumerate(tilted_tables(scenario, groups)):
        inside = groups == donor
        shares = table.transpose(2, 0, 1).ravel()
        occupied = np.flatnonzero(shares)
        edges = np.cumsum(shares[occupied])
        found = np.searchsorted(edges / edges[-1], uniform[inside], side="right")
        cell[inside] = occupied[np.minimum(found, len(occupied) - 1)]
    y, i, j = np.unravel_index(cell, (scenario.classes, *scenario.p.shape[:2]))
    return i.astype(np.int64), j.astype(np.int64), y.astype(np.int64)
