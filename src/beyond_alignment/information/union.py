"""Union information: the least that two sources must tell about a target, given what each tells alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.information.compiled import compile_once, over_problems, solve_coupling
from beyond_alignment.information.discrete import TOTAL_TOLERANCE

MARGINAL_TOLERANCE = 1e-9
NEGLIGIBLE = 1e-15
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class UnionInformation:
    """Union information of Bertschinger et al. (2014) with its certificate; `...` is the batch axis, if there is one.

    Attributes
    ----------
    value
        I_q(X1, X2; Y) of `joint`, bits (...): an upper bound on the minimum.
    gap
        Upper less lower bound, bits (...): the minimum lies between value - gap and value.
    dual_first, dual_second
        f[..., i, y] and g[..., j, y] in nats with sum_y exp(f[i, y] + g[j, y]) <= 1 for all (i, j), minus infinity
        where the marginal is 0. For any marginals with no mass there, the entropy of Y plus the expectations of f and
        g is a lower bound on their union information; for these ones it is value - gap.
    joint
        Coupling q[..., i, j, y] with the given marginals over (i, y) and (j, y).
    """

    value: Floats
    gap: Floats
    dual_first: Floats
    dual_second: Floats
    joint: Floats


def union_information(first: ArrayLike, second: ArrayLike, *, tolerance: float = 1e-7) -> UnionInformation:
    """Least I_q(X1, X2; Y) over all q with the given joint distributions of each source and the target.

    Probabilities below 1e-15 are treated as zeros.

    Parameters
    ----------
    first
        p(X1 = i, Y = y), (..., i, y); any leading axes are a batch of problems.
    second
        p(X2 = j, Y = y), (..., j, y), the same p(y).
    tolerance
        Gap at which a problem counts as solved, bits; what is left is in `gap` in any case.

    Returns
    -------
    Value, gap, dual point and coupling.

    Raises
    ------
    InputError
        Shapes do not fit together, entries are negative or not finite, a table does not sum to 1, p(y) differs by
        more than 1e-9 between the two, or the tolerance is not positive.

    References
    ----------
    Bertschinger, Rauh, Olbrich, Jost, Ay (2014), Quantifying unique information, Entropy 16:2161.
    """
    if not tolerance > 0:
        raise InputError(f"The tolerance is {tolerance}; pass a positive number of bits.")
    one, two = _tables(first, second)
    batch = one.shape[:-2]
    k1, k2, classes = one.shape[-2], two.shape[-2], one.shape[-1]
    # One layout of memory: the solver is compiled anew for every other, which takes longer than to solve.
    one = np.ascontiguousarray(one.reshape(-1, k1, classes))
    two = np.ascontiguousarray(two.reshape(-1, k2, classes))
    swap = k2 > k1
    if swap:
        one, two = two, one
    value, gap = np.empty(len(one)), np.empty(len(one))
    joint = np.empty((len(one), one.shape[1], two.shape[1], classes))
    f, g = np.empty(one.shape), np.empty(two.shape)

    nats = tolerance * float(np.log(2))

    def solve(k: int) -> None:
        """Solve one problem and put the answer in its place."""
        value[k], below, joint[k], f[k], g[k] = solve_coupling(one[k], two[k], nats)
        gap[k] = value[k] - below

    compile_once()
    over_problems(solve, len(one))
    if swap:
        joint, f, g = joint.swapaxes(1, 2), g, f
    return UnionInformation(
        value=np.maximum(value / np.log(2), 0.0).reshape(batch),
        gap=np.maximum(gap / np.log(2), 0.0).reshape(batch),
        dual_first=f.reshape(*batch, k1, classes),
        dual_second=g.reshape(*batch, k2, classes),
        joint=joint.reshape(*batch, k1, k2, classes),
    )


def _tables(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats]:
    """Check the two tables and give them exactly the same p(y)."""
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if (
        one.ndim < 2
        or one.size == 0
        or two.size == 0
        or one.shape[:-2] + one.shape[-1:] != (two.shape[:-2] + two.shape[-1:])
    ):
        raise InputError(
            f"The tables have shapes {one.shape} and {two.shape}; pass (..., i, y) and (..., j, y), both non-empty,"
            " with the same batch and classes."
        )
    for table in (one, two):
        if not np.isfinite(table).all() or (table < 0).any():
            raise InputError("A table holds a negative or non-finite entry; pass probabilities.")
        off = np.abs(table.sum(axis=(-2, -1)) - 1).max()
        if off > TOTAL_TOLERANCE:
            raise InputError(f"A table's sum is off 1 by {off:.3g}; divide every table by its sum.")
    differs = np.abs(one.sum(axis=-2) - two.sum(axis=-2)).max()
    if differs > MARGINAL_TOLERANCE:
        raise InputError(
            f"p(y) of the two tables differs by up to {differs:.3g}; pass marginals of one joint distribution."
        )
    one, two = np.where(one < NEGLIGIBLE, 0.0, one), np.where(two < NEGLIGIBLE, 0.0, two)
    sums = one.sum(axis=-2, keepdims=True), two.sum(axis=-2, keepdims=True)
    target = np.where((sums[0] > 0) & (sums[1] > 0), (sums[0] + sums[1]) / 2, 0.0)
    target = target / target.sum(axis=-1, keepdims=True)
    return (
        np.divide(one * target, sums[0], out=np.zeros_like(one), where=sums[0] > 0),
        np.divide(two * target, sums[1], out=np.zeros_like(two), where=sums[1] > 0),
    )
