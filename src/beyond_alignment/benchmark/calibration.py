"""Runs estimators of the decomposition on embeddings whose decomposition is known, a grid that can be interrupted."""

from collections.abc import Sequence
from functools import cache
from itertools import product

import joblib
import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from threadpoolctl import threadpool_limits

from beyond_alignment.benchmark.store import Arrays, PointStore, code_digest
from beyond_alignment.information.known_truth.trial import TRIAL_COLUMNS, trial

GRID = ("estimator", "scenario", "n", "seed")
SHARED = ("information/field_estimate.py", "resampling.py", "checks.py", "information/known_truth")
POSTERIOR = ("posterior", "posterior_network", "posterior_tables", "posterior_training", "components", "cross_fitting")
ESTIMATES = {
    "posterior": tuple(f"information/{name}.py" for name in (*POSTERIOR, "stacking")),
    "cvx": ("information/kmeans_pid.py",),
    "batch": tuple(f"information/neural_{name}.py" for name in ("pid", "training", "coupling")),
    "gaussian": tuple(f"information/gaussian_{name}.py" for name in ("pid", "union")),
}
"""What the answers of an estimator depend on, without the exact solver, whose answers are certified."""
Point = tuple[str, str, int, int]


def calibrate(
    estimators: Sequence[str],
    scenarios: Sequence[str],
    sizes: Sequence[int],
    seeds: Sequence[int],
    *,
    n_bootstrap: int = 200,
    store: PointStore | None = None,
    n_jobs: int = -1,
    progress: bool = True,
) -> pd.DataFrame:
    """Run every estimator on every scenario, size and seed; each run depends on these four alone.

    Small samples run first, so that a run that is interrupted has something to show; runs that are in the store are not
    run again. All estimators see the same sample of a scenario, size and seed.

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
    store
        Where finished runs are kept.
    n_jobs
        Processes, of one thread each; -1 for one a core.
    progress
        Show on stderr how many runs are done and left, and the time to go.

    Returns
    -------
    pandas.DataFrame
        One row a run, in the order of the arguments: estimator, scenario, n, seed, and `TRIAL_COLUMNS` in bits and
        seconds.
    """
    kept = store or PointStore(None)
    points: list[Point] = list(product(estimators, scenarios, sizes, seeds))
    found = {point: kept.find(_key(point, n_bootstrap)) for point in points}
    missing = sorted((point for point in points if found[point] is None), key=lambda point: (point[2], point[3]))
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("runs,"), TimeElapsedColumn(), TextColumn("passed,"))
    left = (TimeRemainingColumn(), TextColumn("to go"))
    with (
        Progress(*columns, *left, console=Console(stderr=True), disable=not progress) as bar,
        joblib.parallel_config(backend="loky", n_jobs=n_jobs, inner_max_num_threads=1),
    ):
        job = bar.add_task("", total=len(points), completed=len(points) - len(missing))
        runs = joblib.Parallel(return_as="generator_unordered")(
            joblib.delayed(_run)(point, n_bootstrap) for point in missing
        )
        for point, arrays in runs:
            found[point] = kept.keep(_key(point, n_bootstrap), arrays)
            bar.advance(job)
    rows = [dict(zip(GRID, point, strict=True)) | _row(found[point]) for point in points]
    return pd.DataFrame(rows, columns=[*GRID, *TRIAL_COLUMNS])


def _key(point: Point, n_bootstrap: int) -> dict[str, object]:
    """Return what identifies a run in the store."""
    code = _code(point[0])
    return {"run": "calibration", **dict(zip(GRID, point, strict=True)), "n_bootstrap": n_bootstrap, "code": code}


@cache
def _code(estimator: str) -> str:
    """Return what identifies the state of an estimator."""
    return code_digest((*SHARED, *ESTIMATES.get(estimator, ("information",))))


def _run(point: Point, n_bootstrap: int) -> tuple[Point, Arrays]:
    """Run one point on one thread."""
    estimator, scenario, n, seed = point
    with threadpool_limits(1):
        values = trial(estimator, scenario, n, seed, n_bootstrap=n_bootstrap)
    return point, {"values": np.array([values[name] for name in TRIAL_COLUMNS])}


def _row(arrays: Arrays | None) -> dict[str, float]:
    """Return the columns of one run."""
    assert arrays is not None
    return dict(zip(TRIAL_COLUMNS, arrays["values"].tolist(), strict=True))
