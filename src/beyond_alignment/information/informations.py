"""What every estimator of the decomposition returns: five informations of the sample, of replicates and by group."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FIRST, SECOND, UNION, BOTH, INTERACTION = range(5)
"""Columns: I(X1; Y), I(X2; Y), the union information, I(X1, X2; Y) and the interaction synergy, all given the group."""


@dataclass(frozen=True)
class Informations:
    """Informations in bits.

    Attributes
    ----------
    values
        (1 + replicate, information): of the sample, then of its replicates; NaN for an interaction not estimated.
    by_group
        The same of each group (group, information), without correction; None where there are none.
    gap
        Certified distance of the union information to the optimum; NaN where there is no certificate.
    reflected
        Whether replicates stand to the estimate as the estimate to the truth (the basic bootstrap); else they are draws
        of what the truth may be.
    warnings
        Of the estimator.
    """

    values: NDArray[np.float64]
    by_group: NDArray[np.float64] | None
    gap: float
    reflected: bool
    warnings: tuple[str, ...]
