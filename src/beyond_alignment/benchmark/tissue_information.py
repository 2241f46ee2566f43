"""Decomposes what expression and morphology tell about every real task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import pandas as pd
from anndata import AnnData
from threadpoolctl import threadpool_limits

from beyond_alignment.benchmark.problem import Contest
from beyond_alignment.benchmark.store import Arrays, PointStore
from beyond_alignment.benchmark.tissue_pairs import MOST_FOLDS, TissuePair, task_contests, tissue_pair
from beyond_alignment.fusion.reduction import Reduction
from beyond_alignment.information.estimators import estimate_pid
from beyond_alignment.information.pid import TERMS
from beyond_alignment.information.strategy import recommend_strategy
from beyond_alignment.tasks import get_task
from beyond_alignment.tasks.registry import TASKS

MOST_FEATURES = 2000
SOURCES = ("expression", "morphology")
WIDEST_RANKED = 0.5
"""Width of the 95 % interval of SIS from which a task has no rank: half of all values that SIS can take."""
DECOMPOSED = tuple(name for name, task in TASKS.items() if not task.imputes)
DECOMPOSITION_CODE = ("information", "tasks", "benchmark/tissue_information.py", "benchmark/tissue_pairs.py")
"""What :func:`tissue_decompositions` depends on, for the store: ``open_store(profile, code=DECOMPOSITION_CODE)``."""


@dataclass(frozen=True)
class TissueInformation:
    """Decompositions of all tasks.

    Attributes
    ----------
    table
        One row a task, ordered by SIS from the highest, those without a rank last: task, made_from, n, n_groups, unit
        (what folds keep whole); each of `TERMS` in bits (scores without unit) with ``_low`` and ``_high`` (95 %);
        ranked (whether the interval of SIS is narrower than :data:`WIDEST_RANKED`); p_synergy, p_interaction; rows (of
        the published table that the interval of SIS touches), recommended, reason; warnings.
    replicates
        Bootstrap replicates: task, draw, `TERMS`.
    """

    table: pd.DataFrame
    replicates: pd.DataFrame


def tissue_decompositions(
    data_sets: Mapping[str, AnnData],
    *,
    tasks: Sequence[str] = DECOMPOSED,
    expression: str = "pca",
    morphology: str = "mobilenetv2",
    field_um: int = 600,
    method: str = "posterior",
    n_bootstrap: int = 200,
    seed: int = 0,
    store: PointStore | None = None,
    n_jobs: int = -1,
) -> TissueInformation:
    """Estimate the decomposition of every task that the data sets hold, under its main split.

    Folds keep whole what the main split holds out where there are three of it or more, else the next finer unit; the
    bootstrap resamples tiles of tissue. Embeddings of more than 2,000 features stand for counts and are reduced to
    their leading components, without a look at the labels.

    Parameters
    ----------
    data_sets
        Releases by name.
    tasks
        Names of tasks; imputation is left out, whose expression input is another one.
    expression, morphology
        Experts; the morphology expert without field of view.
    field_um
        Field of view, microns; a data set that was embedded at others is run at its widest.
    method
        Estimator.
    n_bootstrap
        Bootstrap replicates.
    seed
        Of folds, models and bootstrap.
    store
        Where finished tasks are kept.
    n_jobs
        Processes, of one thread each; -1 for one a core. The answer does not depend on it.

    Returns
    -------
    Table and replicates.
    """
    contests = task_contests(data_sets, tasks, expression=expression, morphology=morphology, field_um=field_um)
    options: dict[str, Any] = {"method": method, "n_bootstrap": n_bootstrap, "seed": seed}
    kept = store or PointStore(None)
    found = {c.task: kept.find(_key(c, options)) for c in contests}
    missing = [contest for contest in contests if found[contest.task] is None]
    with joblib.parallel_config(backend="loky", n_jobs=n_jobs, inner_max_num_threads=1):
        pairs = (tissue_pair(data_sets[get_task(c.task).data_set], c, seed=seed) for c in missing)
        runs = joblib.Parallel(return_as="generator")(joblib.delayed(_decompose)(pair, **options) for pair in pairs)
        for contest, arrays in zip(missing, runs, strict=True):
            found[contest.task] = kept.keep(_key(contest, options), arrays)
    rows, replicates = [], []
    for contest in contests:
        row, draws = _read(contest.task, found[contest.task])
        rows.append(row)
        replicates.append(draws)
    table = pd.DataFrame(rows).sort_values(["ranked", "sis"], ascending=False, kind="stable", ignore_index=True)
    return TissueInformation(table, pd.concat(replicates, ignore_index=True))


def _decompose(pair: TissuePair, *, method: str, seed: int, **options: Any) -> Arrays:
    """Estimate one decomposition on one thread, and return it as arrays."""
    first, second = (Reduction(seed=seed).fit(x).transform(x) if x.shape[1] > MOST_FEATURES else x for x in pair.views)
    if method == "posterior":  # the others fit no folds
        options["n_folds"] = min(MOST_FOLDS, len(np.unique(pair.groups)))
    with threadpool_limits(1):
        found = estimate_pid(
            first, second, pair.labels, pair.groups, method=method, blocks=pair.tiles, seed=seed, **options
        )
    strategy = recommend_strategy(found, names=SOURCES)
    return {
        "terms": np.array([getattr(found.pid, term) for term in TERMS]),
        "bounds": np.array([found.intervals[term] for term in TERMS]),  # (term, low and high)
        "p": np.array([found.p_synergy, found.p_interaction]),
        "sizes": np.array([found.n, found.n_groups]),
        "replicates": found.replicates[list(TERMS)].to_numpy(dtype=float),  # (replicate, term)
        "words": np.array(
            [pair.unit, " or ".join(row.name for row in strategy.rows), strategy.recommended, strategy.reason],
        ),
        "warnings": np.array(found.warnings, dtype=str),
    }


def _key(contest: Contest, options: Mapping[str, object]) -> dict[str, object]:
    """Return what identifies a decomposition in the store."""
    return {"run": "decomposition", **vars(contest), **options}


def _read(task: str, arrays: Arrays | None) -> tuple[dict[str, object], pd.DataFrame]:
    """Return the row of a task and its replicates."""
    assert arrays is not None
    n, n_groups = arrays["sizes"].tolist()
    unit, rows, recommended, reason = arrays["words"].tolist()
    row: dict[str, Any] = {"task": task, "made_from": get_task(task).made_from, "n": n, "n_groups": n_groups}
    row["unit"] = unit
    for term, value, (low, high) in zip(TERMS, arrays["terms"].tolist(), arrays["bounds"].tolist(), strict=True):
        row |= {term: value, f"{term}_low": low, f"{term}_high": high}
    row["ranked"] = bool(row["sis_high"] - row["sis_low"] < WIDEST_RANKED)
    row |= dict(zip(("p_synergy", "p_interaction"), arrays["p"].tolist(), strict=True))
    row |= {"rows": rows, "recommended": recommended, "reason": reason}
    row["warnings"] = " ".join(arrays["warnings"].tolist())
    draws = pd.DataFrame(arrays["replicates"], columns=list(TERMS))
    return row, draws.assign(task=task, draw=range(1, len(draws) + 1))
