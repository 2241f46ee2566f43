"""The spectral ceiling: how much linear cross-covariance there is for alignment to find."""

from functools import partial
from itertools import chain, repeat

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from beyond_alignment.alignment.ceiling_result import SpectralCeiling
from beyond_alignment.alignment.held_out import held_out_ceiling
from beyond_alignment.alignment.nulls import centred_within, null_spectra, permutations
from beyond_alignment.alignment.resampling import excess_interval, stretches
from beyond_alignment.alignment.seams import seam_factor
from beyond_alignment.alignment.shifts import checked_positions, curves, shift_permutations
from beyond_alignment.alignment.shrinkage import Shrinkage, shrunk_whitening
from beyond_alignment.checks import codes, paired
from beyond_alignment.errors import InputError
from beyond_alignment.fusion.whitening import check_enough_rows, cross_factor

__all__ = ["SpectralCeiling", "spectral_ceiling"]

MIN_SAMPLES = 10
MIN_PERMUTATIONS = 20
QUANTILE = 0.95


def _spectrum(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    groups: NDArray[np.int64] | None,
    positions: NDArray[np.float64] | None,
    *,
    regularisation: Shrinkage,
    n_permutations: int,
    min_shift: float,
    n_folds: int,
    n_bootstrap: int,
    seed: int,
) -> SpectralCeiling:
    """Spectrum, null, interval and held-out ceiling of checked input."""
    n = len(first)
    whitenings = (
        shrunk_whitening(first, regularisation=regularisation, name="x1"),
        shrunk_whitening(second, regularisation=regularisation, name="x2"),
    )
    check_enough_rows(*whitenings, n)
    z1, z2 = whitenings[0].apply(first) * cross_factor(*whitenings), whitenings[1].apply(second)
    n_components = min(w.rank for w in whitenings)
    cross = z1.T @ z2 / n
    singular_values = np.asarray(np.linalg.svd(cross, compute_uv=False)[:n_components], dtype=np.float64)
    ceiling = float((singular_values**2).sum())

    null_rng, bootstrap_rng = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    exchangeable = np.zeros(n, dtype=np.int64) if groups is None else groups
    several = None if groups is None or groups.max() < 1 else groups
    if several is not None:
        z1, z2 = centred_within(z1, several), centred_within(z2, several)
    between = cross - z1.T @ z2 / n
    factor, curve, units = 1.0, None, groups
    draws, more_draws = (permutations(exchangeable, n, null_rng) for n in (n_permutations, n_bootstrap))
    if positions is not None:
        ordered = curves(positions, exchangeable)
        shifts = partial(shift_permutations, ordered, min_shift=min_shift, fewest=MIN_PERMUTATIONS, rng=null_rng)
        draws, more_draws = shifts(n_permutations), chain.from_iterable(shifts(n_bootstrap) for _ in repeat(None))
        factor = seam_factor(z1, z2, positions, ordered, min_shift=min_shift)
        curve = np.concatenate(ordered)
        units = stretches(curve) if groups is None else groups
    null = null_spectra(z1, z2, between=between, draws=draws, factor=factor, n_components=n_components)
    null_ceilings = (null**2).sum(axis=1)
    threshold = float(np.quantile(null[:, 0], QUANTILE))
    del z1, z2

    interval = None
    if n_bootstrap:
        interval = excess_interval(
            first,
            second,
            excess=ceiling - float(null_ceilings.mean()),
            most=n_components,
            units=units,
            groups=groups,
            draws=more_draws,
            factor=factor,
            regularisation=regularisation,
            n_bootstrap=n_bootstrap,
            rng=bootstrap_rng,
        )
    held_out, held_out_interval = None, None
    if n_folds:
        held_out, held_out_interval = held_out_ceiling(
            first,
            second,
            n_folds=n_folds,
            regularisation=regularisation,
            groups=several,
            curve=curve,
            seed=seed,
        )
    return SpectralCeiling(
        singular_values=singular_values,
        ceiling=ceiling,
        null_ceiling=float(null_ceilings.mean()),
        interval=interval,
        threshold=threshold,
        null_singular_values=np.quantile(null, QUANTILE, axis=0),
        effective_rank=int((singular_values > threshold).sum()),
        p_value=float((1 + (null_ceilings >= ceiling).sum()) / (1 + len(null))),
        shrinkage=(whitenings[0].shrinkage, whitenings[1].shrinkage),
        held_out_ceiling=held_out,
        held_out_interval=held_out_interval,
        n_permutations=len(null),
    )


def spectral_ceiling(
    x1: ArrayLike,
    x2: ArrayLike,
    *,
    regularisation: Shrinkage = "by_size",
    n_permutations: int = 200,
    groups: ArrayLike | None = None,
    seed: int = 0,
    n_bootstrap: int = 100,
    positions: ArrayLike | None = None,
    min_shift: float = 0.1,
    n_folds: int = 5,
    within_groups: bool = False,
) -> SpectralCeiling:
    """Spectrum of K = S11^-1/2 S12 S22^-1/2 with its permutation threshold, interval and held-out ceiling.

    A linear objective on whitened frozen embeddings depends on the pairs through K alone, so the sum of its squared
    singular values bounds what linear alignment extracts. A XOR of one bit from each side leaves K at zero.

    The singular values are correlations under a shrunk joint covariance, hence lower than the population's where
    shrinkage is strong and higher by sampling noise. With samples many times the features `excess` with regularisation
    0 estimates the population's sum, short by a share of about (d1 + d2) / n. Near d = n nothing does without bias:
    `held_out_ceiling` bounds it from below at any size, `threshold` and `p_value` hold their level at any shrinkage.

    Parameters
    ----------
    x1, x2
        Embeddings (sample, feature) of the same samples, ten or more.
    regularisation
        Shrinkage of the joint covariance towards the mean variance of each embedding: `by_size` for (d / (n + d))^2 of
        each (see `shrinkage_by_size`), a number from 0 to 0.95, or `ledoit_wolf` to estimate one for each, under which
        white embeddings lose most of their correlation at any n. With 0 the values are those of ordinary canonical
        correlation.
    n_permutations
        Number of permutations of the pairing, at least 20.
    groups
        Donor or section (sample,). Pairs are permuted within groups, so that what groups share does not count as
        alignment; whole groups are resampled and held out. Without `positions` rows inside a group count as
        exchangeable: with spatially smooth embeddings the threshold is then too low.
    seed
        Seed of permutations, bootstrap and folds.
    n_bootstrap
        Number of bootstrap samples, each with a whitening of its own; 0 for none.
    positions
        Positions (sample, 2), in a unit that may differ between groups. Instead of permuting samples, the second
        embedding is shifted along a Hilbert curve through each group, by an offset of its own and closed to a circle,
        and the null is widened for what the curve tears apart (`seam_factor`). Each group has to be a stationary field,
        as smooth in one direction as in another, with offsets beyond the distance over which it is smooth. Stripes
        give some false alarms; trends across whole sections, shared or not, give one almost always: take them out
        first, or read `held_out_interval`, which counts sections. Without groups, folds and bootstrap take stretches
        of the curve.
    min_shift
        Share of a group by which it is shifted at least, either way round; below 0.5.
    n_folds
        Number of folds of the held-out ceiling, at most one a group; 0 for none.
    within_groups
        Centre both embeddings in every group first, so that the spectrum itself leaves out what groups share. Else
        singular values hold the offsets of groups, as the null does: where sections differ a lot in both embeddings
        the threshold is close to 1, and directions shared inside sections stay below it.

    Returns
    -------
    The spectrum, its ceiling, null, interval and held-out ceiling.

    Raises
    ------
    InputError
        The embeddings are not finite, not paired, constant or under ten samples; the samples are too few without
        regularisation; positions are not finite or coincide; the groups leave nothing to permute, shift or resample;
        or a count is out of range.

    Notes
    -----
    Canonical correlation after Hotelling (1936); block bootstrap after Künsch (1989); random shifts after Lotwick and
    Silverman (1982), corrected in variance in the spirit of Mrkvička et al. (2021).

    ======================= ============================================================================
    Input                   What happens
    ======================= ============================================================================
    d1 + d2 > n - 1         refused with regularisation 0, where some correlation is 1 whatever the data
    constant columns        ignored
    duplicated features     nothing changes with regularisation 0; with shrinkage what they hold weighs
                            more, and values change a little
    x2 = x1 A               every correlation 1 with regularisation 0, and the interval ends at the rank
    fewer than 10 samples   refused: even a single pair of features would need a correlation above 0.63
    NaN or infinity         refused
    a group of one sample   stays paired; refused where every group is one, or with one group to resample
    few spots a group       shifted by a spot or more; refused under 20 different shifts in all, and
                            each is used once where they are fewer than `n_permutations`
    ======================= ============================================================================
    """
    first, second = paired(x1, x2, min_rows=MIN_SAMPLES)
    if n_permutations < MIN_PERMUTATIONS or n_bootstrap < 0:
        raise InputError(
            f"{n_permutations} permutations and {n_bootstrap} bootstrap samples were asked for; pass at least"
            f" {MIN_PERMUTATIONS} and 0."
        )
    n = len(first)
    if n_folds != 0 and not 2 <= n_folds <= n // 2:
        raise InputError(f"{n_folds} folds were asked for; pass 0 for none, or from 2 to {n // 2} for {n} samples.")
    group_codes = None if groups is None else codes(groups, n=n, name="groups")[0]
    places = None if positions is None else checked_positions(positions, n=n)
    if group_codes is not None:
        if np.bincount(group_codes).max() < 2:
            raise InputError("Every group has a single sample, so nothing can be permuted; pass larger groups or none.")
        if n_bootstrap and group_codes.max() < 1:
            raise InputError("There is one group, so groups cannot be resampled; pass groups=None or n_bootstrap=0.")
    if within_groups:
        if group_codes is None:
            raise InputError("within_groups is True and there are no groups; pass groups or leave it out.")
        first, second = centred_within(first, group_codes), centred_within(second, group_codes)
    # One thread: the same bytes whatever the number of cores, and no contention between many small products.
    with threadpool_limits(limits=1):
        return _spectrum(
            first,
            second,
            group_codes,
            places,
            regularisation=regularisation,
            n_permutations=n_permutations,
            min_shift=min_shift,
            n_folds=n_folds,
            n_bootstrap=n_bootstrap,
            seed=seed,
        )
