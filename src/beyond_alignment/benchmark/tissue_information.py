"""Decomposes what expression and morphology tell about every real task."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from beyond_alignment.benchmark.embeddings import embedding
from beyond_alignment.benchmark.plan import field_um as field_um_of
from beyond_alignment.benchmark.plan import plan_contests
from beyond_alignment.benchmark.problem import Contest, Pair, Problem, pose
from beyond_alignment.benchmark.store import Arrays, PointStore
from beyond_alignment.fusion.reduction import Reduction
from beyond_alignment.information.estimators import estimate_pid
from beyond_alignment.information.pid import TERMS
from beyond_alignment.information.strategy import recommend_strategy
from beyond_alignment.tasks import TASKS, get_task, make_splits

FEWEST_UNITS, MOST_FOLDS = 3, 5
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
    contests = list(_main(data_sets, tasks, expression, morphology, field_um))
    options: dict[str, Any] = {"method": method, "n_bootstrap": n_bootstrap, "seed": seed}
    kept = store or PointStore(None)
    found = {c.task: kept.find(_key(c, options)) for c in contests}
    missing = [contest for contest in contests if found[contest.task] is None]
    with joblib.parallel_config(backend="loky", n_jobs=n_jobs, inner_max_num_threads=1):
        prepared = (_prepare(data_sets[get_task(c.task).data_set], c, seed) for c in missing)
        runs = joblib.Parallel(return_as="generator")(
            joblib.delayed(_decompose)(*parts, **options) for parts in prepared
        )
        for contest, arrays in zip(missing, runs, strict=True):
            found[contest.task] = kept.keep(_key(contest, options), arrays)
    rows, replicates = [], []
    for contest in contests:
        row, draws = _read(contest.task, found[contest.task])
        rows.append(row)
        replicates.append(draws)
    table = pd.DataFrame(rows).sort_values(["ranked", "sis"], ascending=False, kind="stable", ignore_index=True)
    return TissueInformation(table, pd.concat(replicates, ignore_index=True))


def whole_units(spots: AnnData, problem: Problem, contest: Contest, *, seed: int = 0) -> tuple[NDArray[np.str_], str]:
    """Return what folds keep whole (spot,) and its name: the unit of the split, or the next finer one with three.

    Parameters
    ----------
    spots
        The labelled spots.
    problem
        Posed under the split of the contest; carries the units from that of the split on.
    contest
        Names the split.
    seed
        Of the spatial blocks.
    """
    if contest.split == "block":
        blocks = np.empty(spots.n_obs, dtype="U16")
        for split in make_splits(spots, "block", buffer_um=0, seed=seed):
            blocks[split.test] = split.name
        return blocks, "block"
    names = ("donor", "section", "tile")[-len(problem.levels) :]
    held = zip(problem.levels, names, strict=True)
    return next((level.astype(str), name) for level, name in held if len(np.unique(level)) >= FEWEST_UNITS)


def _main(
    data_sets: Mapping[str, AnnData], tasks: Sequence[str], expression: str, morphology: str, field_um: int
) -> Iterator[Contest]:
    """Yield one contest a task: its main split and the pair of experts."""
    for task in tasks:
        planned = plan_contests(
            data_sets,
            expression=(expression,),
            morphology=(morphology,),
            fields_um=(field_um,),
            splits=get_task(task).splits[:1],
            methods=("concat",),
            tasks=(task,),
        )
        if planned:
            yield max(planned, key=lambda contest: field_um_of(contest.morphology))


def _prepare(adata: AnnData, contest: Contest, seed: int) -> tuple[Pair, NDArray, NDArray, NDArray, str]:
    """Return both sources, the labels, the units of folds and of the bootstrap, and the name of the former."""
    spots, problem = pose(adata, contest.task, split=contest.split)
    sources = [embedding(spots, name) for name in (contest.expression, contest.morphology)]
    first, second = (Reduction(seed=seed).fit(x).transform(x) if x.shape[1] > MOST_FEATURES else x for x in sources)
    groups, unit = whole_units(spots, problem, contest, seed=seed)
    return (first, second), problem.labels, groups, problem.tiles, unit


def _decompose(
    pair: Pair, labels: NDArray, groups: NDArray, tiles: NDArray, unit: str, *, method: str, **options: Any
) -> Arrays:
    """Estimate one decomposition on one thread, and return it as arrays."""
    if method == "posterior":  # the others fit no folds
        options["n_folds"] = min(MOST_FOLDS, len(np.unique(groups)))
    with threadpool_limits(1):
        found = estimate_pid(*pair, labels, groups, method=method, blocks=tiles, **options)
    strategy = recommend_strategy(found, names=SOURCES)
    return {
        "terms": np.array([getattr(found.pid, term) for term in TERMS]),
        "bounds": np.array([found.intervals[term] for term in TERMS]),  # (term, low and high)
        "p": np.array([found.p_synergy, found.p_interaction]),
        "sizes": np.array([found.n, found.n_groups]),
        "replicates": found.replicates[list(TERMS)].to_numpy(dtype=float),  # (replicate, term)
        "words": np.array(
            [unit, " or ".join(row.name for row in strategy.rows), strategy.recommended, strategy.reason],
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
