"""What a scenario of known truth is made of, mixtures in any proportion, and the exact decomposition of a table."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.information.exact import PID, broja, check_distribution
from beyond_alignment.information.gates import gate
from beyond_alignment.simulate.tables import with_label_noise

Role = Literal["tuning", "held_out"]
Family = Literal["common", "donors"]

MILD: Mapping[str, Any] = MappingProxyType({"n_nuisance": 3, "sweep": 0.8})
"""Fields of a scenario whose sources hold two symbols each, which would else take far more samples to learn."""


ROUNDING = 1e-12
"""Bits, or a share of a mixture, that rounding leaves behind."""

_truths: dict[bytes, PID] = {}


@dataclass(frozen=True)
class Symbol:
    """One thing that a source holds.

    Attributes
    ----------
    n_values
        Number of its values.
    continuous
        Whether the values are consecutive stretches of one curve (a continuous quantity cut into cells, uniform
        within each) instead of one interleaved arm each.
    """

    n_values: int
    continuous: bool = False


@dataclass(frozen=True, eq=False)
class Scenario:
    """An exact joint distribution of two sources and a label, and how it is observed.

    Attributes
    ----------
    name
        Identifier, lower case.
    title
        What a reader sees.
    role
        Whether estimators may be tuned on it.
    p
        `p[i, j, y]`, the joint probability of the state of either source and the label; read-only.
    first, second
        Symbols that the sources hold; state i of the first is the index, last symbol fastest, of its symbols' values.
    n_nuisance
        Continuous latents of each source that have nothing to do with the label or with the other source.
    nuisance_sd
        Their standard deviation, that of the symbols' coordinates being 1.
    sweep
        How far the arms wind, relative to the default.
    n_donors
        Number of donors, nearly equal in size.
    group_effect
        Standard deviation, over donors, of the mean of each nuisance latent, in units of `nuisance_sd`. Labels and
        symbols follow `p` in every donor.
    donor_tilt
        How much the class priors differ between donors (0 to 1: at 1 a class is absent from a donor); `p` holds over
        all donors. Excludes `group_effect`, which would make the nuisance informative of the label.
    spatial_range
        Length scale of the smooth random fields that states and nuisance follow within a donor's section, microns;
        0 for independent samples.
    d1, d2
        Default number of features.
    family
        ``common``: one law holds in all samples, and `p` is what the two sources tell. ``donors``: the laws of the
        donors differ as the two amounts below say, and the truth is conditional on the donor.
    share_spread
        How much the shares of the classes differ between donors: those of a donor are Dirichlet with the concentration
        prior / `share_spread`. The states given the class follow `p` in every donor.
    batch_effect
        Standard deviation, over donors, of a shift of each feature, in units of that of the feature; every donor also
        scales each embedding by a log-normal factor.
    """

    name: str
    title: str
    role: Role
    p: NDArray[np.float64]
    first: tuple[Symbol, ...]
    second: tuple[Symbol, ...]
    n_nuisance: int = 4
    nuisance_sd: float = 0.5
    sweep: float = 1.0
    n_donors: int = 10
    group_effect: float = 0.5
    donor_tilt: float = 0.0
    spatial_range: float = 0.0
    d1: int = 128
    d2: int = 128
    family: Family = "common"
    share_spread: float = 0.0
    batch_effect: float = 0.0

    def __post_init__(self) -> None:
        table = check_distribution(self.p, ndim=3)
        table.setflags(write=False)
        object.__setattr__(self, "p", table)
        states = tuple(int(np.prod([symbol.n_values for symbol in held])) for held in (self.first, self.second))
        if states != table.shape[:2]:
            raise InputError(f"The symbols of {self.name!r} make {states} states and the table has {table.shape[:2]}.")
        if not (table.sum(axis=(0, 1)) > 0).all():
            raise InputError(f"A class of {self.name!r} never occurs; leave it out of the table.")
        if self.role not in ("tuning", "held_out"):
            raise InputError(f"The role is {self.role!r}; pass 'tuning' or 'held_out'.")
        if self.n_nuisance < 0 or self.n_donors < 1:
            raise InputError(f"{self.name!r} has {self.n_nuisance} nuisance latents and {self.n_donors} donors.")
        amounts = (
            self.nuisance_sd,
            self.group_effect,
            self.spatial_range,
            self.donor_tilt,
            self.share_spread,
            self.batch_effect,
        )
        if not (np.isfinite(amounts).all() and min(amounts) >= 0 and self.donor_tilt <= 1 and self.sweep > 0):
            raise InputError(f"An amount of {self.name!r} is negative, not finite or, for a tilt, above 1.")
        if self.group_effect > 0 and self.donor_tilt > 0:
            raise InputError(f"{self.name!r} has donor effects and donor priors, which make the nuisance informative.")
        if self.family not in ("common", "donors"):
            raise InputError(f"The family of {self.name!r} is {self.family!r}; pass 'common' or 'donors'.")
        if self.family == "common" and (self.share_spread > 0 or self.batch_effect > 0):
            raise InputError(f"The donors of {self.name!r} differ; make it one of the family 'donors'.")
        if self.family == "donors" and (self.donor_tilt > 0 or self.n_donors < 2):
            raise InputError(
                f"{self.name!r} has {self.n_donors} donors of tilt {self.donor_tilt}; pass two donors or more and a"
                " spread of their shares instead of a tilt."
            )

    @property
    def classes(self) -> int:
        """Number of classes of the label."""
        return self.p.shape[2]

    @property
    def prior(self) -> NDArray[np.float64]:
        """Share of each class."""
        return cast(NDArray[np.float64], self.p.sum(axis=(0, 1)))


def symbols(*sizes: int) -> tuple[Symbol, ...]:
    """Discrete symbols of the given numbers of values."""
    return tuple(Symbol(size) for size in sizes)


def mixture(
    redundancy: float,
    unique1: float,
    unique2: float,
    synergy: float,
    *,
    rule_in_label: bool = False,
    error: float = 0.0,
    name: str = "mixture",
    title: str = "A mixture of rules",
    role: Role = "tuning",
    **observed: Any,
) -> Scenario:
    """Dial the shares of trials in which the label follows each rule.

    Both sources hold a switch, which says the trial's rule, and a bit of their own. The label is the bit common to both
    (redundancy), that of the first or of the second (unique), or their exclusive or (synergy). In the trials that are
    left the label is a coin. With `rule_in_label` the class also says the rule: the decomposition then has the dialled
    fractions as unique information and synergy, in bits, and the redundant fraction plus the entropy of the switch as
    redundancy. Without, one source's unique trials make up for the other's, and `min(unique1, unique2)` is moved from
    unique information to redundancy and synergy.

    Parameters
    ----------
    redundancy, unique1, unique2, synergy
        Shares of the trials, with a sum of 1 at most.
    rule_in_label
        Whether the class tells the rule as well (two classes a rule in use).
    error
        Probability that the label is another class than the rule says.
    name, title, role
        As in `Scenario`.
    **observed
        Further fields of `Scenario`; `n_nuisance` and `sweep` are those of `MILD` unless given.

    Returns
    -------
    The scenario.

    Raises
    ------
    InputError
        A share is negative or the shares exceed 1.
    """
    shares = (redundancy, unique1, unique2, synergy)
    total = sum(shares)
    if not np.isfinite(total) or min(shares) < 0 or total > 1 + ROUNDING:
        raise InputError(f"The shares of the mixture are {shares}; pass shares with a sum of at most 1.")
    rules = (*map(gate, ("redundant", "unique1", "unique2", "xor")), np.full((2, 2, 2), 1 / 8))
    used = [
        (rule, share) for rule, share in zip(rules, (*shares, max(1 - total, 0.0)), strict=True) if share > ROUNDING
    ]
    n_rules = len(used)
    blocks = np.zeros((n_rules, 2, n_rules, 2, n_rules, 2))
    for position, (rule, share) in enumerate(used):
        blocks[position, :, position, :, position if rule_in_label else 0] = share * rule
    p = blocks.reshape(2 * n_rules, 2 * n_rules, -1)
    p = p[:, :, p.sum(axis=(0, 1)) > 0]
    held = symbols(n_rules, 2) if n_rules > 1 else symbols(2)
    return Scenario(
        name=name,
        title=title,
        role=role,
        p=with_label_noise(p / p.sum(), error) if error else p / p.sum(),
        first=held,
        second=held,
        **{**MILD, **observed},
    )


def decompose(p: NDArray[np.float64]) -> PID:
    """Decompose a table, once a process; terms of the size of rounding are 0, so that no score is made of them.

    Parameters
    ----------
    p
        `p[i, j, y]` of the states of two sources and a label.

    Returns
    -------
    The decomposition in bits.
    """
    key = sha256(p.tobytes() + bytes(str(p.shape), "ascii")).digest()
    if key not in _truths:
        terms = {name: 0.0 if value < ROUNDING else value for name, value in asdict(broja(p)).items()}
        _truths[key] = PID(**terms)
    return _truths[key]
