"""Learning curves: the score against the number of paired training spots."""

from collections.abc import Mapping, Sequence

import joblib
import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from beyond_alignment.benchmark.problem import Contest, Pair, Problem, Workbench
from beyond_alignment.benchmark.runner import out_of_fold
from beyond_alignment.benchmark.scoreboard import score_contest
from beyond_alignment.benchmark.store import PointStore
from beyond_alignment.errors import InputError
from beyond_alignment.resampling import percentile_interval
from beyond_alignment.tasks.splits import Split

FRACTIONS = (0.01, 0.0316, 0.1, 0.316, 1.0)


def nested_order(labels: NDArray, *, seed: int) -> NDArray[np.intp]:
    """Order training spots so that every prefix holds the classes in proportion.

    Parameters
    ----------
    labels
        Labels (spot,); targets (spot, target) are ordered at random.
    seed
        Of the order.

    Returns
    -------
    NDArray[np.intp]
        A permutation (spot,): the prefixes are the nested training subsets.
    """
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(labels))
    if labels.ndim > 1:
        return shuffled
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = shuffled[labels[shuffled] == label]
        place[members] = (np.arange(len(members)) + rng.random()) / len(members)
    return np.argsort(place, kind="stable")


def subset(split: Split, labels: NDArray, *, fraction: float, seed: int) -> Split:
    """Return a split whose training part is the nested subset of a fraction, with two classes at least.

    Parameters
    ----------
    split
        The whole split.
    labels
        Labels or targets of all spots.
    fraction
        Share of the training spots kept, in (0, 1].
    seed
        Of the nesting: subsets of one seed are nested.

    Raises
    ------
    InputError
        If the fraction is out of range.
    """
    if not 0 < fraction <= 1:
        msg = f"A fraction of {fraction} of the training spots: give a number above 0 and at most 1."
        raise InputError(msg)
    order = split.train[nested_order(labels[split.train], seed=seed)]
    kept = max(round(fraction * len(order)), 2)
    if labels.ndim == 1:
        names = labels[order]
        while len(np.unique(names[:kept])) < 2 and kept < len(order):
            kept += 1
    return Split(split.name, np.sort(order[:kept]), split.test)


def _point(
    problem: Problem,
    pair: Pair,
    splits: Sequence[Split],
    contest: Contest,
    *,
    fraction: float,
    n_replicates: int,
    store: PointStore | None,
) -> list[dict[str, object]]:
    """Score one method on one nested subset."""
    smaller = [subset(split, problem.labels, fraction=fraction, seed=contest.seed) for split in splits]
    key = {**vars(contest), "fraction": fraction}
    found = out_of_fold(problem, pair, smaller, contest.method, seed=contest.seed, key=key, store=store)
    size = float(np.mean(found.n_train))
    scores = score_contest(found, n_replicates=n_replicates)
    return [
        key | {"n_train": size, "metric": name, "value": result.value, "draws": result.replicates}
        for name, result in scores.items()
    ]


def learning_curves(
    data_sets: Mapping[str, AnnData],
    contests: Sequence[Contest],
    *,
    fractions: Sequence[float] = FRACTIONS,
    n_replicates: int = 500,
    store: PointStore | None = None,
    n_jobs: int = -1,
) -> pd.DataFrame:
    """Score contests on nested fractions of their training spots.

    Parameters
    ----------
    data_sets
        Releases by name.
    contests
        What to run; the seed of a contest also draws its subsets.
    fractions
        Shares of the training spots.
    n_replicates
        Bootstrap replicates of each point; tiles are resampled, paired between points of a task.
    store
        Where finished points are kept.
    n_jobs
        Processes; -1 for one a core.

    Returns
    -------
    pandas.DataFrame
        One row a contest, fraction and metric: value, its replicates (``draws``), and the mean number of training spots
        over folds.
    """
    run = joblib.delayed(_point)
    bench = Workbench(data_sets)
    jobs = (
        run(*bench.prepare(c), c, fraction=fraction, n_replicates=n_replicates, store=store)
        for c in contests
        for fraction in fractions
    )
    rows = joblib.Parallel(n_jobs=n_jobs)(jobs)
    return pd.DataFrame([row for part in rows for row in part])


def summarise_curves(curves: pd.DataFrame, *, metric: str) -> pd.DataFrame:
    """Average learning curves over seeds.

    Parameters
    ----------
    curves
        From :func:`learning_curves`.
    metric
        The score.

    Returns
    -------
    pandas.DataFrame
        One row a task, split, method and fraction: mean over seeds, its 95 % interval over resampled tiles (low, high),
        standard deviation over seeds (0 for one), n_train, n_seeds.
    """
    rows = []
    keys = ["task", "split", "method", "fraction"]
    for identity, part in curves[curves["metric"] == metric].groupby(keys, sort=False):
        draws = np.mean(np.stack(part["draws"].to_list()), axis=0)
        low, high = percentile_interval(draws)
        spread = float(part["value"].std(ddof=1)) if len(part) > 1 else 0.0
        found = {"mean": part["value"].mean(), "low": low, "high": high, "seed_sd": spread}
        sizes = {"n_train": part["n_train"].mean(), "n_seeds": len(part)}
        rows.append(dict(zip(keys, identity, strict=True)) | found | sizes)
    return pd.DataFrame(rows)
