"""Information of exact tables, in bits: the decomposition of Bertschinger et al. (2014), with its certificate."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import cache
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from rich.console import Console
from scipy.special import entr
from threadpoolctl import ThreadpoolController

from beyond_alignment.errors import InputError
from beyond_alignment.information.solver import solve_coupling, solve_pairs

TOTAL_TOLERANCE, MARGINAL_TOLERANCE = 1e-8, 1e-9
NEGLIGIBLE = 1e-15
NOTHING = 1e-12
"""Bits that rounding leaves behind; so little information has no shares."""

ITERATIONS = 100
Floats = NDArray[np.float64]
Bits = TypeVar("Bits", float, Floats)


@dataclass(frozen=True)
class PID(Generic[Bits]):
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

    Notes
    -----
    Of a batch every field is an array with one entry a problem, and `pid[k]` is the decomposition of problem k.
    """

    redundancy: Bits
    unique1: Bits
    unique2: Bits
    synergy: Bits
    synergy_additive: Bits
    synergy_interaction: Bits
    gap: Bits

    def __len__(self) -> int:
        return len(np.atleast_1d(self.gap))

    def __getitem__(self, index: int) -> "PID[float]":
        return PID(**{field.name: float(getattr(self, field.name)[index]) for field in fields(self)})

    @property
    def I1(self) -> Bits:
        """I(X1; Y) = R + U1."""
        return self.redundancy + self.unique1

    @property
    def I2(self) -> Bits:
        """I(X2; Y) = R + U2."""
        return self.redundancy + self.unique2

    @property
    def union_information(self) -> Bits:
        """R + U1 + U2: the least that the two must tell together, given what each tells alone."""
        return self.redundancy + self.unique1 + self.unique2

    @property
    def I12(self) -> Bits:
        """I(X1, X2; Y) = R + U1 + U2 + S."""
        return self.union_information + self.synergy

    @property
    def sis(self) -> Bits:
        """Synergistic information score S / I(X1, X2; Y), from 0 to 1; 0 where there is no information."""
        return _share(self.synergy, self.I12)

    @property
    def sis_interaction(self) -> Bits:
        """Share of I(X1, X2; Y) that is interaction synergy."""
        return _share(self.synergy_interaction, self.I12)


def _share(part: Bits, total: Bits) -> Bits:
    """Divide by the total."""
    if isinstance(total, np.ndarray):
        return np.divide(part, total, out=np.zeros_like(total), where=total > NOTHING)
    return part / total if total > NOTHING else 0.0


@dataclass(frozen=True)
class JointInformations:
    """What two sources tell about a target, apart and together, in bits: I(X1; Y), I(X2; Y) and I(X1, X2; Y)."""

    I1: float
    I2: float
    I12: float


@dataclass(frozen=True)
class Optimum:
    """Least or largest information in bits over couplings q of given marginals, with its certificate.

    `...` is the batch axis, if any. The optimum lies between value - gap and value, which `joint` (..., i, j, y)
    proves. For the union information, `dual_first` (..., i, y) and `dual_second` (..., j, y) are f and g in nats with
    sum_y exp(f[i, y] + g[j, y]) <= 1 for all (i, j), minus infinity where the marginal is 0. For any marginals with no
    mass there, the entropy of Y plus the expectations of f and g is a lower bound on their union information; for these
    ones it is value - gap. For the pairwise information they prove nothing.
    """

    value: Floats
    gap: Floats
    dual_first: Floats
    dual_second: Floats
    joint: Floats


def check_distributions(p: ArrayLike, *, ndim: int) -> Floats:
    """Return joint distributions of `ndim` axes, after any batch axes, as float64, each divided by its total."""
    tables = np.asarray(p, dtype=np.float64)
    if tables.ndim < ndim or tables.size == 0:
        raise InputError(f"The distributions have shape {tables.shape}; pass non-empty tables of {ndim} axes.")
    if not np.isfinite(tables).all() or (tables < 0).any():
        raise InputError("The distribution holds a negative or non-finite entry; pass probabilities.")
    totals = tables.sum(axis=tuple(range(-ndim, 0)), keepdims=True)
    worst = totals.flat[np.abs(totals - 1).argmax()]
    if abs(worst - 1) > TOTAL_TOLERANCE:
        raise InputError(f"The distribution sums to {worst:.6g} instead of 1; divide it by its sum.")
    return tables / totals


def check_distribution(p: ArrayLike, *, ndim: int) -> Floats:
    """Return one joint distribution of `ndim` axes as float64, so that rounding of its total enters no logarithm."""
    table = np.asarray(p, dtype=np.float64)
    if table.ndim != ndim or table.size == 0:
        raise InputError(f"The distribution has shape {table.shape}; pass a non-empty table of {ndim} axes.")
    return check_distributions(table, ndim=ndim)


def information(p: Floats) -> Floats:
    """Mutual information (problem,) of joint tables (problem, x, y), in bits, at least 0; nothing is checked."""
    # Entropies rather than a divergence: the product of two tiny marginals would underflow to 0.
    nats = entr(p.sum(axis=2)).sum(axis=1) + entr(p.sum(axis=1)).sum(axis=1) - entr(p).sum(axis=(1, 2))
    return np.maximum(nats / np.log(2), 0.0)


def mutual_information(p: ArrayLike) -> float:
    """Mutual information I(X; Y) of a joint table `p[i, y]`, in bits, at least 0."""
    return float(information(check_distribution(p, ndim=2)[None])[0])


def joint_informations(p: ArrayLike) -> JointInformations:
    """I(X1; Y), I(X2; Y) and I(X1, X2; Y) of a joint table `p[i, j, y]`, in bits."""
    table = check_distribution(p, ndim=3)
    tables = table.sum(axis=1), table.sum(axis=0), table.reshape(-1, table.shape[2])
    return JointInformations(*map(mutual_information, tables))


def class_entropy(codes: NDArray[np.integer]) -> float:
    """Entropy of the shares of classes (sample,) from 0, in bits; every class occurs."""
    shares = np.bincount(codes) / len(codes)
    return float(-(shares * np.log2(shares)).sum())


def broja(p: ArrayLike, *, tolerance: float = 1e-7) -> PID[float]:
    """Decompose what two sources tell about a target, exactly.

    Parameters
    ----------
    p
        `p[i, j, y]`, the probability of X1 = i, X2 = j and Y = y; zeros and states that never occur are fine.
    tolerance
        Certified distance to the optimum to reach, bits.

    Returns
    -------
    The decomposition; its `gap` is the larger of those of `union_information` and `pairwise_information`. Every
    part is at least 0, and the parts add up to the mutual informations of `p`.

    Raises
    ------
    InputError
        `p` is not a distribution over three axes.

    References
    ----------
    Bertschinger, Rauh, Olbrich, Jost, Ay (2014), Quantifying unique information, Entropy 16:2161.
    """
    return broja_batch(check_distribution(p, ndim=3)[None], tolerance=tolerance)[0]


def broja_batch(p: ArrayLike, *, tolerance: float = 1e-7) -> PID[Floats]:
    """Decompose a batch of tables of one shape, as `broja` does.

    Parameters
    ----------
    p
        `p[batch, i, j, y]`.
    tolerance
        Certified distance to the optimum to reach, bits.

    Returns
    -------
    A decomposition whose fields are arrays (batch).

    Raises
    ------
    InputError
        `p` is not a batch of distributions over three axes.
    """
    tables = check_distributions(p, ndim=3)
    if tables.ndim != 4:
        raise InputError(f"The batch has shape {tables.shape}; pass p[batch, i, j, y].")
    first, second = tables.sum(axis=2), tables.sum(axis=1)
    I1, I2 = information(first), information(second)
    I12 = np.maximum(information(tables.reshape(len(tables), -1, tables.shape[-1])), np.maximum(I1, I2))
    union = union_information(first, second, tolerance=tolerance)
    pairwise = pairwise_information(tables, tolerance=tolerance)
    # Theory bounds what the two must tell: rounding and the gap are not let out of those bounds.
    least = np.maximum(np.minimum(union.value, np.minimum(I12, I1 + I2)), np.maximum(I1, I2))
    with_pairs = np.clip(pairwise.value, least, I12)
    return PID(
        redundancy=np.maximum(I1 + I2 - least, 0.0),
        unique1=least - I2,
        unique2=least - I1,
        synergy=I12 - least,
        synergy_additive=with_pairs - least,
        synergy_interaction=I12 - with_pairs,
        gap=np.maximum(union.gap, pairwise.gap),
    )


def imin(p: ArrayLike) -> PID[float]:
    """Decompose `p[i, j, y]` by the redundancy of Williams & Beer (2010, arXiv:1004.2515), which splits no synergy.

    The measure compares *how much* the sources tell about each outcome, not *whether it is the same*: of two
    independent bits that are copied into the target it calls one bit redundant.
    """
    table = check_distribution(p, ndim=3)
    told = joint_informations(table)
    least = np.minimum(_specific(table.sum(axis=1)), _specific(table.sum(axis=0))).sum()
    redundancy = float(np.clip(least, 0.0, min(told.I1, told.I2)))
    unique1, unique2 = told.I1 - redundancy, told.I2 - redundancy
    synergy = max(told.I12 - redundancy - unique1 - unique2, 0.0)
    return PID(redundancy, unique1, unique2, synergy, float("nan"), float("nan"), 0.0)


def _specific(p: Floats) -> Floats:
    """p(y) I(X; Y = y) of p[x, y], bits (y): sum_x p(x, y) log p(y | x) / p(y)."""
    source, target = p.sum(axis=1, keepdims=True), p.sum(axis=0, keepdims=True)
    # Differences of logarithms rather than logarithms of quotients, which overflow where both are tiny.
    logs = [np.log2(np.where(table > 0, table, 1.0)) for table in (p, source, target)]
    return (p * (logs[0] - logs[1] - logs[2])).sum(axis=0)


def union_information(first: ArrayLike, second: ArrayLike, *, tolerance: float = 1e-7) -> Optimum:
    """Least I_q(X1, X2; Y) over all q with the given joint distributions of each source and the target.

    `first` is p(X1 = i, Y = y), (..., i, y), any leading axes a batch of problems, and `second` p(X2 = j, Y = y),
    (..., j, y), with the same p(y). A problem counts as solved at a gap of `tolerance` bits; what is left is in `gap`
    in any case. Probabilities below 1e-15 are treated as zeros.
    """
    one, two = _tables(first, second)
    one, two = one.reshape(-1, *one.shape[-2:]), two.reshape(-1, *two.shape[-2:])
    target = one.sum(axis=1)[:, None, None, :]
    product = one[:, :, None, :] * two[:, None, :, :]
    weight = np.divide(product, target, out=product, where=target > 0)
    found = _solve_each(solve_coupling, weight, one, two, np.zeros_like(weight), tolerance)
    return _in_batch(found, np.shape(first)[:-2])


def pairwise_information(p: ArrayLike, *, tolerance: float = 1e-7) -> Optimum:
    """I(X1, X2; Y) under the distribution of largest entropy with the pairwise marginals of `p[..., i, j, y]`.

    What `p` tells beyond it is the connected information of order three (Amari 2001; Schneidman et al. 2003). Batches,
    tolerance and tiny probabilities are those of `union_information`. The lower bound is that of the dual and holds
    exactly; the upper is the information of the coupling, plus a price for the rounding with which it meets the
    marginals.
    """
    table = check_distributions(p, ndim=3)
    tables = np.where(table < NEGLIGIBLE, 0.0, table).reshape(-1, *table.shape[-3:])
    first, second = tables.sum(axis=2), tables.sum(axis=1)
    allowed = (first > 0)[:, :, None, :] & (second > 0)[:, None, :, :]
    weight = np.where(allowed, tables.sum(axis=3, keepdims=True), 0.0)
    return _in_batch(_solve_each(solve_pairs, weight, first, second, tables, tolerance), table.shape[:-3])


def _tables(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats]:
    """Check the two tables and give them exactly the same p(y)."""
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    fit = min(one.ndim, two.ndim) >= 2 and min(one.size, two.size) > 0
    if not fit or one.shape[:-2] + one.shape[-1:] != two.shape[:-2] + two.shape[-1:]:
        raise InputError(
            f"The tables have shapes {one.shape} and {two.shape}; pass (..., i, y) and (..., j, y), both non-empty,"
            " with the same batch and classes."
        )
    one, two = check_distributions(one, ndim=2), check_distributions(two, ndim=2)
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


def _solve_each(
    kernel: Callable[..., tuple[float, float]],
    weight: Floats,
    first: Floats,
    second: Floats,
    joint: Floats,
    tolerance: float,
) -> Optimum:
    """Solve a batch (problem, ...), the longer source first; start where the sources are independent given Y."""
    if not tolerance > 0:
        raise InputError(f"The tolerance is {tolerance}; pass a positive number of bits.")
    if second.shape[1] > first.shape[1]:
        found = _solve_each(kernel, weight.swapaxes(1, 2), second, first, joint.swapaxes(1, 2), tolerance)
        return Optimum(found.value, found.gap, found.dual_second, found.dual_first, found.joint.swapaxes(1, 2))
    n, (k1, classes), k2 = len(first), first.shape[1:], second.shape[1]
    # One layout of memory: the solver is compiled anew for every other, which takes longer than to solve.
    weight, joint = np.ascontiguousarray(weight), np.array(joint, order="C").reshape(n, -1)
    aim = np.concatenate([first, second], axis=1)
    free = (aim > 0).astype(np.float64)
    np.put_along_axis(free[:, k1:], second.argmax(axis=1)[:, None], 0.0, axis=1)  # f + c, g - c is the same dual point
    target = first.sum(axis=1)
    logs = [np.log(np.where(x > 0, x, 1.0)) for x in (aim, aim.sum(axis=2, keepdims=True), target[:, None])]
    dual = np.where(aim > 0, logs[0] - logs[1], 0.0)
    dual[:, k1:] -= np.where(second > 0, logs[2], 0.0)
    aim, free, dual = (np.ascontiguousarray(x).reshape(n, -1) for x in (aim, free, dual))
    entropy, nats = entr(target).sum(axis=1), tolerance * float(np.log(2))
    bounds = np.empty((n, 2))

    def solve(k: int) -> None:
        """Solve one problem and put the answer in its place."""
        bounds[k] = kernel(weight[k], aim[k], free[k], entropy[k], nats, ITERATIONS, dual[k], joint[k])

    compile_once()
    over_problems(solve, n)
    dual = dual.reshape(n, k1 + k2, classes)
    return Optimum(
        value=np.maximum(bounds[:, 0] / np.log(2), 0.0),
        gap=np.maximum((bounds[:, 0] - bounds[:, 1]) / np.log(2), 0.0),
        dual_first=dual[:, :k1],
        dual_second=dual[:, k1:],
        joint=joint.reshape(weight.shape),
    )


def _in_batch(found: Optimum, batch: tuple[int, ...]) -> Optimum:
    """Give every field the batch axes that were passed."""
    values = (getattr(found, field.name) for field in fields(found))
    return Optimum(*(x.reshape((*batch, *x.shape[1:])) for x in values))


@cache
def compile_once() -> None:
    """Have both solvers compiled; takes some ten seconds at the first use after installation, a moment later on."""
    weight, aim = np.full((1, 1, 1), 1.0), np.ones(2)
    terminal = sys.__stderr__ is not None and sys.__stderr__.isatty()  # a notebook shows results, not this
    console = Console(file=sys.__stderr__, quiet=not terminal, force_jupyter=False)
    with console.status("Compiling the exact solver: once after installation, some ten seconds"):
        for kernel in (solve_coupling, solve_pairs):
            kernel(weight, aim, np.array([1.0, 0.0]), 0.0, 1e-7, 1, np.zeros(2), np.ones(1))


def over_problems(work: Callable[[int], None], n: int) -> None:
    """Run `work` on 0 to n - 1, shared out to as many threads as torch may use; it must release Python's lock.

    The matrix products inside are kept to one thread each: threads that wait for each other after every product slow
    a busy machine down a hundredfold.
    """
    workers = min(torch.get_num_threads(), n)
    with _controller().limit(limits=1, user_api="blas"):
        if workers <= 1:
            for k in range(n):
                work(k)
            return
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(work, range(n)))


@cache
def _controller() -> ThreadpoolController:
    """Return the controller of the loaded libraries, which takes a while to look for them."""
    return ThreadpoolController()
