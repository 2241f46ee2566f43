"""Gene expression as a target: log-normalised counts, and a choice of genes that sees no scored spot."""

import numpy as np
import scanpy as sc
from anndata import AnnData
from scipy import sparse

from beyond_alignment import keys
from beyond_alignment.datasets import normalise
from beyond_alignment.datasets.quality import TARGET_SUM
from beyond_alignment.errors import InputError


def log_expression(counts: AnnData) -> AnnData:
    """Return log(1 + counts scaled to 10,000 a spot): (spot, gene).

    Parameters
    ----------
    counts
        Raw counts in ``X``. A spot's total is ``obs["total_counts"]`` where it is there, for counts of which only some
        genes were kept; else it is the sum of its row.
    """
    if keys.TOTAL_COUNTS not in counts.obs:
        return normalise(AnnData(counts.X, obs=counts.obs, var=counts.var[[]]))
    total = np.maximum(counts.obs[keys.TOTAL_COUNTS].to_numpy(dtype=np.float64), 1.0)
    scaled = sparse.csr_matrix(counts.X, dtype=np.float32).multiply(TARGET_SUM / total[:, None])
    return AnnData(sparse.csr_matrix(scaled.log1p(), dtype=np.float32), obs=counts.obs, var=counts.var[[]])


def variable_genes(counts: AnnData, *, n_genes: int = 50, min_share: float = 0.1) -> tuple[str, ...]:
    """Return the genes that vary most beyond counting noise, within the sections, among those seen in enough spots.

    Variance of the Pearson residuals, ranked section by section (Lause, Berens & Kobak 2021), so that a gene is not
    chosen for being noisy, or for differing between donors alone.

    Parameters
    ----------
    counts
        Raw counts of spots that may be looked at: training spots, or donors that are scored nowhere. Reads
        ``obs["section"]``.
    n_genes
        How many at most.
    min_share
        Share of the spots that a gene must be detected in, 0 to 1.

    Raises
    ------
    InputError
        If no gene is detected in enough spots.
    """
    seen = np.asarray((counts.X > 0).mean(axis=0)).ravel()
    kept = counts[:, seen >= min_share].copy()
    if kept.n_vars == 0:
        msg = f"None of {counts.n_vars} genes is detected in {min_share:.0%} of the spots: lower min_share."
        raise InputError(msg)
    kept.obs[keys.SECTION] = kept.obs[keys.SECTION].astype(str).astype("category")
    wanted = min(n_genes, kept.n_vars)
    found = sc.experimental.pp.highly_variable_genes(kept, n_top_genes=wanted, batch_key=keys.SECTION, inplace=False)
    return tuple(kept.var_names[found["highly_variable"].to_numpy()])
