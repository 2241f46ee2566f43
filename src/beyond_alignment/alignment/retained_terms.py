"""What alignment leaves of each term of the decomposition: redundancy, both unique parts, both parts of synergy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin, clone

from beyond_alignment.checks import paired
from beyond_alignment.errors import InputError
from beyond_alignment.information.estimate import PID_ESTIMATORS, PIDEstimate, estimate_pid
from beyond_alignment.resampling import percentile_interval

RETAINED_TERMS = ("redundancy", "unique1", "unique2", "synergy_additive", "synergy_interaction", "total")
LEAST_BITS, LEAST_SHARE = 0.01, 0.05
"""A term is there where the lower end of its interval before alignment is above both: bits, and share of the total."""
COLUMNS = ("before", "before_low", "before_high", "after", "after_low", "after_high", "kept", "kept_low", "kept_high")

Views = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class InformationRetained:
    """Decomposition of a pair of embeddings before and after alignment.

    Attributes
    ----------
    before, after
        Estimates from the pair as it is, and from what alignment leaves of it.
    table
        One row a term of `RETAINED_TERMS`: term; before and after in bits, each with ``_low`` and ``_high``; kept, the
        share after / before, with ``_low`` and ``_high`` from the ratios of paired bootstrap replicates. The share is
        empty where the term is not there to begin with: the lower end of its interval before alignment is below
        `LEAST_BITS` or below `LEAST_SHARE` of the total.
    """

    before: PIDEstimate
    after: PIDEstimate
    table: pd.DataFrame


def information_retained(
    pair: tuple[ArrayLike, ArrayLike],
    y: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    transformer: TransformerMixin | None,
    before: PIDEstimate | None = None,
    method: str = "posterior",
    **options: Any,
) -> InformationRetained:
    """Decompose what a pair of embeddings tells about a label, before and after alignment.

    The transformer sees all pairs and no label; the posteriors that the informations are read from are learnt on other
    groups than they are read on. Alignment is thus given more than it would have on a donor never seen: directions
    that are found and read on the same pairs correlate more than they do elsewhere, so that what is kept is, if
    anything, overstated, most of all the redundancy. Measured: on one task each of HER2ST and MOB, with one embedding
    permuted or shifted within sections so that it tells 0.00 to 0.01 bits, ten directions of fifty components a side
    lent it 0.00 to 0.02 bits. A fit for each fold would need frames that folds have in common,
    which few stable directions do not give. :func:`information_told` fits anew in every fold, and measures a total.

    A share of 1 for the redundancy with shares of 0 for all else is what the theorem of linear alignment predicts for
    as many directions as both embeddings share. Terms may also grow: what was unique can turn redundant when the
    directions that told it apart are gone.

    Parameters
    ----------
    pair
        Embeddings of the same samples, each (sample, feature).
    y
        Label (sample,).
    groups
        Donor or section (sample,), which the folds of the estimator keep whole; may be None.
    transformer
        Unfitted transformer of the pair, such as `CanonicalCorrelation`, that returns a pair of matrices, or one matrix
        whose columns are half of the first and half of the second embedding; None for what changes nothing.
    before
        The estimate before alignment where it is at hand, made with the same label, groups, method and options.
    method
        Name of an estimator that tells both parts of the synergy apart.
    **options
        Of the estimator, such as `blocks`, `seed`, `n_bootstrap` and `n_folds`; no null is fitted.

    Returns
    -------
    Both estimates, and the table of terms.

    Raises
    ------
    InputError
        The embeddings are not a finite pair; the transformer does not return two sides; the method does not split the
        synergy; `before` is of other samples; or the samples cannot be estimated from.

    Notes
    -----
    Decomposition after Bertschinger et al. (2014); its estimate is :func:`beyond_alignment.information.estimate_pid`.
    """
    if method in PID_ESTIMATORS and not PID_ESTIMATORS[method].estimates_parts:
        able = [name for name, estimator in PID_ESTIMATORS.items() if estimator.estimates_parts]
        raise InputError(f"{method!r} does not tell both parts of the synergy apart; use {' or '.join(able)}.")
    views = paired(*pair)
    raw = before or estimate_pid(*views, y, groups, method=method, n_null=0, **options)
    after = raw if transformer is None else estimate_pid(
        *aligned_pair(transformer, views), y, groups, method=method, n_null=0, **options
    )  # fmt: skip
    if (raw.n, raw.n_bootstrap, raw.classes) != (after.n, after.n_bootstrap, after.classes):
        raise InputError(
            f"The estimate before alignment is of {raw.n} samples and {raw.n_bootstrap} replicates, that after it of"
            f" {after.n} and {after.n_bootstrap}; pass one of the same samples, label and options, or none."
        )
    return InformationRetained(raw, after, _table(raw, after))


def aligned_pair(transformer: TransformerMixin, pair: tuple[ArrayLike, ArrayLike]) -> Views:
    """Fit a transformer on a pair, without a label, and return both sides of what it makes of it.

    Parameters
    ----------
    transformer
        Unfitted; returns a pair, or one matrix with as many columns of the first side as of the second.
    pair
        Embeddings, each (sample, feature).

    Raises
    ------
    InputError
        What comes back has not two sides with a row a sample.
    """
    found = clone(transformer).fit(pair).transform(pair)
    n = len(np.asarray(pair[0]))
    if isinstance(found, tuple) and len(found) == 2:
        sides = tuple(np.asarray(side, dtype=np.float64) for side in found)
    else:
        matrix = np.asarray(found, dtype=np.float64)
        even = matrix.ndim == 2 and matrix.shape[1] >= 2 and matrix.shape[1] % 2 == 0
        sides = tuple(np.hsplit(matrix, 2)) if even else (matrix,)
    if len(sides) != 2 or any(side.ndim != 2 or len(side) != n for side in sides):
        raise InputError(
            f"The transformer returns {', '.join(str(side.shape) for side in sides)} for {n} samples; it should return"
            " a pair of matrices, or one whose columns are half of each side."
        )
    return sides[0], sides[1]


def _table(before: PIDEstimate, after: PIDEstimate) -> pd.DataFrame:
    """Return one row a term."""
    rows = []
    for term in RETAINED_TERMS:
        name = "I12" if term == "total" else term
        values = [estimate.value(name) for estimate in (before, after)]
        bounds = [estimate.intervals[name] for estimate in (before, after)]
        least = max(LEAST_BITS, LEAST_SHARE * before.mutual_information.I12)
        kept: tuple[float | None, ...] = (None, None, None)
        if bounds[0][0] > least:
            share = values[1] / values[0]
            was, left = (estimate.replicates[name].to_numpy(dtype=np.float64) for estimate in (before, after))
            # Replicates draw the same units in both; one whose term is gone has no ratio and stands for the floor.
            low, high = percentile_interval(left / np.maximum(was, least), before.level)
            kept = (share, min(low, share), max(high, share))
        rows.append((term, values[0], *bounds[0], values[1], *bounds[1], *kept))
    table = pd.DataFrame(rows, columns=["term", *COLUMNS])
    return table.astype(dict.fromkeys(COLUMNS[6:], "Float64"))
