"""The decomposition of what two sources tell about a target: exact, and estimated from samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from beyond_alignment.information.discrete import JointInformations

NOTHING = 1e-12
"""Bits that rounding leaves behind; so little information has no shares."""

TERMS = (
    "redundancy",
    "unique1",
    "unique2",
    "synergy",
    "synergy_additive",
    "synergy_interaction",
    "sis",
    "sis_interaction",
    "I1",
    "I2",
    "I12",
)
"""Every quantity that carries an interval."""


@dataclass(frozen=True)
class PID:
    """Partial information decomposition of I(X1, X2; Y), in bits.

    Attributes
    ----------
    redundancy
        R, what both sources tell.
    unique1
        U1, what only the first tells.
    unique2
        U2, what only the second tells.
    synergy
        S, what only the two together tell; the sum of its two parts.
    synergy_additive
        The part of S that an additive model, log p(y | x1, x2) = f_y(x1) + g_y(x2) + c(x1, x2), reaches.
    synergy_interaction
        The part of S that no additive model reaches.
    gap
        Certified distance to the optimum, bits: the true union information lies at most this far below the value.
    """

    redundancy: float
    unique1: float
    unique2: float
    synergy: float
    synergy_additive: float
    synergy_interaction: float
    gap: float

    @property
    def I1(self) -> float:
        """I(X1; Y) = R + U1."""
        return self.redundancy + self.unique1

    @property
    def I2(self) -> float:
        """I(X2; Y) = R + U2."""
        return self.redundancy + self.unique2

    @property
    def union_information(self) -> float:
        """R + U1 + U2: the least that the two must tell together, given what each tells alone."""
        return self.redundancy + self.unique1 + self.unique2

    @property
    def I12(self) -> float:
        """I(X1, X2; Y) = R + U1 + U2 + S."""
        return self.union_information + self.synergy

    @property
    def sis(self) -> float:
        """Synergistic information score S / I(X1, X2; Y), from 0 to 1; 0 where there is no information."""
        return self._share(self.synergy)

    @property
    def sis_interaction(self) -> float:
        """Share of I(X1, X2; Y) that is interaction synergy."""
        return self._share(self.synergy_interaction)

    def _share(self, part: float) -> float:
        """Divide by the total."""
        return part / self.I12 if self.I12 > NOTHING else 0.0


@dataclass(frozen=True)
class PIDEstimate:
    """Decomposition estimated from paired samples, with its uncertainty.

    Attributes
    ----------
    pid
        Point estimate; its terms are non-negative and consistent with `mutual_information`.
    mutual_information
        I1, I2, I12 in bits.
    sis
        S / I12, without unit; 0 where no information was found.
    intervals
        Term -> (low, high), for every one of `TERMS`.
    p_synergy
        One-sided p-value of S = 0.
    p_interaction
        One-sided p-value of S_interaction = 0; NaN where the method does not estimate it.
    warnings
        What a reader must know before trusting the answer; empty where nothing speaks against it.
    method
        Name of the estimator.
    n
        Number of samples.
    n_groups
        Number of groups that cross-fitting kept whole; 0 where none were given.
    classes
        Names of the target's classes.
    n_bootstrap
        Number of bootstrap replicates.
    level
        Coverage of the intervals.
    replicates
        Bootstrap replicates (replicate, term), for tests that compare tasks.
    """

    pid: PID
    mutual_information: JointInformations
    sis: float
    intervals: Mapping[str, tuple[float, float]]
    p_synergy: float
    p_interaction: float
    warnings: tuple[str, ...]
    method: str
    n: int
    n_groups: int
    classes: tuple[str, ...]
    n_bootstrap: int
    level: float
    replicates: pd.DataFrame

    def __post_init__(self) -> None:
        object.__setattr__(self, "intervals", MappingProxyType(dict(self.intervals)))

    def table(self) -> pd.DataFrame:
        """Return one row a term: term, value, low, high; bits, but for the two scores."""
        values = {name: getattr(self.pid, name) for name in TERMS}
        rows = [
            {"term": name, "value": values[name], "low": low, "high": high}
            for name, (low, high) in self.intervals.items()
        ]
        return pd.DataFrame(rows)
