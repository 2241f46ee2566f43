"""What the aligned subspace keeps and loses of real tasks: bits in reach of a linear probe, and term by term."""

from collections.abc import Mapping, Sequence
from typing import Any

import joblib
import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy.stats import ortho_group
from sklearn.base import TransformerMixin
from threadpoolctl import threadpool_limits

from beyond_alignment.alignment.aligned_pair import AlignedPair
from beyond_alignment.alignment.reduced import ReducedPair
from beyond_alignment.alignment.retained_terms import COLUMNS, RETAINED_TERMS, information_retained
from beyond_alignment.alignment.told import information_told
from beyond_alignment.benchmark.problem import Contest
from beyond_alignment.benchmark.store import Arrays, PointStore
from beyond_alignment.benchmark.tissue_pairs import MOST_FOLDS, TissuePair, task_contests, tissue_pair
from beyond_alignment.fusion.reduction import Reduction
from beyond_alignment.tasks import get_task
from beyond_alignment.tasks.registry import CORE_TASKS

RAW, ALIGNED = "concatenation", "aligned subspace"
TOLD = ("bits", "fraction", "low", "high", "entropy", "n_folds")


def told_on_tissue(
    data_sets: Mapping[str, AnnData],
    *,
    tasks: Sequence[str] = CORE_TASKS,
    expression: str = "pca",
    morphology: str = "mobilenetv2",
    field_um: int = 600,
    directions: Sequence[int] = (2, 10, 50),
    n_components: int = 50,
    seed: int = 0,
    store: PointStore | None = None,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Measure how many bits about each task a linear probe finds in the concatenation and in the aligned subspace.

    Both embeddings are reduced to the same principal components in either case, and reduction and alignment are fitted
    anew on the training units of each fold, without a label. With as many directions as components nothing is dropped,
    so that the last row of a task says how much of a loss is the probe's.

    Parameters
    ----------
    data_sets
        Releases by name.
    tasks
        Names of tasks.
    expression, morphology
        Experts; the latter without field of view.
    field_um
        Field of view, microns; a data set that was embedded at others is read at its widest.
    directions
        k, canonical directions kept of each embedding, one row each.
    n_components
        Components of each embedding at most.
    seed
        Of folds, probes and intervals.
    store
        Where finished tasks are kept.
    n_jobs
        Processes, of one thread each. The answer does not depend on it.

    Returns
    -------
    pandas.DataFrame
        One row a task and representation: task, made_from, data_set, experts, unit that folds keep whole, n, n_groups;
        representation and directions (0 for the concatenation); bits with low_bits and high_bits (95 %, over
        resampled units, a hint where these are three), fraction of the label's entropy, entropy, n_folds.
    """
    contests = task_contests(data_sets, tasks, expression=expression, morphology=morphology, field_um=field_um)
    options = {"directions": tuple(directions), "n_components": n_components, "seed": seed}
    found = _each(data_sets, contests, _told, "told", options, store or PointStore(None), n_jobs)
    rows = []
    for record, arrays in found:
        for k, values in zip((0, *directions), arrays["values"].tolist(), strict=True):
            row: dict[str, Any] = {**record, "representation": ALIGNED if k else RAW, "directions": k}
            row |= dict(zip(TOLD, values, strict=True))
            row["low_bits"], row["high_bits"] = (row.pop(end) * row["entropy"] for end in ("low", "high"))
            rows.append({**row, "n_folds": int(row["n_folds"])})
    return pd.DataFrame(rows)


def terms_on_tissue(
    data_sets: Mapping[str, AnnData],
    *,
    tasks: Sequence[str] = CORE_TASKS,
    expression: str = "pca",
    morphology: str = "mobilenetv2",
    field_um: int = 600,
    directions: Sequence[int] = (10,),
    n_components: int = 50,
    n_bootstrap: int = 200,
    seed: int = 0,
    store: PointStore | None = None,
    n_jobs: int = -1,
) -> pd.DataFrame:
    """Decompose each task before and after alignment; see :func:`information_retained`.

    Both embeddings are reduced to principal components first, without a label. Before alignment these are turned at
    random, because the estimator scales every feature to one variance, and bare components would lose their order.

    Parameters
    ----------
    data_sets, tasks, expression, morphology, field_um, n_components, store, n_jobs
        As in :func:`told_on_tissue`.
    directions
        k, canonical directions kept of each embedding.
    n_bootstrap
        Replicates, of tiles of tissue.
    seed
        Of folds, models and bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row a task, number of directions and term: task, made_from, data_set, experts, unit, n, n_groups;
        directions; and what the table of `InformationRetained` holds. A share is empty where the term is not there
        before alignment.
    """
    contests = task_contests(data_sets, tasks, expression=expression, morphology=morphology, field_um=field_um)
    options = {"directions": tuple(directions), "n_components": n_components, "n_bootstrap": n_bootstrap, "seed": seed}
    found = _each(data_sets, contests, _terms, "terms retained", options, store or PointStore(None), n_jobs)
    parts = []
    for record, arrays in found:
        for k, values in zip(directions, arrays["values"], strict=True):  # (term, column)
            table = pd.DataFrame(values, columns=list(COLUMNS)).astype(dict.fromkeys(COLUMNS[6:], "Float64"))
            table.insert(0, "term", RETAINED_TERMS)
            parts.append(pd.DataFrame([{**record, "directions": k}] * len(table)).join(table))
    return pd.concat(parts, ignore_index=True)


def _each(
    data_sets: Mapping[str, AnnData],
    contests: Sequence[Contest],
    measure: Any,
    run: str,
    options: Mapping[str, Any],
    store: PointStore,
    n_jobs: int,
) -> list[tuple[dict[str, object], Arrays]]:
    """Measure what is not in the store, and return each task's record and arrays."""
    pairs = [tissue_pair(data_sets[get_task(c.task).data_set], c, seed=options["seed"]) for c in contests]
    named = [{"run": run, **vars(pair.contest), **options} for pair in pairs]
    found = [store.find(key) for key in named]
    missing = [i for i, arrays in enumerate(found) if arrays is None]
    with joblib.parallel_config(backend="loky", n_jobs=n_jobs, inner_max_num_threads=1):
        runs = joblib.Parallel(return_as="generator")(joblib.delayed(measure)(pairs[i], **options) for i in missing)
        for i, arrays in zip(missing, runs, strict=True):
            found[i] = store.keep(named[i], arrays)
    return [(pair.record(), arrays) for pair, arrays in zip(pairs, found, strict=True) if arrays is not None]


def _told(pair: TissuePair, *, directions: Sequence[int], n_components: int, seed: int) -> Arrays:
    """Return what a linear probe is told by each representation (representation, value)."""
    representations: list[TransformerMixin] = [ReducedPair(n_components=n_components, seed=seed)]
    representations += [AlignedPair(k, n_components=n_components, seed=seed) for k in directions]
    with threadpool_limits(1):
        tables = [
            information_told(pair.views, {"y": pair.classes}, pair.groups, transformer=model, seed=seed)
            for model in representations
        ]
    return {"values": np.array([table.iloc[0][list(TOLD)].to_numpy(dtype=np.float64) for table in tables])}


def _turned(x: NDArray[np.floating], *, n_components: int, seed: int) -> NDArray[np.float64]:
    """Reduce an embedding and turn it at random: the estimator would scale bare components to one variance."""
    z = Reduction(n_components=n_components, seed=seed).fit(x).transform(x)
    width = z.shape[1]
    return z @ ortho_group.rvs(width, random_state=seed) if width > 1 else z


def _terms(pair: TissuePair, *, directions: Sequence[int], n_components: int, n_bootstrap: int, seed: int) -> Arrays:
    """Return the terms before and after alignment (directions, term, column); NaN where there is no share."""
    views = [_turned(x, n_components=n_components, seed=seed) for x in pair.views]
    options: dict[str, Any] = {"blocks": pair.tiles, "n_bootstrap": n_bootstrap, "seed": seed}
    options["n_folds"] = min(MOST_FOLDS, len(np.unique(pair.groups)))
    tables: list[NDArray[np.float64]] = []
    before = None
    with threadpool_limits(1):
        for k in directions:
            model = AlignedPair(k, n_components=n_components, seed=seed)
            found = information_retained(
                (views[0], views[1]), pair.classes, pair.groups, transformer=model, before=before, **options
            )
            before = found.before
            tables.append(found.table[list(COLUMNS)].to_numpy(dtype=np.float64, na_value=np.nan))
    return {"values": np.stack(tables)}
