"""What ``gene_transformer`` learns from: spots that show some of their genes and hide the others."""

from dataclasses import dataclass

import numpy as np
import scanpy as sc
import torch
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from beyond_alignment import keys
from beyond_alignment.experts.gene_values import GeneScale, counts_of, fit_gene_scale
from beyond_alignment.experts.training.profiles import GeneTransformerProfile

LEAST_SPOTS = 0.02
THINNING = 0.5


@dataclass(frozen=True)
class SpotCounts:
    """Counts of the network's genes.

    Attributes
    ----------
    counts
        (spot, gene).
    totals
        Counts of all genes of each spot (spot,).
    """

    counts: NDArray[np.float32]
    totals: NDArray[np.float32]


def most_variable_genes(adata: AnnData, n_genes: int) -> list[str]:
    """Choose the genes of the largest variance of analytic Pearson residuals (Lause et al. 2021).

    They are chosen among genes found in at least 2 % of spots, the ranks taken within each section.

    Parameters
    ----------
    adata
        Raw counts in ``X``; reads ``obs["section"]``.
    n_genes
        How many at most.
    """
    counts = counts_of(adata)
    often = np.asarray((counts > 0).mean(axis=0)).ravel() >= LEAST_SPOTS
    if often.sum() <= n_genes:
        return list(adata.var_names[often])
    kept = AnnData(counts[:, often], obs=adata.obs[[keys.SECTION]].copy(), var=adata.var.loc[often, []].copy())
    threads = torch.get_num_threads()
    table = sc.experimental.pp.highly_variable_genes(
        kept, n_top_genes=n_genes, batch_key=keys.SECTION, inplace=False, check_values=False
    )
    torch.set_num_threads(threads)  # numba sets OpenMP's number for its own loops, and torch would compute with that
    return list(kept.var_names[table["highly_variable"].to_numpy()])


def spot_counts(adata: AnnData, genes: list[str]) -> SpotCounts:
    """Return the counts of some genes of a data set."""
    counts: sparse.csr_matrix = counts_of(adata)
    totals = np.asarray(counts.sum(axis=1), dtype=np.float32).ravel()
    return SpotCounts(counts[:, adata.var_names.get_indexer(genes)].toarray(), totals)


def prepare(adata: AnnData, profile: GeneTransformerProfile) -> tuple[SpotCounts, SpotCounts | None, GeneScale]:
    """Split off the watched section, choose genes and fit their scale on the rest.

    Parameters
    ----------
    adata
        Raw counts of the training donors; spots without a count are dropped.
    profile
        Number of genes, name of the watched section.

    Returns
    -------
    tuple
        Training spots, watched spots (None where the section is absent), scale.
    """
    adata = adata[np.asarray(adata.X.sum(axis=1)).ravel() > 0]
    watched = (adata.obs[keys.SECTION] == profile.validation_section).to_numpy()
    training = adata[~watched]
    genes = most_variable_genes(training, profile.genes)
    spots = spot_counts(training, genes)
    scale = fit_gene_scale(genes, spots.counts, spots.totals)
    return spots, spot_counts(adata[watched], genes) if watched.any() else None, scale


@dataclass(frozen=True)
class MaskedBatch:
    """Spots with some genes shown and the others hidden.

    Attributes
    ----------
    genes, bins
        Shown genes and the bins of their values (spot, token).
    hidden
        Counts of the hidden genes, 0 for the shown (spot, gene).
    shown
        Whether a gene is shown (spot, gene).
    """

    genes: Tensor
    bins: Tensor
    hidden: Tensor
    shown: Tensor


def mask(
    spots: SpotCounts, rows: NDArray[np.intp], scale: GeneScale, n_shown: int, rng: np.random.Generator, *, thin: bool
) -> MaskedBatch:
    """Hide all but ``n_shown`` random genes of each spot.

    Parameters
    ----------
    spots, rows
        Counts, and which spots.
    scale
        How counts become bins.
    n_shown
        Genes that each spot shows.
    rng
        Draws the shown genes.
    thin
        Whether counts are thinned to a random share of at least one half, as if sequenced less deeply.
    """
    counts, totals = spots.counts[rows], spots.totals[rows]
    if thin:
        share = rng.uniform(THINNING, 1.0, (len(rows), 1))
        counts = rng.binomial(counts.astype(np.int64), share).astype(np.float32)
        totals = totals * share[:, 0].astype(np.float32)
    n_genes = counts.shape[1]
    codes = scale.codes(counts, totals, np.arange(n_genes))
    genes = rng.random(counts.shape).argpartition(n_shown - 1, axis=1)[:, :n_shown] if n_shown < n_genes else (
        np.broadcast_to(np.arange(n_genes), counts.shape)
    )  # fmt: skip
    shown = np.zeros(counts.shape, dtype=bool)
    np.put_along_axis(shown, genes, True, axis=1)
    parts = (genes.astype(np.int64), np.take_along_axis(codes, genes, axis=1), np.where(shown, 0.0, counts), shown)
    first, bins, hidden, seen = (torch.from_numpy(np.ascontiguousarray(part)) for part in parts)
    return MaskedBatch(first, bins, hidden.float(), seen)


def hidden_counts_loss(logits: Tensor, hidden: Tensor, shown: Tensor) -> Tensor:
    """Return the cost of the hidden counts in bits a count, under a multinomial over the hidden genes.

    Parameters
    ----------
    logits
        Log expression of every gene up to a constant (spot, gene).
    hidden
        Counts of the hidden genes (spot, gene).
    shown
        Whether a gene is shown and so left out (spot, gene).
    """
    log_share = logits.float().masked_fill(shown, float("-inf")).log_softmax(dim=1).masked_fill(shown, 0.0)
    return -(hidden * log_share).sum() / hidden.sum().clamp_min(1.0) / np.log(2.0)
