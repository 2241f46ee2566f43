"""States of the sources and labels, drawn from a joint table."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from beyond_alignment.errors import InputError
from beyond_alignment.information.known_truth.scenario import Scenario
from beyond_alignment.information.known_truth.sections import normal_fields

FEWEST_PER_CLASS = 10
N_TRIES = 1000


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
    cell = np.empty(len(fields), dtype=np.int64)
    for donor, table in enumerate(tilted_tables(scenario, groups)):
        inside = groups == donor
        cell[inside] = _cells(table.transpose(2, 0, 1).ravel(), fields[inside])
    y, i, j = np.unravel_index(cell, (scenario.classes, *scenario.p.shape[:2]))
    return i.astype(np.int64), j.astype(np.int64), y.astype(np.int64)


def _cells(shares: NDArray[np.float64], fields: NDArray[np.float64]) -> NDArray[np.int64]:
    """Cell of each standard normal value, by the inverse of the cells' cumulative shares."""
    occupied = np.flatnonzero(shares)
    edges = np.cumsum(shares[occupied])
    found = np.searchsorted(edges / edges[-1], ndtr(fields), side="right")
    return np.asarray(occupied[np.minimum(found, len(occupied) - 1)])


def deal_states(
    scenario: Scenario, coordinates: NDArray[np.float64], groups: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Deal the labels of every donor to shares of its own, and draw the states from the table given the label.

    Each class of a donor lies where a smooth field is low, high or between, as the class's number is; a second field
    decides the states. Returns state of the first source, state of the second, and label, each (sample,).
    """
    counts = dealt_counts(scenario, np.bincount(groups), rng)
    fields = normal_fields(coordinates, groups, n_fields=2, spatial_range=scenario.spatial_range, rng=rng)
    cell, y = np.empty(len(groups), dtype=np.int64), np.empty(len(groups), dtype=np.int64)
    y[np.lexsort((fields[:, 0], groups))] = np.concatenate([np.repeat(np.arange(scenario.classes), c) for c in counts])
    for label in range(scenario.classes):
        cell[y == label] = _cells(scenario.p[:, :, label].ravel(), fields[y == label, 1])
    i, j = np.unravel_index(cell, scenario.p.shape[:2])
    return i.astype(np.int64), j.astype(np.int64), y


def dealt_counts(scenario: Scenario, sizes: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the samples of each class in each donor (donor, class): Dirichlet shares, rounded to whole samples.

    All shares are drawn again until every class has `FEWEST_PER_CLASS` samples, in two donors at least.
    """
    for _ in range(N_TRIES):
        even = np.tile(scenario.prior, (len(sizes), 1))
        spread = scenario.share_spread
        shares = rng.dirichlet(scenario.prior / spread, len(sizes)) if spread > 0 else even
        exact = shares * sizes[:, None]
        counts = np.floor(exact).astype(np.int64)
        rank = np.argsort(np.argsort(counts - exact, axis=1, kind="stable"), axis=1)
        counts += rank < (sizes - counts.sum(axis=1))[:, None]
        if counts.sum(axis=0).min() >= FEWEST_PER_CLASS and (counts > 0).sum(axis=0).min() >= 2:
            return counts
    raise InputError(
        f"{sizes.sum()} samples of {scenario.name!r} leave a class with fewer than {FEWEST_PER_CLASS} or in one donor"
        " alone; pass more samples."
    )
