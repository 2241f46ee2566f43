"""Frozen expression experts: principal components and hallmark pathway scores."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scanpy as sc
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from beyond_alignment.errors import InputError


def _dense(matrix: object) -> NDArray[np.float32]:
    """Return a matrix as a dense float32 array."""
    dense = matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)  # type: ignore[attr-defined]
    return dense.astype(np.float32)


@dataclass(frozen=True)
class FrozenPCA:
    """Principal components of expression, fitted once and frozen.

    Attributes
    ----------
    genes
        The genes it reads, in order; a gene absent from the input counts as its mean over the fitted spots.
    mean
        mu, mean log expression of each gene (gene,).
    components
        W, (component, gene).
    """

    genes: tuple[str, ...]
    mean: NDArray[np.float32]
    components: NDArray[np.float32]

    @property
    def sha256(self) -> str:
        """Hexadecimal sha256 of genes, mean and components."""
        digest = hashlib.sha256("\n".join(self.genes).encode())
        digest.update(self.mean.tobytes() + self.components.tobytes())
        return digest.hexdigest()

    def transform(self, adata: AnnData) -> NDArray[np.float32]:
        """Return (x - mu) W' for log-normalised counts (spot, component), the same bytes on any number of threads.

        Raises
        ------
        InputError
            If fewer than half of its genes are measured.
        """
        present = [i for i, gene in enumerate(self.genes) if gene in adata.var_names]
        if len(present) < len(self.genes) / 2:
            msg = (
                f"Only {len(present)} of the {len(self.genes)} genes of the frozen components are in this data set; "
                "at least half are needed: check that var_names are gene symbols of the same species."
            )
            raise InputError(msg)
        centred = np.zeros((adata.n_obs, len(self.genes)), dtype=np.float32)
        centred[:, present] = _dense(adata[:, [self.genes[i] for i in present]].X) - self.mean[present]
        with threadpool_limits(1):
            return centred @ self.components.T


def fit_frozen_pca(adata: AnnData, *, n_components: int = 50, n_genes: int = 2000, seed: int = 0) -> FrozenPCA:
    """Fit principal components on log-normalised counts of unpaired sections.

    On one thread: sums in another order would give other bytes where more threads are at hand.

    Parameters
    ----------
    adata
        Log-normalised counts of spots that are scored nowhere.
    n_components
        d, number of components.
    n_genes
        Most variable genes kept (Seurat flavour, over all spots).
    seed
        Of the randomised solver.
    """
    variable = sc.pp.highly_variable_genes(adata, n_top_genes=min(n_genes, adata.n_vars), inplace=False)
    genes = tuple(adata.var_names[variable["highly_variable"].to_numpy()])
    values = _dense(adata[:, list(genes)].X)
    with threadpool_limits(1):
        model = PCA(n_components=n_components, random_state=seed).fit(values)
    return FrozenPCA(genes, model.mean_.astype(np.float32), model.components_.astype(np.float32))


def hallmark_scores(adata: AnnData, sets: Mapping[str, Sequence[str]], *, min_genes: int = 5) -> NDArray[np.float32]:
    """Score each spot on each gene set: its mean log expression less the mean over all genes of the spot.

    Nothing is fitted, so the scores of a spot depend on that spot alone.

    Parameters
    ----------
    adata
        Log-normalised counts (spot, gene).
    sets
        Name to genes, in order (Liberzon et al. 2015).
    min_genes
        A set with fewer measured genes scores 0 in every spot.

    Returns
    -------
    NDArray[np.float32]
        (spot, gene set).
    """
    background = np.asarray(adata.X.mean(axis=1)).ravel()
    position = {gene.upper(): i for i, gene in enumerate(adata.var_names)}
    scores = np.zeros((adata.n_obs, len(sets)), dtype=np.float32)
    for column, genes in enumerate(sets.values()):
        measured = [position[gene.upper()] for gene in genes if gene.upper() in position]
        if len(measured) >= min_genes:
            scores[:, column] = np.asarray(adata.X[:, measured].mean(axis=1)).ravel() - background
    return scores
