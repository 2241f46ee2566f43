"""How raw counts become what ``gene_transformer`` reads: genes by symbol, values in bins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from beyond_alignment import keys
from beyond_alignment.errors import InputError
from beyond_alignment.experts.gene_names import GeneMatch, match_genes

LEAST_GENES = 64
TARGET_SUM = 1e4
BINS = 32


def measured_genes(var_names: Sequence[str], wanted: Sequence[str]) -> GeneMatch:
    """Match the genes of a data set with those of a network; see :func:`match_genes`.

    Parameters
    ----------
    var_names
        Gene symbols of the data set.
    wanted
        Human gene symbols.

    Raises
    ------
    InputError
        If fewer than 64 are measured (or than half of them, where fewer than 128 are wanted).
    """
    return match_genes(var_names, wanted, min_shared=min(LEAST_GENES, (len(wanted) + 1) // 2))


def match_note(match: GeneMatch) -> str:
    """Say what a user should know about a match: matched by case alone, or few genes; empty where there is nothing."""
    notes = []
    if len(match.by_case) > match.n_shared / 2:
        notes.append(
            "genes are matched by upper-case symbol, so that mouse genes stand for the human genes of the same letters "
            "although the network has never seen mouse tissue"
        )
    if match.n_shared < match.n_wanted / 2:
        notes.append(f"only {match.n_shared} of {match.n_wanted} genes are measured, the embedding rests on these")
    return "; ".join(notes)


def counts_of(adata: AnnData) -> sparse.csr_matrix:
    """Return the raw counts of a data set (spot, gene).

    Raises
    ------
    InputError
        If a number is negative, not finite or no whole number.
    """
    matrix = adata.layers.get(keys.COUNTS, adata.X)
    counts = sparse.csr_matrix(matrix, dtype=np.float32)
    if not np.isfinite(counts.data).all() or (counts.data < 0).any() or (counts.data != np.rint(counts.data)).any():
        msg = "gene_transformer reads raw counts, X holds other numbers: give counts in X or layers['counts']."
        raise InputError(msg)
    return counts


def log_expression(counts: NDArray[np.float32], totals: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return log1p of counts at 10,000 a spot: (spot, gene).

    Parameters
    ----------
    counts
        (spot, gene).
    totals
        Counts of all measured genes of each spot (spot,).
    """
    values: NDArray[np.float32] = np.log1p(counts / np.maximum(totals, 1.0)[:, None] * np.float32(TARGET_SUM))
    return values


@dataclass(frozen=True)
class GeneScale:
    """The genes of a network and how their counts become bins, frozen with its weights.

    A count of 0 has bin 0. The log expression of any other count, standardised by gene, has the bin between the edges
    in which it lies, from 1.

    Attributes
    ----------
    genes
        Symbols.
    mean, sd
        Of the log expression of each gene over the training spots (gene,).
    edges
        Ascending (edge,).
    """

    genes: tuple[str, ...]
    mean: NDArray[np.float32]
    sd: NDArray[np.float32]
    edges: NDArray[np.float32]

    @property
    def n_bins(self) -> int:
        """Number of bins."""
        return len(self.edges) + 2

    def codes(
        self, counts: NDArray[np.float32], totals: NDArray[np.float32], positions: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the bins of counts (spot, gene) of the genes at ``positions``."""
        score = (log_expression(counts, totals) - self.mean[positions]) / self.sd[positions]
        return np.where(counts > 0, 1 + np.searchsorted(self.edges, score), 0)

    def bins(self, adata: AnnData) -> tuple[NDArray[np.int64], NDArray[np.uint8], str]:
        """Read a data set of raw counts.

        Parameters
        ----------
        adata
            Raw counts in ``X`` (spot, gene), or in ``layers["counts"]`` where there is one; ``var_names``: symbols.

        Returns
        -------
        tuple
            Which of the genes are measured (token,), the bins of their values (spot, token), and what a user should
            know about the match, empty where there is nothing.

        Raises
        ------
        InputError
            If too few genes are measured or the numbers are no counts.
        """
        match, counts = measured_genes(adata.var_names, self.genes), counts_of(adata)
        positions = np.unique(match.positions).astype(np.int64)
        totals = np.asarray(counts.sum(axis=1), dtype=np.float32).ravel()
        values = match.select(counts)[:, positions].toarray()
        return positions, self.codes(values, totals, positions).astype(np.uint8), match_note(match)


def fit_gene_scale(genes: Sequence[str], counts: NDArray[np.float32], totals: NDArray[np.float32]) -> GeneScale:
    """Fit the scale of each gene, and edges that hold as many non-zero values each, rounded to float16.

    Parameters
    ----------
    genes
        Symbols.
    counts
        Of training spots (spot, gene).
    totals
        Counts of all genes of each spot (spot,).
    """
    values = log_expression(counts, totals)
    mean = values.mean(axis=0).astype(np.float16).astype(np.float32)
    sd = np.maximum(values.std(axis=0), 0.05).astype(np.float16).astype(np.float32)
    scores = ((values - mean) / sd)[counts > 0]
    quantiles = np.quantile(scores, np.linspace(0.0, 1.0, BINS)[1:-1])
    return GeneScale(tuple(genes), mean, sd, np.unique(quantiles.astype(np.float16)).astype(np.float32))
