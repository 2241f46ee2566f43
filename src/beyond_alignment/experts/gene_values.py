"""How raw counts become what ``gene_transformer`` reads: genes by symbol, values in bins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from beyond_alignment import keys
from beyond_alignment.errors import InputError

LEAST_GENES = 64
TARGET_SUM = 1e4
BINS = 32


@dataclass(frozen=True)
class MeasuredGenes:
    """Which of the wanted genes a data set measures.

    Attributes
    ----------
    columns
        Of the data set (gene,).
    positions
        In the wanted genes, in the same order (gene,).
    note
        What a user should know about the match; empty where there is nothing.
    """

    columns: NDArray[np.int64]
    positions: NDArray[np.int64]
    note: str


def measured_genes(adata: AnnData, wanted: Sequence[str]) -> MeasuredGenes:
    """Match genes by symbol: as spelled or, where that finds more, in upper case.

    Parameters
    ----------
    adata
        Reads ``var_names``; of a symbol that is there twice the first counts.
    wanted
        Human gene symbols.

    Raises
    ------
    InputError
        If fewer than 64 are measured (or than half of them, where fewer than 128 are wanted).
    """
    names = list(map(str, adata.var_names))
    exact = _first_of(names)
    upper = _first_of([name.upper() for name in names])
    found = [sum(gene in table for gene in wanted) for table in (exact, upper)]
    by_case = found[1] > found[0]
    table = upper if by_case else exact
    pairs = [(table[gene], position) for position, gene in enumerate(wanted) if gene in table]
    least = min(LEAST_GENES, (len(wanted) + 1) // 2)
    if len(pairs) < least:
        msg = (
            f"Only {len(pairs)} of the {len(wanted)} genes of gene_transformer are in the data (it has "
            f"{', '.join(names[:3])}; wanted are {', '.join(wanted[:3])}), at least {least} are needed: "
            "give human gene symbols as var_names."
        )
        raise InputError(msg)
    notes = []
    if by_case:
        notes.append(
            "genes matched by upper-case symbol, so mouse genes stand for the human genes of the same letters although "
            "the network has never seen mouse tissue"
        )
    if len(pairs) < len(wanted) / 2:
        notes.append(f"only {len(pairs)} of {len(wanted)} genes are measured, the embedding rests on these")
    columns, positions = np.array(pairs, dtype=np.int64).T
    return MeasuredGenes(columns, positions, "; ".join(notes))


def _first_of(names: Sequence[str]) -> dict[str, int]:
    """Return the first column of each name."""
    return {name: column for column, name in reversed(list(enumerate(names)))}


def counts_of(adata: AnnData) -> sparse.csr_matrix:
    """Return the raw counts of a data set (spot, gene).

    Raises
    ------
    InputError
        If a number is negative, not finite or no whole number.
    """
    matrix = adata.layers[keys.COUNTS] if keys.COUNTS in adata.layers else adata.X
    counts = sparse.csr_matrix(matrix, dtype=np.float32)
    if not np.isfinite(counts.data).all() or (counts.data < 0).any() or (counts.data != np.rint(counts.data)).any():
        msg = "gene_transformer reads raw counts, but X holds numbers that are none: give counts in X or layers['counts']."
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

    def bins(self, adata: AnnData, measured: MeasuredGenes) -> NDArray[np.uint8]:
        """Return the bins of the measured genes of a data set (spot, gene).

        Raises
        ------
        InputError
            If the numbers are no counts.
        """
        counts = counts_of(adata)
        totals = np.asarray(counts.sum(axis=1), dtype=np.float32).ravel()
        return self.codes(counts[:, measured.columns].toarray(), totals, measured.positions).astype(np.uint8)


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
