"""How much of the cross-covariance of two smooth fields a shift along a curve loses at its seams."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.alignment.shifts import offsets, shifted

MAX_GROUPS = 32
MAX_SAMPLES = 800
N_OFFSETS = 8
MAX_FACTOR = 2.0
BINS_A_STEP, N_BINS = 2, 64


def _distance_bins(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Distances between samples (sample, sample), in half steps of the curve; the last bin holds all beyond."""
    separation = points[:, None] - points[None]
    step = np.median(np.linalg.norm(np.diff(points, axis=0), axis=1))
    scaled = np.sqrt((separation**2).sum(axis=2)) * (BINS_A_STEP / step if step > 0 else 0.0)
    bins = np.clip(np.rint(np.minimum(scaled, N_BINS)).astype(np.int64), 1, N_BINS - 1)
    np.fill_diagonal(bins, 0)
    return bins


def seam_factor(
    z1: NDArray[np.float64],
    z2: NDArray[np.float64],
    positions: NDArray[np.float64],
    ordered: Sequence[NDArray[np.int64]],
    *,
    min_shift: float,
) -> float:
    """Estimate by how much the cross-covariance of independent fields exceeds that of shifted ones.

    Samples that are neighbours across a seam of the curve are torn apart by a shift, so the shifted field is rougher
    than the field, and the null too narrow. For independent stationary isotropic fields with autocovariances C1 and C2
    the expected square of the cross-covariance is the sum of C1(d_ij) C2(d_ij) over pairs i, j, and C2 is taken between
    the shifted samples after a shift; both autocovariances are averaged over pairs of equal distance.

    Parameters
    ----------
    z1, z2
        Whitened embeddings (sample, direction), centred within groups.
    positions
        Positions (sample, 2).
    ordered
        Rows of each group along its curve.
    min_shift
        Share of a group by which it is shifted at least.

    Returns
    -------
    The square root of the ratio, 1 to 2: what to multiply shifted cross-covariances with. The 32 largest groups are
    used, of each at most 800 consecutive samples of the curve, with eight offsets.

    Notes
    -----
    A correction of the variance as Mrkvička et al. (2021) call for where the torus of a random shift cracks.
    """
    shiftable = [curve for curve in ordered if len(offsets(len(curve), min_shift=min_shift)) and len(curve) > 2]
    groups = sorted(shiftable, key=len, reverse=True)[:MAX_GROUPS]
    parts = []
    sums, counts = np.zeros((2, N_BINS)), np.zeros(N_BINS)
    for curve in groups:
        start = max(0, (len(curve) - MAX_SAMPLES) // 2)
        part = curve[start : start + MAX_SAMPLES]
        bins = _distance_bins(positions[part])
        parts.append(bins)
        counts += np.bincount(bins.ravel(), minlength=N_BINS)
        for total, z in zip(sums, (z1, z2), strict=True):
            total += np.bincount(bins.ravel(), weights=(z[part] @ z[part].T).ravel(), minlength=N_BINS)
    first, second = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    whole, torn = float((counts * first * second).sum()), 0.0
    for bins in parts:
        places = np.arange(len(bins))
        options = offsets(len(bins), min_shift=min_shift)
        drawn = np.unique(np.linspace(options[0], options[-1], N_OFFSETS).astype(np.int64))
        table = first[bins]
        for offset in drawn:
            moved = shifted(places, offset)
            torn += float((table * second[bins[np.ix_(moved, moved)]]).sum()) / len(drawn)
    if min(whole, torn) <= 0:
        return 1.0
    return float(np.clip(np.sqrt(whole / torn), 1.0, MAX_FACTOR))
