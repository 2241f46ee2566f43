"""What two sources tell about a target when only the three pairwise relations count: P2, the largest entropy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beyond_alignment.information.compiled import compile_once, over_problems, solve_pairs
from beyond_alignment.information.discrete import check_distributions
from beyond_alignment.information.union import NEGLIGIBLE

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PairwiseInformation:
    """Information under P2, the distribution of largest entropy with the three pairwise marginals of p.

    Attributes
    ----------
    value
        I_P2(X1, X2; Y), bits (...).
    gap
        Upper less lower bound, bits (...): the truth lies between value - gap and value. The lower bound is that of
        the dual and holds exactly; the upper is the information under `joint`, plus a price for the rounding with
        which it meets the marginals.
    joint
        P2[..., i, j, y].
    """

    value: Floats
    gap: Floats
    joint: Floats


def pairwise_information(p: ArrayLike, *, tolerance: float = 1e-7) -> PairwiseInformation:
    """I(X1, X2; Y) under the distribution of largest entropy with the pairwise marginals of `p`.

    What `p` tells beyond it is the connected information of order three (Amari 2001; Schneidman et al. 2003).
    Probabilities below 1e-15 are treated as zeros.

    Parameters
    ----------
    p
        `p[..., i, j, y]`; any leading axes are a batch.
    tolerance
        Gap at which a problem counts as solved, bits; what is left is in `gap` in any case.

    Returns
    -------
    Value, gap and the distribution.

    Raises
    ------
    InputError
        `p` is not a distribution, or a batch of them.
    """
    table = check_distributions(p, ndim=3)
    batch = table.shape[:-3]
    table = np.where(table < NEGLIGIBLE, 0.0, table).reshape(-1, *table.shape[-3:])
    swap = table.shape[2] > table.shape[1]
    table = np.ascontiguousarray(table.swapaxes(1, 2) if swap else table)  # one layout: compiled once
    value, gap, joint = np.empty(len(table)), np.empty(len(table)), np.empty(table.shape)

    nats = tolerance * float(np.log(2))

    def solve(k: int) -> None:
        """Solve one problem and put the answer in its place."""
        value[k], below, joint[k] = solve_pairs(table[k], nats)
        gap[k] = value[k] - below

    compile_once()
    over_problems(solve, len(table))
    joint = joint.swapaxes(1, 2) if swap else joint
    return PairwiseInformation(
        value=np.maximum(value / np.log(2), 0.0).reshape(batch),
        gap=np.maximum(gap / np.log(2), 0.0).reshape(batch),
        joint=joint.reshape(*batch, *joint.shape[1:]),
    )
