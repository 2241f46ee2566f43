"""Runs estimators of the decomposition on embeddings whose decomposition is known."""

from collections.abc import Sequence
from functools import partial
from itertools import product

import pandas as pd
from threadpoolctl import threadpool_limits

from beyond_alignment.information.known_truth.trial import TRIAL_COLUMNS, trial
from beyond_alignment.study import each

GRID = ("estimator", "scenario", "n", "seed")


def calibrate(
    estimators: Sequence[str],
    scenarios: Sequence[str],
    sizes: Sequence[int],
    seeds: Sequence[int],
    *,
    n_bootstrap: int = 200,
    n_jobs: int = -1,
) -> pd.DataFrame:
    """Run every estimator on every scenario, size and seed; each run depends on these four alone.

    All estimators see the same sample of a scenario, size and seed.

    Parameters
    ----------
    estimators
        Methods of :func:`beyond_alignment.information.estimate_pid`.
    scenarios
        Names of scenarios of known truth.
    sizes
        Numbers of samples.
    seeds
        Seeds.
    n_bootstrap
        Bootstrap replicates of each run.
    n_jobs
        Processes, of one thread each; -1 for one a core.

    Returns
    -------
    pandas.DataFrame
        One row a run, in the order of the arguments: estimator, scenario, n, seed, and `TRIAL_COLUMNS` in bits and
        seconds.
    """
    rows = [dict(zip(GRID, point, strict=True)) for point in product(estimators, scenarios, sizes, seeds)]
    found = dict(each(partial(_run, n_bootstrap=n_bootstrap), rows, n_jobs=n_jobs, what="calibration"))
    return pd.DataFrame([row | found[i] for i, row in enumerate(rows)], columns=[*GRID, *TRIAL_COLUMNS])


def _run(estimator: str, scenario: str, n: int, seed: int, *, n_bootstrap: int) -> dict[str, float]:
    """Run one point on one thread."""
    with threadpool_limits(1):
        return trial(estimator, scenario, n, seed, n_bootstrap=n_bootstrap)
