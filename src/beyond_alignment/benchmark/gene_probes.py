"""Predicts the expression of single genes from an embedding, and correlates it with what was measured."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import joblib
import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from beyond_alignment import keys
from beyond_alignment.benchmark.expert_probes import digest, draw_tiles, experts_of, in_fold, modality_read
from beyond_alignment.benchmark.paired_scores import ExpertScores, collect_scores
from beyond_alignment.benchmark.predictions import Predictions
from beyond_alignment.benchmark.problem import make_problem
from beyond_alignment.benchmark.runner import out_of_fold
from beyond_alignment.benchmark.store import PointStore
from beyond_alignment.benchmark.unseen import donors_tested, fold_embeddings
from beyond_alignment.correlations import pearson_columns
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.genes import log_expression, variable_genes
from beyond_alignment.tasks.registry import SplitKind
from beyond_alignment.tasks.splits import Split, make_splits

GENES = "genes"


@dataclass(frozen=True)
class GenePrediction:
    """How well each expert predicts genes.

    Attributes
    ----------
    scores
        Pearson r within the held-out fold, averaged over genes and then over folds, in the form of the
        scores of any other task.
    folds
        One row an expert and fold: mean r over genes, low, high (95 %, tiles of the fold resampled), n spots.
    genes
        One row an expert, fold and gene: r.
    """

    scores: ExpertScores
    folds: pd.DataFrame
    genes: pd.DataFrame


def gene_prediction(
    tissue: AnnData,
    *,
    experts: Sequence[str] | None = None,
    unseen: Mapping[str, Mapping[str, str]] | None = None,
    counts: AnnData | None = None,
    genes: Sequence[str] | None = None,
    n_genes: int = 50,
    task: str = GENES,
    split: SplitKind | None = None,
    n_replicates: int = 500,
    seed: int = 0,
    store: PointStore | None = None,
    n_jobs: int = 1,
) -> GenePrediction:
    """Predict log expression gene by gene from every expert, by ridge regression on its principal components.

    Scaling, components and the penalty are fitted on the training spots of each fold. Correlations are taken within a
    held-out fold, so that neither the mean of a donor nor that of the training spots counts for or against an expert.
    An expert of expression reads the very counts that it predicts.

    Parameters
    ----------
    tissue
        Reads ``obsm["X_<expert>"]``, sections, donors and coordinates.
    experts
        Names; all that the tissue holds when None.
    unseen
        As in ``expert_scores``.
    counts
        Raw counts of the same spots, in any order; those of the tissue when None.
    genes
        A list that was fixed without looking at a scored spot; when None the most variable genes of the training spots
        of each fold.
    n_genes
        Number of genes chosen where ``genes`` is None.
    task
        Name in the tables, to tell one data set from another.
    split
        ``donor``, ``section`` or ``block``; when None donors, else sections, else blocks, whichever can be held out.
    n_replicates
        Bootstrap replicates.
    seed
        Of the components and the replicates.
    store
        Where finished points are kept.
    n_jobs
        Processes, -1 for one a core; for few experts their start costs more than they save.

    Raises
    ------
    InputError
        If counts are missing, lack a spot or a gene, or an expert is missing.
    """
    variants = dict(unseen or {})
    names = (*(experts or experts_of(tissue)), *variants)
    kind = split or widest_split(tissue)
    given = _aligned(tissue, tissue if counts is None else counts)
    folds = make_splits(tissue, kind)
    chosen = [_chosen(given, fold, genes, n_genes) for fold in folds]
    embeddings = _embeddings(tissue, names, variants, folds)
    jobs = _jobs(tissue, embeddings, log_expression(given), folds, chosen, kind=kind, seed=seed, store=store)
    found: list[Predictions] = joblib.Parallel(n_jobs=n_jobs)(jobs)
    drawn = draw_tiles(tissue, n_replicates=n_replicates, seed=seed)
    rows, by_fold, by_gene = [], [], []
    for number, expert in enumerate(names):
        mine = found[number * len(folds) : (number + 1) * len(folds)]
        mean, parts = in_fold(mine, drawn)
        rows.append((_columns(tissue, expert, task, kind, mine), mean))
        for fold, one, part, these in zip(folds, mine, parts, chosen, strict=True):
            low, high = part.interval()
            size = len(one.positions)
            by_fold.append({"expert": expert, "fold": fold.name, "r": part.value, "low": low, "high": high, "n": size})
            each = pearson_columns(one.truth, one.probability)
            by_gene.append(pd.DataFrame({"expert": expert, "fold": fold.name, "gene": these, "r": each}))
    return GenePrediction(collect_scores(rows), pd.DataFrame(by_fold), pd.concat(by_gene, ignore_index=True))


def widest_split(tissue: AnnData) -> SplitKind:
    """Return the strictest split that a tissue can hold: by donor, else by section, else by block."""
    if tissue.obs[keys.DONOR].nunique() > 1:
        return "donor"
    return "section" if tissue.obs[keys.SECTION].nunique() > 1 else "block"


def _aligned(tissue: AnnData, counts: AnnData) -> AnnData:
    """Return the counts of the spots of a tissue, in their order."""
    missing = tissue.obs_names.difference(counts.obs_names)
    if len(missing):
        msg = f"The counts lack {len(missing)} of {tissue.n_obs} spots, {missing[0]} among them: pass those of all."
        raise InputError(msg)
    if counts.X is None:
        msg = "This tissue holds no counts: pass counts=, one row for each of its spots."
        raise InputError(msg)
    obs = counts.obs.loc[tissue.obs_names].assign(**{keys.SECTION: tissue.obs[keys.SECTION].astype(str).to_numpy()})
    return AnnData(counts[tissue.obs_names].X, obs=obs, var=counts.var[[]])


def _chosen(counts: AnnData, fold: Split, genes: Sequence[str] | None, n_genes: int) -> tuple[str, ...]:
    """Return the genes of a fold: the fixed ones, or those that vary most in its training spots."""
    if genes is None:
        return variable_genes(counts[fold.train], n_genes=n_genes)
    absent = [gene for gene in genes if gene not in counts.var_names]
    if absent:
        msg = f"{len(absent)} of {len(genes)} genes are not in the counts, {absent[0]} among them: leave them out."
        raise InputError(msg)
    return tuple(genes)


def _embeddings(
    tissue: AnnData, experts: Sequence[str], variants: Mapping[str, Mapping[str, str]], folds: Sequence[Split]
) -> Iterator[tuple[str, list[NDArray[np.float32]]]]:
    """Yield each expert with the embedding of each fold."""
    tested = donors_tested(tissue.obs[keys.DONOR].astype(str).to_numpy(), folds)
    for expert in experts:
        yield expert, fold_embeddings(tissue, expert, tested, variants.get(expert))


def _jobs(
    tissue: AnnData,
    embeddings: Iterable[tuple[str, list[NDArray[np.float32]]]],
    expression: AnnData,
    folds: Sequence[Split],
    chosen: Sequence[Sequence[str]],
    *,
    kind: SplitKind,
    seed: int,
    store: PointStore | None,
) -> Iterator[tuple]:
    """Yield what predicts the genes of each fold from each expert."""
    matrices = [expression[:, list(genes)].X for genes in chosen]
    targets = [np.asarray(x.toarray() if sparse.issparse(x) else x, dtype=np.float64) for x in matrices]
    problems = [make_problem(tissue, target, kind="regression", split=kind) for target in targets]
    for expert, parts in embeddings:
        method = f"{modality_read(tissue, expert).replace('unknown', 'morphology')}_only"
        base = {"probe": GENES, "expert": expert, "split": kind, "seed": seed}
        for fold, problem, x in zip(folds, problems, parts, strict=True):
            key = {**base, "fold": fold.name, "y": digest(problem.labels), "x": digest(x)}
            yield joblib.delayed(out_of_fold)(problem, (x, x), [fold], method, seed=seed, key=key, store=store)


def _columns(
    tissue: AnnData, expert: str, task: str, kind: SplitKind, found: Sequence[Predictions]
) -> dict[str, object]:
    """Return the columns that go with the score of an expert."""
    reads = modality_read(tissue, expert)
    return {
        "expert": expert,
        "task": task,
        "split": kind,
        "reads": reads,
        "made_from": "expression",
        "same_source": reads == "expression",
        "main": True,
        "chance": 0.0,
        "n": sum(len(one.positions) for one in found),
        "n_tiles": len(np.unique(np.concatenate([one.tiles for one in found]))),
        "n_sections": len(np.unique(np.concatenate([one.strata for one in found]))),
    }
