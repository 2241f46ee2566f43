"""Gene imputation: genes that are held out of expression, to be told from the other genes and morphology."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from beyond_alignment import keys
from beyond_alignment.datasets import normalise
from beyond_alignment.errors import InputError
from beyond_alignment.experts.expression import FrozenPCA
from beyond_alignment.tasks.genes import log_expression, variable_genes
from beyond_alignment.tasks.labels import set_targets
from beyond_alignment.tasks.registry import get_task
from beyond_alignment.tasks.splits import Split

N_GENES = 50


def other_genes(counts: AnnData, genes: Sequence[str]) -> AnnData:
    """Return log-normalised counts without some genes.

    A spot's total is that of the genes that are left, so that it tells nothing of those that were taken out.

    Parameters
    ----------
    counts
        Raw counts in ``X``.
    genes
        Genes to take out.
    """
    kept = ~counts.var_names.isin(list(genes))
    return normalise(AnnData(counts.X[:, kept], obs=counts.obs[[]], var=counts.var.loc[kept, []]))


def hold_out_fixed_genes(adata: AnnData, task: str, genes: Sequence[str], components: FrozenPCA) -> None:
    """Take genes that were chosen on other donors as targets, and embed the other genes.

    Parameters
    ----------
    adata
        Raw counts in ``X``. Writes ``obsm["task_<name>"]`` (spot, gene), ``obsm["other_genes"]`` (spot, component) and
        ``uns["task_<name>"]``.
    task
        Name of the task.
    genes
        Fixed on spots that are scored nowhere.
    components
        Fitted on those spots too, on the other genes alone.

    Raises
    ------
    InputError
        If the components read a gene that is held out.
    """
    if read := sorted(set(genes) & set(components.genes)):
        msg = f"The components read {read[0]}, which is to be imputed: fit them on the other genes."
        raise InputError(msg)
    measured = [gene for gene in genes if gene in adata.var_names]
    targets = log_expression(adata)[:, measured].to_df().astype(np.float32)
    set_targets(adata, task, targets, input=f"{len(components.genes)} other genes, {len(components.components)} parts")
    adata.obsm[keys.OTHER_GENES] = components.transform(other_genes(adata, genes)).astype(np.float32)


def announce_imputation(adata: AnnData, task: str, *, n_genes: int = N_GENES, min_share: float = 0.1) -> None:
    """Say that a data set carries an imputation task whose genes each fold chooses on its training spots.

    Parameters
    ----------
    adata
        Writes ``uns["task_<name>"]``.
    task
        Name of the task.
    n_genes
        Genes of each fold.
    min_share
        Share of the training spots that a gene must be detected in.
    """
    record = get_task(task)
    adata.uns[keys.task(task)] = {
        "made_from": record.made_from,
        "description": record.description,
        "n_genes": n_genes,
        "min_share": min_share,
    }


def chosen_by_folds(
    adata: AnnData, task: str, splits: Sequence[Split]
) -> tuple[pd.DataFrame, dict[str, NDArray[np.bool_]]]:
    """Return the targets of an imputation task whose genes are chosen on the training spots of each fold.

    Parameters
    ----------
    adata
        Raw counts in ``X``; reads ``uns["task_<name>"]``.
    task
        Name of the task.
    splits
        Folds.

    Returns
    -------
    tuple
        Log expression of every gene that some fold chose (spot, gene), all of which are to be hidden from the
        expression expert; and, fold by fold, which of them it chose (gene,): a fold is scored on those alone.
    """
    options = adata.uns[keys.task(task)]
    chosen = {
        split.name: variable_genes(
            adata[split.train], n_genes=int(options["n_genes"]), min_share=float(options["min_share"])
        )
        for split in splits
    }
    genes = sorted(set().union(*chosen.values()))
    targets = log_expression(adata)[:, genes].to_df()
    return targets, {fold: np.isin(genes, list(mine)) for fold, mine in chosen.items()}
