"""Estimators of the decomposition on samples whose decomposition is known."""

import time
from collections.abc import Sequence
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from beyond_alignment.errors import InputError
from beyond_alignment.information.estimators import estimate_pid
from beyond_alignment.information.pid import TERMS
from beyond_alignment.simulate import draw
from beyond_alignment.study import each

GRID = ("estimator", "scenario", "n", "seed")

TILE_UM = 500.0
"""Side of the square tiles that the bootstrap resamples: some 25 spots each, as on tissue."""

TRIAL_COLUMNS = (
    *(f"true_{term}" for term in TERMS),
    *TERMS,
    *(f"{term}_{end}" for term in TERMS for end in ("low", "high")),
    "p_synergy",
    "p_interaction",
    "n_warnings",
    "seconds",
)
"""What a trial measures: the truth, the estimate and the interval of each term in bits, and how it was got."""


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


def square_tiles(coordinates: NDArray[np.float64], groups: NDArray[np.int64], *, side_um: float) -> NDArray[np.intp]:
    """Return the tile of each sample (sample,): squares of a side in microns, each within one group."""
    cells = np.column_stack([groups, np.floor(coordinates / side_um)])
    return np.unique(cells, axis=0, return_inverse=True)[1].reshape(-1)


def trial(estimator: str, scenario: str, n: int, seed: int, *, n_bootstrap: int = 200) -> dict[str, float]:
    """Draw a sample of a scenario and estimate its decomposition, as on tissue: folds by donor, bootstrap by tile.

    Parameters
    ----------
    estimator
        Name of the method of :func:`beyond_alignment.information.estimate_pid`.
    scenario
        Name of a scenario of known truth.
    n
        Number of samples.
    seed
        Of the sample and of the estimator.
    n_bootstrap
        Bootstrap replicates.

    Returns
    -------
    dict
        `TRIAL_COLUMNS` to numbers; an estimator that refuses the sample leaves its own columns NaN.
    """
    sample = draw(scenario, n=n, seed=seed)
    exact = sample.pid
    values = dict.fromkeys(TRIAL_COLUMNS, float("nan"))
    values |= {f"true_{term}": float(getattr(exact, term)) for term in TERMS}
    blocks = square_tiles(sample.coordinates, sample.groups, side_um=TILE_UM)
    start = time.perf_counter()
    try:
        found = estimate_pid(
            sample.x1,
            sample.x2,
            sample.y,
            sample.groups,
            blocks=blocks,
            method=estimator,
            seed=seed,
            n_bootstrap=n_bootstrap,
        )
    except InputError:
        return values
    values["seconds"] = time.perf_counter() - start
    values |= {term: float(getattr(found.pid, term)) for term in TERMS}
    for term, (low, high) in found.intervals.items():
        values |= {f"{term}_low": float(low), f"{term}_high": float(high)}
    values |= {"p_synergy": found.p_synergy, "p_interaction": found.p_interaction}
    return values | {"n_warnings": float(len(found.warnings))}
