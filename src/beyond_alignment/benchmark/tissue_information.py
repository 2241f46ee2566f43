"""Decomposes what expression and morphology tell about every real task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from threadpoolctl import threadpool_limits

from beyond_alignment.benchmark.problem import Contest
from beyond_alignment.benchmark.tissue_pairs import MOST_FOLDS, task_contests, tissue_pair
from beyond_alignment.fusion.reduction import Reduction
from beyond_alignment.information.advice import recommend_strategy
from beyond_alignment.information.estimate import TERMS, estimate_pid
from beyond_alignment.study import each
from beyond_alignment.tasks import get_task
from beyond_alignment.tasks.registry import TASKS

MOST_FEATURES = 2000
SOURCES = ("expression", "morphology")
WIDEST_RANKED = 0.5
"""Width of the 95 % interval of SIS from which a task has no rank: half of all values that SIS can take."""
DECOMPOSED = tuple(name for name, task in TASKS.items() if not task.imputes)


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
    n_jobs
        Processes, of one thread each; -1 for one a core. The answer does not depend on it.

    Returns
    -------
    Table and replicates.
    """
    contests = task_contests(data_sets, tasks, expression=expression, morphology=morphology, field_um=field_um)
    compute = partial(_decompose, method=method, n_bootstrap=n_bootstrap, seed=seed)
    plan = [{"spots": data_sets[get_task(contest.task).data_set], "contest": contest} for contest in contests]
    found = dict(each(compute, plan, n_jobs=n_jobs, what="decompositions"))
    rows, replicates = zip(*(found[i] for i in range(len(plan))), strict=True)
    table = pd.DataFrame(rows).sort_values(["ranked", "sis"], ascending=False, kind="stable", ignore_index=True)
    return TissueInformation(table, pd.concat(replicates, ignore_index=True))


def _decompose(
    spots: AnnData, contest: Contest, *, method: str, n_bootstrap: int, seed: int
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Estimate one decomposition on one thread, and return the row of the task and its replicates."""
    pair = tissue_pair(spots, contest, seed=seed)
    first, second = (Reduction(seed=seed).fit(x).transform(x) if x.shape[1] > MOST_FEATURES else x for x in pair.views)
    # the others fit no folds
    folds = {"n_folds": min(MOST_FOLDS, len(np.unique(pair.groups)))} if method == "posterior" else {}
    with threadpool_limits(1):
        found = estimate_pid(
            first, second, pair.labels, pair.groups, method=method, blocks=pair.tiles, seed=seed,
            n_bootstrap=n_bootstrap, **folds,
        )  # fmt: skip
    row: dict[str, Any] = {"task": contest.task, "made_from": get_task(contest.task).made_from}
    row |= {"n": found.n, "n_groups": found.n_groups, "unit": pair.unit}
    for term in TERMS:
        low, high = found.intervals[term]
        row |= {term: getattr(found.pid, term), f"{term}_low": low, f"{term}_high": high}
    row["ranked"] = bool(row["sis_high"] - row["sis_low"] < WIDEST_RANKED)
    strategy = recommend_strategy(found, names=SOURCES)
    row |= {"p_synergy": found.p_synergy, "p_interaction": found.p_interaction}
    row |= {"rows": " or ".join(one.name for one in strategy.rows), "recommended": strategy.recommended}
    row |= {"reason": strategy.reason, "warnings": " ".join(found.warnings)}
    draws = found.replicates[list(TERMS)].astype(float).reset_index(drop=True)
    return row, draws.assign(task=contest.task, draw=range(1, len(draws) + 1))
