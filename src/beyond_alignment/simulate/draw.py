"""Samples of a scenario: paired embeddings, labels, donors and places.

Symbols become points on interleaved spirals, and these with nuisance latents go through a random injective map.
"""

from dataclasses import asdict, dataclass, replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import ortho_group

from beyond_alignment.errors import InputError
from beyond_alignment.information.exact import PID, mutual_information
from beyond_alignment.simulate.scenario import Family, Scenario, Symbol, decompose
from beyond_alignment.simulate.scenarios import find
from beyond_alignment.simulate.tables import with_prior

START_RADIUS = 1.0
GRID = 512
"""Of the spirals: distance of the first point from the centre, and points on which lengths are computed."""

SLOPE = 0.2
"""Of negative values in the leaky rectifier."""

SCALE_OF_BATCH = 0.2
"""Standard deviation of the logarithm of a donor's scale, a unit of batch effect."""

PITCH_UM = 100.0
SECTION_GAP_UM = 1000.0
N_WAVES = 256
WHITE_SHARE = 0.2
"""Share of a smooth field's variance that is white."""

FEWEST_PER_CLASS = 10
N_TRIES = 1000


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
        of_donors = [asdict(decompose(with_prior(self.p, shares))) for shares in self.shares]
        sizes = np.bincount(self.groups)
        return PID(**{term: float(np.average([d[term] for d in of_donors], weights=sizes)) for term in of_donors[0]})

    @property
    def group_information(self) -> float:
        """What the donor tells about the label by the shares of the classes alone, in bits."""
        weights = np.bincount(self.groups) / len(self.groups)
        return float(mutual_information(weights[:, None] * self.shares))


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


def donor_of_samples(n: int, n_donors: int) -> NDArray[np.int64]:
    """Donor of every sample (sample,), in consecutive runs of nearly equal length."""
    return np.arange(n, dtype=np.int64) * n_donors // n


def spot_coordinates(groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Place spots on a hexagonal lattice, one section a donor: x and y (sample, 2) in microns.

    Donors are in consecutive runs; neighbours lie `PITCH_UM` apart, sections in a row with a gap of `SECTION_GAP_UM`.
    """
    sizes = np.bincount(groups)
    side = int(np.ceil(np.sqrt(sizes.max())))
    spot = np.arange(len(groups)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    row, column = spot // side, spot % side
    x = PITCH_UM * (column + 0.5 * (row % 2)) + groups * (PITCH_UM * side + SECTION_GAP_UM)
    return np.column_stack([x, PITCH_UM * np.sqrt(3) / 2 * row])


def normal_fields(
    coordinates: NDArray[np.float64],
    groups: NDArray[np.int64],
    *,
    n_fields: int,
    spatial_range: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Draw independent standard normal fields (sample, field), smooth within each section and new in every donor.

    A share of 1 - `WHITE_SHARE` of the variance has the correlation exp(-distance^2 / (2 range^2)), by random waves
    with normal amplitudes; the rest is white, and all of it is at a range of 0. Each value on its own is exactly
    standard normal.
    """
    white = rng.standard_normal((len(groups), n_fields))
    if spatial_range == 0:
        return white
    smooth = np.empty_like(white)
    for donor in np.unique(groups):
        inside = groups == donor
        for field in range(n_fields):
            waves = rng.standard_normal((2, N_WAVES)) / spatial_range
            amplitudes = rng.standard_normal((2, N_WAVES)) / np.sqrt(N_WAVES)
            phase = coordinates[inside] @ waves
            smooth[inside, field] = np.cos(phase) @ amplitudes[0] + np.sin(phase) @ amplitudes[1]
    return np.asarray(np.sqrt(1 - WHITE_SHARE) * smooth + np.sqrt(WHITE_SHARE) * white)


def tilted_tables(scenario: Scenario, groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Joint table of every donor (donor, i, j, y), whose average over the samples is the scenario's."""
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
    """Map a standard normal field (sample,) to the cells of the joint table by their cumulative shares.

    Each sample on its own follows the table exactly; samples depend on one another as the field does. Cells of one
    class are neighbours in that order, so that smooth fields make patches of one class. Returns state of the first
    source, state of the second, and label, each (sample,).
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


def symbol_coordinates(
    state: NDArray[np.int64], held: tuple[Symbol, ...], *, sweep: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Place the symbols of a source's states on their curves: latents (sample, 2 x symbol) that tell the state.

    Each symbol has a plane of its own, and where on its curve a sample lies is random.
    """
    planes = []
    for value, symbol in zip(np.unravel_index(state, [s.n_values for s in held]), held, strict=True):
        position = rng.random(len(state))
        n_arms = 1 if symbol.continuous else symbol.n_values
        if symbol.continuous:
            value, position = np.zeros_like(value), (value + position) / symbol.n_values
        planes.append(arm_points(value, position, n_arms=n_arms, turns=sweep * default_turns(n_arms)))
    return np.hstack(planes)


def default_turns(n_arms: int) -> float:
    """Return the turns of an arm around the centre: enough that the arms interleave, less for more arms."""
    return 1.0 if n_arms == 1 else 0.4 + 0.6 / n_arms


def arm_points(
    arm: NDArray[np.int64], position: NDArray[np.float64], *, n_arms: int, turns: float
) -> NDArray[np.float64]:
    """Points (sample, 2) on interleaved arms of a spiral, neighbouring arms being equally far apart everywhere.

    A position, from 0 to 1, is in proportion to the length along the arm; uniform positions on all arms have unit
    variance along each axis. An arm winds `turns` times around the centre.
    """
    grid = np.linspace(0, 1, GRID)
    radius = START_RADIUS + n_arms * turns * grid
    speed = np.hypot(2 * np.pi * turns * radius, n_arms * turns)
    length = np.concatenate([[0], np.cumsum((speed[1:] + speed[:-1]) / 2)])
    time = np.interp(position, length / length[-1], grid)
    angle = 2 * np.pi * (turns * time + arm / n_arms)
    points = (START_RADIUS + n_arms * turns * time)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    mean_square = np.trapezoid(radius**2 * speed, grid) / np.trapezoid(speed, grid)
    return np.asarray(points / np.sqrt(mean_square / 2))


def _leaky(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Piecewise linear and invertible: negative values shrink."""
    return np.where(values > 0, values, SLOPE * values)


def _columns(rng: np.random.Generator, n_rows: int, n_columns: int) -> NDArray[np.float64]:
    """Random matrix with orthogonal columns that keeps the mean square per coordinate."""
    return np.linalg.qr(rng.standard_normal((n_rows, n_columns)))[0] * np.sqrt(n_rows / n_columns)


def injective_map(latents: NDArray[np.float64], *, d: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Embed latents (sample, latent) of about unit variance in d features by a random injective network of two layers.

    Each layer multiplies by a matrix with orthogonal columns (to d/2, then d dimensions), adds a bias and applies a
    leaky rectifier; a rotation mixes the result, and every feature then gets its own scale (log-normal) and mean.
    No step loses anything, so what the latents tell about a label the features tell too. The map does not depend on
    the number of samples.
    """
    m = latents.shape[1]
    if d < m:
        raise InputError(f"An embedding of {d} features has no room for {m} latent dimensions; pass at least {m}.")
    width = max(d // 2, m)
    rotation = np.atleast_2d(ortho_group.rvs(m, random_state=rng)) if m > 1 else np.eye(1)
    first, first_bias = _columns(rng, width, m), rng.standard_normal(width)
    second, second_bias = _columns(rng, d, width), rng.standard_normal(d)
    mixing, means, scales = _columns(rng, d, d), rng.standard_normal(d), np.exp(0.5 * rng.standard_normal(d))
    hidden = _leaky(latents @ rotation @ first.T + first_bias)
    hidden = _leaky(hidden @ second.T + second_bias)
    return np.asarray((hidden @ mixing.T + means) * scales)


def with_batch_effect(
    x: NDArray[np.float64], groups: NDArray[np.int64], *, effect: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Shift every feature of a donor by an amount of its own and scale the donor's whole embedding about the mean."""
    n_donors, mean = int(groups.max()) + 1, x.mean(axis=0)
    shift = effect * x.std(axis=0) * rng.standard_normal((n_donors, x.shape[1]))
    scale = np.exp(SCALE_OF_BATCH * effect * rng.standard_normal(n_donors))
    return np.asarray(mean + scale[groups, None] * (x - mean) + shift[groups])
