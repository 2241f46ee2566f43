"""Whitening with a shrinkage that fades as samples outnumber features."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.fusion.whitening import MAX_SHRINKAGE, Regularisation, Whitening, fit_whitening, varying_columns

Shrinkage = Literal["by_size"] | Regularisation


def shrinkage_by_size(n_samples: int, n_features: int) -> float:
    """Return the shrinkage (d / (n + d))^2, at most 0.95.

    Sizes alone decide: 1/4 where features are as many as samples, 1/100 where samples are nine times as many. The
    square makes what shrinkage takes from a correlation vanish like (d / n)^2, faster than sampling error; d / (n + d)
    itself would be the posterior mean of a covariance whose prior of white noise is worth d samples, and takes
    directions of little variance with it. Ledoit and Wolf (2004) minimise the error of each covariance, which is not
    the error of correlations: where features are white their shrinkage is 1 at any n, and nothing of a correlation is
    left; where variances decay and d nears n it is so weak that sampling noise fills the ceiling.

    Parameters
    ----------
    n_samples
        n.
    n_features
        d.

    Returns
    -------
    The shrinkage, 0 to 0.95.
    """
    return min((n_features / (n_samples + n_features)) ** 2, MAX_SHRINKAGE)


def shrunk_whitening(x: NDArray[np.float64], *, regularisation: Shrinkage, name: str) -> Whitening:
    """Estimate the whitening of an embedding.

    Parameters
    ----------
    x
        Embedding (sample, feature).
    regularisation
        `by_size` for the shrinkage of `shrinkage_by_size`, counting the columns that vary; otherwise as for
        `fit_whitening`.
    name
        What to call the embedding in an error.

    Returns
    -------
    The whitening.

    Raises
    ------
    InputError
        Every column is constant, or the regularisation is none of these.
    """
    if regularisation == "by_size":
        regularisation = shrinkage_by_size(len(x), int(varying_columns(x).sum()))
    return fit_whitening(x, regularisation=regularisation, name=name)
