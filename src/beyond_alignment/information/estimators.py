"""Every estimator of the decomposition from paired samples, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from numpy.typing import ArrayLike

from beyond_alignment.errors import InputError
from beyond_alignment.information.gaussian_pid import gaussian_pid
from beyond_alignment.information.kmeans_pid import cvx_pid
from beyond_alignment.information.neural_pid import batch_pid
from beyond_alignment.information.pid import PIDEstimate
from beyond_alignment.information.posterior import posterior_pid


@dataclass(frozen=True)
class PIDEstimator:
    """An estimator.

    Attributes
    ----------
    name
        What `estimate_pid` calls it.
    title
        One line for tables and figures.
    function
        Takes x1, x2, y, groups and options by keyword, among them blocks, seed, n_bootstrap and level.
    source
        Publication.
    estimates_parts
        Whether it estimates the additive and the interaction part of the synergy.
    """

    name: str
    title: str
    function: Callable[..., PIDEstimate]
    source: str
    estimates_parts: bool


_ESTIMATORS = (
    PIDEstimator("posterior", "cross-fitted posteriors", posterior_pid, "this project", True),
    PIDEstimator("cvx", "k-means and counts", cvx_pid, "Liang et al. 2023 (CVX)", True),
    PIDEstimator("batch", "neural coupling", batch_pid, "Liang et al. 2023 (BATCH)", False),
    PIDEstimator("gaussian", "jointly Gaussian", gaussian_pid, "Barrett 2015; Venkatesh et al. 2023", False),
)

PID_ESTIMATORS = MappingProxyType({estimator.name: estimator for estimator in _ESTIMATORS})
"""Name -> estimator."""


def estimate_pid(
    x1: ArrayLike,
    x2: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    method: str = "posterior",
    **options: Any,
) -> PIDEstimate:
    """Estimate what two sources tell about a target, apart and together, from paired samples.

    Parameters
    ----------
    x1, x2
        Sources (sample, feature).
    y
        Classes (sample,), or what `check_samples` makes into classes.
    groups
        Group of each sample (sample,), for instance its donor, which cross-fitting keeps whole.
    method
        Name of an estimator.
    options
        Of the estimator; all take `blocks`, `seed`, `n_bootstrap` and `level`.

    Returns
    -------
    The decomposition in bits, with intervals, p-values and warnings.

    Raises
    ------
    InputError
        There is no estimator of that name, or the samples cannot be estimated from.
    """
    if method not in PID_ESTIMATORS:
        raise InputError(f"There is no estimator {method!r}; choose one of {', '.join(PID_ESTIMATORS)}.")
    return PID_ESTIMATORS[method].function(x1, x2, y, groups, **options)
