"""The decomposition of what two sources tell about a target: exact, and estimated from samples."""

from dataclasses import dataclass

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
