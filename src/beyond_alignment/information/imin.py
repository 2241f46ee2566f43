"""The decomposition of Williams & Beer (2010), for comparison."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beyond_alignment.information.discrete import check_distribution, joint_informations


@dataclass(frozen=True)
class IminDecomposition:
    """Decomposition of I(X1, X2; Y) by the redundancy I_min, in bits.

    Attributes
    ----------
    redundancy
        I_min: for every outcome the smaller of what the two sources tell about it, on average.
    unique1
        I(X1; Y) less the redundancy.
    unique2
        I(X2; Y) less the redundancy.
    synergy
        The rest of I(X1, X2; Y).
    """

    redundancy: float
    unique1: float
    unique2: float
    synergy: float

    @property
    def I1(self) -> float:
        """I(X1; Y) = R + U1."""
        return self.redundancy + self.unique1

    @property
    def I2(self) -> float:
        """I(X2; Y) = R + U2."""
        return self.redundancy + self.unique2

    @property
    def I12(self) -> float:
        """I(X1, X2; Y) = R + U1 + U2 + S."""
        return self.redundancy + self.unique1 + self.unique2 + self.synergy


def imin(p: ArrayLike) -> IminDecomposition:
    """Decompose what two sources tell about a target by the redundancy of Williams & Beer (2010).

    The measure compares *how much* the sources tell about each outcome, not *whether it is the same*: of two
    independent bits that are copied into the target it calls one bit redundant.

    Parameters
    ----------
    p
        `p[i, j, y]`, the probability of X1 = i, X2 = j and Y = y; zeros are fine.

    Returns
    -------
    The decomposition.

    Raises
    ------
    InputError
        `p` is not a distribution over three axes.

    References
    ----------
    Williams, Beer (2010), Nonnegative decomposition of multivariate information, arXiv:1004.2515.
    """
    table = check_distribution(p, ndim=3)
    told = joint_informations(table)
    least = np.minimum(_specific(table.sum(axis=1)), _specific(table.sum(axis=0))).sum()
    redundancy = float(np.clip(least, 0.0, min(told.I1, told.I2)))
    unique1, unique2 = told.I1 - redundancy, told.I2 - redundancy
    return IminDecomposition(redundancy, unique1, unique2, max(told.I12 - redundancy - unique1 - unique2, 0.0))


def _specific(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """p(y) I(X; Y = y) of p[x, y], bits (y): sum_x p(x, y) log p(y | x) / p(y)."""
    source, target = p.sum(axis=1, keepdims=True), p.sum(axis=0, keepdims=True)
    # Differences of logarithms rather than logarithms of quotients, which overflow where both are tiny.
    logs = [np.log2(np.where(table > 0, table, 1.0)) for table in (p, source, target)]
    return (p * (logs[0] - logs[1] - logs[2])).sum(axis=0)
