"""Samples of a scenario: paired embeddings, labels, donors and places."""

from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.information.discrete import mutual_information
from beyond_alignment.information.known_truth.curves import arm_points, default_turns
from beyond_alignment.information.known_truth.injection import injective_map, with_batch_effect
from beyond_alignment.information.known_truth.registry import conditional, decompose, find
from beyond_alignment.information.known_truth.scenario import Family, Scenario, Symbol
from beyond_alignment.information.known_truth.sections import donor_of_samples, normal_fields, spot_coordinates
from beyond_alignment.information.known_truth.states import deal_states, draw_states, tilted_tables
from beyond_alignment.information.known_truth.tables import with_prior
from beyond_alignment.information.pid import PID


@dataclass(frozen=True, eq=False)
class KnownTruthSample:
    """Paired embeddings drawn from a scenario.

    Attributes
    ----------
    name
        The scenario's name.
    x1, x2
        Embeddings (sample, feature).
    y
        Label (sample,), integers from 0.
    groups
        Donor (sample,), integers from 0, in consecutive runs.
    coordinates
        x and y (sample, 2) in microns.
    p
        The exact distribution `p[i, j, y]` that the samples follow, all donors together.
    state1, state2
        State of each source (sample,), which its embedding determines, if need be with the donor; no estimator may see
        them.
    family
        That of the scenario; in ``donors`` the truth is conditional on the donor.
    shares
        Share of each class in each donor (donor, class).
    """

    name: str
    x1: NDArray[np.float64]
    x2: NDArray[np.float64]
    y: NDArray[np.int64]
    groups: NDArray[np.int64]
    coordinates: NDArray[np.float64]
    p: NDArray[np.float64]
    state1: NDArray[np.int64]
    state2: NDArray[np.int64]
    family: Family
    shares: NDArray[np.float64]

    @property
    def pid(self) -> PID:
        """The exact decomposition, in bits; in the family ``donors`` the mean over the donors, weighted by size."""
        if self.family == "common":
            return decompose(self.p)
        return conditional(self.p, self.shares, np.bincount(self.groups))

    @property
    def group_information(self) -> float:
        """What the donor tells about the label by the shares of the classes alone, in bits."""
        weights = np.bincount(self.groups) / len(self.groups)
        return float(mutual_information(weights[:, None] * self.shares))


def symbol_coordinates(
    state: NDArray[np.int64], held: tuple[Symbol, ...], *, sweep: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Place the symbols of a source on their curves, each in a plane of its own.

    Parameters
    ----------
    state
        State of the source (sample,).
    held
        The symbols of the source.
    sweep
        How far the arms wind, relative to the default.
    rng
        Decides where on its curve each sample lies.

    Returns
    -------
    Latent coordinates (sample, 2 x symbol), from which the state can be read off without error.
    """
    planes = []
    for value, symbol in zip(np.unravel_index(state, [s.n_values for s in held]), held, strict=True):
        position = rng.random(len(state))
        n_arms = 1 if symbol.continuous else symbol.n_values
        if symbol.continuous:
            value, position = np.zeros_like(value), (value + position) / symbol.n_values
        planes.append(arm_points(value, position, n_arms=n_arms, turns=sweep * default_turns(n_arms)))
    return np.hstack(planes)


def draw(
    scenario: Scenario | str,
    *,
    n: int,
    d1: int | None = None,
    d2: int | None = None,
    seed: int,
    donors: bool = True,
) -> KnownTruthSample:
    """Draw samples of a scenario.

    Every symbol is a point on one of several interleaved arms of a spiral in its own plane; the points of all planes
    and the nuisance latents go through a random injective map into the features. There is no noise on top, so each
    embedding determines its source's state and the truth of the discrete table is the truth of the embeddings.

    Parameters
    ----------
    scenario
        A scenario or the name of one of `SCENARIOS`.
    n
        Number of samples.
    d1, d2
        Number of features of each embedding; the scenario's where None.
    seed
        Seed of the maps, the donors and the samples, together with the scenario's name. The maps do not depend on n.
    donors
        Whether donors differ; without, all have the shares of the classes of the scenario and no effect on features.

    Returns
    -------
    The samples with their exact truth.

    Raises
    ------
    InputError
        There is no scenario of that name, fewer samples than donors, a negative seed, an embedding without room for
        the latents, or too few samples for the classes of donors that differ.
    """
    scenario = find(scenario) if isinstance(scenario, str) else scenario
    if not donors:
        scenario = replace(scenario, group_effect=0.0, donor_tilt=0.0, share_spread=0.0, batch_effect=0.0)
    if n < scenario.n_donors:
        raise InputError(f"There are {n} samples for {scenario.n_donors} donors; pass at least one sample a donor.")
    if seed < 0:
        raise InputError(f"The seed is {seed}; pass an integer of 0 or more.")
    entropy = np.random.SeedSequence([seed, crc32(scenario.name.encode())])
    rng_fields, *rng_sources, rng_labels = (np.random.default_rng(s) for s in entropy.spawn(4))
    groups = donor_of_samples(n, scenario.n_donors)
    coordinates = spot_coordinates(groups)
    fields = normal_fields(
        coordinates,
        groups,
        n_fields=1 + 2 * scenario.n_nuisance,
        spatial_range=scenario.spatial_range,
        rng=rng_fields,
    )
    if scenario.family == "common":
        state1, state2, y = draw_states(scenario, fields[:, 0], groups)
        shares = tilted_tables(scenario, groups).sum(axis=(1, 2))
        p = scenario.p
    else:
        state1, state2, y = deal_states(scenario, coordinates, groups, rng_labels)
        shares = np.stack([np.bincount(y[groups == g], minlength=scenario.classes) for g in np.unique(groups)])
        p = with_prior(scenario.p, np.bincount(y, minlength=scenario.classes) / n)
    embeddings = []
    sources = (
        (state1, scenario.first, fields[:, 1 : 1 + scenario.n_nuisance], scenario.d1 if d1 is None else d1),
        (state2, scenario.second, fields[:, 1 + scenario.n_nuisance :], scenario.d2 if d2 is None else d2),
    )
    for (state, held, nuisance, d), rng in zip(sources, rng_sources, strict=True):
        rng_map, rng_donors, rng_place, rng_batch = rng.spawn(4)
        shift = scenario.group_effect * rng_donors.standard_normal((scenario.n_donors, scenario.n_nuisance))
        symbols = symbol_coordinates(state, held, sweep=scenario.sweep, rng=rng_place)
        latents = np.hstack([symbols, scenario.nuisance_sd * (nuisance + shift[groups])])
        x = injective_map(latents, d=d, rng=rng_map)
        if scenario.batch_effect > 0:
            x = with_batch_effect(x, groups, effect=scenario.batch_effect, rng=rng_batch)
        embeddings.append(x)
    return KnownTruthSample(
        name=scenario.name,
        x1=embeddings[0],
        x2=embeddings[1],
        y=y,
        groups=groups,
        coordinates=coordinates,
        p=p,
        state1=state1,
        state2=state2,
        family=scenario.family,
        shares=shares / shares.sum(axis=1, keepdims=True),
    )
