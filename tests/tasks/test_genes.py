"""Genes as targets: totals of all genes kept, and a choice that finds the genes that vary."""

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

from beyond_alignment.errors import InputError
from beyond_alignment.tasks.genes import log_expression, variable_genes
from tests.tissue import make_tissue


def test_a_panel_with_totals_has_the_log_expression_of_the_whole():
    tissue = make_tissue()
    whole = log_expression(tissue)
    panel = AnnData(tissue.X[:, :5], obs=tissue.obs.assign(total_counts=np.asarray(tissue.X.sum(axis=1)).ravel()))
    assert np.allclose(log_expression(panel).X.toarray(), whole.X[:, :5].toarray(), atol=1e-5)
    slow = np.log1p(tissue.X.toarray() / tissue.X.toarray().sum(axis=1, keepdims=True) * 1e4)
    assert np.allclose(whole.X.toarray(), slow, atol=1e-4)


def counts(*, noisy=False):
    """Return counts whose genes 0-4 vary within sections, 5-9 between donors alone, and the rest by counting alone."""
    tissue = make_tissue(side=14)
    rng = np.random.default_rng(0)
    rate = np.full((tissue.n_obs, 30), 2.0)
    rate[:, 20:] = 40.0  # many counts, so much variance, but no more than Poisson's
    rate[:, :5] *= rng.lognormal(0, 1, (tissue.n_obs, 1))
    rate[:, 5:10] *= np.where(tissue.obs["donor"] == "A", 0.5, 2.0)[:, None]
    tissue.X = sparse.csr_matrix(rng.poisson(rate).astype(np.float32))
    return tissue


def test_genes_that_vary_within_sections_are_found():
    assert set(variable_genes(counts(), n_genes=5)) == {str(i) for i in range(5)}


def test_a_gene_seen_in_few_spots_is_not_chosen_and_none_seen_is_said():
    tissue = counts()
    dense = tissue.X.toarray()
    dense[20:, :2] = 0
    tissue.X = sparse.csr_matrix(dense)
    assert not {"0", "1"} & set(variable_genes(tissue, n_genes=28, min_share=0.5))
    assert len(variable_genes(tissue, n_genes=100, min_share=0.0)) == 30
    with pytest.raises(InputError, match="lower min_share"):
        variable_genes(tissue[:, :2], min_share=0.9)
