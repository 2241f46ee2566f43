"""Mutual information of discrete joint tables, in bits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr

from beyond_alignment.errors import InputError

TOTAL_TOLERANCE = 1e-8


@dataclass(frozen=True)
class JointInformations:
    """What two sources tell about a target, apart and together, in bits: I(X1; Y), I(X2; Y) and I(X1, X2; Y)."""

    I1: float
    I2: float
    I12: float


def check_distributions(p: ArrayLike, *, ndim: int) -> NDArray[np.float64]:
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


def check_distribution(p: ArrayLike, *, ndim: int) -> NDArray[np.float64]:
    """Return one joint distribution of `ndim` axes as float64, so that rounding of its total enters no logarithm."""
    table = np.asarray(p, dtype=np.float64)
    if table.ndim != ndim or table.size == 0:
        raise InputError(f"The distribution has shape {table.shape}; pass a non-empty table of {ndim} axes.")
    return check_distributions(table, ndim=ndim)


def mutual_information(p: ArrayLike) -> float:
    """Mutual information I(X; Y) of a joint table `p[i, y]`, in bits, at least 0."""
    return float(information(check_distribution(p, ndim=2)[None])[0])


def information(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mutual information (problem,) of joint tables (problem, x, y), in bits, at least 0; nothing is checked."""
    # Entropies rather than a divergence: the product of two tiny marginals would underflow to 0.
    nats = entr(p.sum(axis=2)).sum(axis=1) + entr(p.sum(axis=1)).sum(axis=1) - entr(p).sum(axis=(1, 2))
    return np.maximum(nats / np.log(2), 0.0)


def class_entropy(codes: NDArray[np.integer]) -> float:
    """Entropy of the shares of classes (sample,) from 0, in bits; every class occurs."""
    shares = np.bincount(codes) / len(codes)
    return float(-(shares * np.log2(shares)).sum())


def joint_informations(p: ArrayLike) -> JointInformations:
    """I(X1; Y), I(X2; Y) and I(X1, X2; Y) of a joint table `p[i, j, y]`, in bits."""
    table = check_distribution(p, ndim=3)
    return JointInformations(
        I1=mutual_information(table.sum(axis=1)),
        I2=mutual_information(table.sum(axis=0)),
        I12=mutual_information(table.reshape(-1, table.shape[2])),
    )
