"""The spectral ceiling: how much linear cross-covariance there is for alignment to find."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from beyond_alignment.alignment.inputs import codes
from beyond_alignment.errors import InputError
from beyond_alignment.fusion.inputs import paired
from beyond_alignment.fusion.whitening import Regularisation, check_enough_rows, cross_factor, fit_whitening

MIN_PERMUTATIONS = 20
QUANTILE = 0.95


@dataclass(frozen=True)
class SpectralCeiling:
    """Spectrum of the whitened cross-covariance against its permutation null.

    Attributes
    ----------
    singular_values
        Canonical correlations (component,) of the regularised whitening, falling, 0 to 1.
    ceiling
        Sum of their squares: what any linear alignment can extract.
    null_ceiling
        Mean of the same sum under permutation: what sampling noise alone gives.
    interval
        95 % bootstrap interval of the ceiling corrected for sampling noise (it belongs to `excess`), or None when
        no bootstrap was asked for.
    threshold
        95 % permutation quantile of the largest singular value.
    null_singular_values
        95 % permutation quantile (component,) of each singular value, for drawing.
    effective_rank
        Number of singular values above `threshold`. The null of the largest is used for all of them: a quantile
        of its own for each would be too low below a true correlation.
    p_value
        Permutation p-value of the ceiling.
    shrinkage
        Shrinkage used for x1 and for x2.
    """

    singular_values: NDArray[np.float64]
    ceiling: float
    null_ceiling: float
    interval: tuple[float, float] | None
    threshold: float
    null_singular_values: NDArray[np.float64]
    effective_rank: int
    p_value: float
    shrinkage: tuple[float, float]

    @property
    def excess(self) -> float:
        """Ceiling minus its mean under permutation; about 0 where nothing is shared linearly."""
        return self.ceiling - self.null_ceiling


def _permutations(groups: NDArray[np.int64], n: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yield `n` permutations of the rows within their groups."""
    rows = np.argsort(groups, kind="stable")
    for _ in range(n):
        permutation = np.empty_like(rows)
        permutation[rows] = np.lexsort((rng.random(len(groups)), groups))
        yield permutation


def _resamples(groups: NDArray[np.int64] | None, n_rows: int, n: int, rng: np.random.Generator) -> Iterator[NDArray]:
    """Yield `n` bootstrap samples of the rows, or of whole groups."""
    if groups is None:
        for _ in range(n):
            yield rng.integers(0, n_rows, n_rows)
        return
    members = [np.flatnonzero(groups == g) for g in range(groups.max() + 1)]
    for _ in range(n):
        yield np.concatenate([members[g] for g in rng.integers(0, len(members), len(members))])


def _ceiling(x1: NDArray[np.float64], x2: NDArray[np.float64], regularisation: Regularisation) -> float:
    """Sum of squared canonical correlations, whitening included."""
    left, right = (fit_whitening(x, regularisation=regularisation) for x in (x1, x2))
    return float(((cross_factor(left, right) * left.apply(x1).T @ right.apply(x2) / len(x1)) ** 2).sum())


def _spectrum(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    groups: NDArray[np.int64] | None,
    *,
    regularisation: Regularisation,
    n_permutations: int,
    n_bootstrap: int,
    seed: int,
) -> SpectralCeiling:
    """Spectrum, null and interval of checked input."""
    n = len(first)
    whitenings = (
        fit_whitening(first, regularisation=regularisation, name="x1"),
        fit_whitening(second, regularisation=regularisation, name="x2"),
    )
    check_enough_rows(*whitenings, n)
    z1, z2 = whitenings[0].apply(first) * cross_factor(*whitenings), whitenings[1].apply(second)
    n_components = min(w.rank for w in whitenings)
    singular_values = np.asarray(np.linalg.svd(z1.T @ z2 / n, compute_uv=False)[:n_components], dtype=np.float64)
    ceiling = float((singular_values**2).sum())

    seeds = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2)]
    exchangeable = np.zeros(n, dtype=np.int64) if groups is None else groups
    narrow, wide = sorted((z1, z2), key=lambda z: z.shape[1])
    null = np.empty((n_permutations, n_components))
    for row, permutation in zip(null, _permutations(exchangeable, n_permutations, seeds[0]), strict=True):
        cross = narrow[permutation].T @ wide / n
        # The eigenvalues of the small square are many times cheaper than the singular values of a wide matrix.
        squares = np.linalg.eigvalsh(cross @ cross.T)[::-1][:n_components]
        row[:] = np.sqrt(np.maximum(squares, 0))
    null_ceilings = (null**2).sum(axis=1)
    threshold = float(np.quantile(null[:, 0], QUANTILE))

    interval = None
    if n_bootstrap:
        draws = _resamples(groups, n, n_bootstrap, seeds[1])
        replicates = np.array([_ceiling(first[rows], second[rows], regularisation) for rows in draws])
        # Reflected quantiles: resampling adds the same upward bias to the ceiling that sampling did.
        low, high = 2 * ceiling - np.quantile(replicates, [0.975, 0.025])
        interval = (max(float(low), 0.0), max(float(high), 0.0))
    return SpectralCeiling(
        singular_values=singular_values,
        ceiling=ceiling,
        null_ceiling=float(null_ceilings.mean()),
        interval=interval,
        threshold=threshold,
        null_singular_values=np.quantile(null, QUANTILE, axis=0),
        effective_rank=int((singular_values > threshold).sum()),
        p_value=float((1 + (null_ceilings >= ceiling).sum()) / (1 + n_permutations)),
        shrinkage=(whitenings[0].shrinkage, whitenings[1].shrinkage),
    )


def spectral_ceiling(
    x1: ArrayLike,
    x2: ArrayLike,
    *,
    regularisation: Regularisation = "ledoit_wolf",
    n_permutations: int = 200,
    groups: ArrayLike | None = None,
    seed: int = 0,
    n_bootstrap: int = 100,
) -> SpectralCeiling:
    """Spectrum of K = S11^-1/2 S12 S22^-1/2, with a permutation threshold and a bootstrap interval.

    A linear objective on whitened frozen embeddings depends on the pairs through K alone, so the sum of its squared
    singular values bounds what linear alignment extracts. A XOR of one bit from each side leaves K at zero.

    Parameters
    ----------
    x1, x2
        Embeddings (sample, feature) of the same samples. Constant columns are ignored.
    regularisation
        Shrinkage of the joint covariance towards the mean variance of each embedding: a number from 0 to 0.95, or
        `ledoit_wolf` to estimate one for each. With 0 the values are those of ordinary canonical correlation.
    n_permutations
        Number of permutations of the pairing, at least 20.
    groups
        Donor or section (sample,). Pairs are permuted within groups, so that what groups share does not count as
        alignment, and whole groups are resampled. Rows inside a group count as exchangeable: with spatially smooth
        embeddings the threshold is too low.
    seed
        Seed of permutations and bootstrap.
    n_bootstrap
        Number of bootstrap samples, each with a whitening of its own; 0 for none.

    Returns
    -------
    The spectrum, its ceiling, null and interval.

    Raises
    ------
    InputError
        The embeddings are not finite, not paired or constant; the samples are too few without regularisation; or
        the groups leave nothing to permute or resample.

    Notes
    -----
    Canonical correlation after Hotelling (1936), shrinkage after Ledoit and Wolf (2004).
    """
    first, second = paired(x1, x2)
    if n_permutations < MIN_PERMUTATIONS or n_bootstrap < 0:
        raise InputError(
            f"{n_permutations} permutations and {n_bootstrap} bootstrap samples were asked for; pass at least"
            f" {MIN_PERMUTATIONS} and 0."
        )
    n = len(first)
    group_codes = None if groups is None else codes(groups, n=n, name="groups")
    if group_codes is not None:
        if np.bincount(group_codes).max() < 2:
            raise InputError("Every group has a single sample, so nothing can be permuted; pass larger groups or none.")
        if n_bootstrap and group_codes.max() < 1:
            raise InputError("There is one group, so groups cannot be resampled; pass groups=None or n_bootstrap=0.")
    # One thread: the same bytes whatever the number of cores, and no contention between many small products.
    with threadpool_limits(limits=1):
        return _spectrum(
            first,
            second,
            group_codes,
            regularisation=regularisation,
            n_permutations=n_permutations,
            n_bootstrap=n_bootstrap,
            seed=seed,
        )
