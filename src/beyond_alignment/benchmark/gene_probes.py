"""Predicts the expression of single genes from an embedding, and correlates it with what was measured."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from anndata import AnnData
from scipy import sparse

from beyond_alignment import keys
from beyond_alignment.benchmark.expert_probes import as_columns, described, draw_tiles, in_fold, method_of, sizes
from beyond_alignment.benchmark.problem import make_problem
from beyond_alignment.benchmark.runner import out_of_fold
from beyond_alignment.benchmark.unseen import donors_tested, fold_embeddings, variants_named
from beyond_alignment.correlations import pearson_columns
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.genes import log_expression, variable_genes
from beyond_alignment.tasks.registry import SplitKind
from beyond_alignment.tasks.splits import Split, make_splits

N_GENES = 50


def predict_genes(
    tissue: AnnData,
    expert: str,
    *,
    genes: Sequence[str] | None = None,
    n_genes: int = N_GENES,
    n_replicates: int = 500,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Predict log expression gene by gene from an expert, by ridge regression on its principal components.

    Scaling, components and the penalty are fitted on the training spots of each fold. Correlations are taken within a
    held-out fold, so that neither the mean of a donor nor that of the training spots counts for or against an expert.
    An expert of expression reads the very counts that it predicts. The genes are a list that was fixed without looking
    at a scored spot or, where none is given, the most variable ones of the training spots of each fold.

    Returns
    -------
    list
        A record a fold: the mean r over genes with its interval and draws, the genes as words, and the r of each.

    Raises
    ------
    InputError
        If the tissue holds no counts, or lacks a gene.
    """
    if tissue.X is None:
        raise InputError("This tissue holds no counts, so no gene can be predicted: take one that does.")
    kind = widest_split(tissue)
    counts = AnnData(tissue.X, obs=tissue.obs, var=tissue.var[[]])
    expression, folds = log_expression(counts), make_splits(tissue, kind)
    chosen = [_chosen(counts, fold, genes, n_genes) for fold in folds]
    tested = donors_tested(tissue.obs[keys.DONOR].astype(str).to_numpy(), folds)
    parts = fold_embeddings(tissue, expert, tested, variants_named(tissue, expert))
    method, found = method_of(tissue, expert), []
    for fold, these, x in zip(folds, chosen, parts, strict=True):
        matrix = expression[:, list(these)].X
        target = np.asarray(matrix.toarray() if sparse.issparse(matrix) else matrix, dtype=np.float64)
        problem = make_problem(tissue, target, kind="regression", split=kind)
        found.append(out_of_fold(problem, (x, x), [fold], method, seed=seed))
    _, scores = in_fold(found, draw_tiles(tissue, n_replicates=n_replicates, seed=seed))
    same = described(tissue, expert, "expression") | {"split": kind}
    return [
        {"fold": fold.name, **same, **as_columns(mean, keep=True), **sizes([one]), "genes": " ".join(these)}
        | {"r": pearson_columns(one.truth, one.probability).astype(np.float32)}
        for fold, one, mean, these in zip(folds, found, scores, chosen, strict=True)
    ]


def widest_split(tissue: AnnData) -> SplitKind:
    """Return the strictest split that a tissue can hold: by donor, else by section, else by block."""
    if tissue.obs[keys.DONOR].nunique() > 1:
        return "donor"
    return "section" if tissue.obs[keys.SECTION].nunique() > 1 else "block"


def _chosen(counts: AnnData, fold: Split, genes: Sequence[str] | None, n_genes: int) -> tuple[str, ...]:
    """Return the genes of a fold: the fixed ones, or those that vary most in its training spots."""
    if genes is None:
        return variable_genes(counts[fold.train], n_genes=n_genes)
    absent = [gene for gene in genes if gene not in counts.var_names]
    if absent:
        msg = f"{len(absent)} of {len(genes)} genes are not in the counts, {absent[0]} among them: leave them out."
        raise InputError(msg)
    return tuple(genes)
