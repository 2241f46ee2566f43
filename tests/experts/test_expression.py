import anndata as ad
import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from beyond_alignment.datasets import normalise
from beyond_alignment.errors import InputError
from beyond_alignment.experts.expression import FrozenPCA, fit_frozen_pca, hallmark_scores


def expression(n_spots=60, n_genes=40, seed=0):
    rng = np.random.default_rng(seed)
    rates = rng.gamma(1.0, 3.0, (n_spots, 3)) @ rng.gamma(1.0, 1.0, (3, n_genes))
    adata = ad.AnnData(sparse.csr_matrix(rng.poisson(rates).astype(np.float32)))
    adata.var_names = [f"G{i}" for i in range(n_genes)]
    return normalise(adata)


def test_frozen_components_are_those_of_scikit_learn():
    adata = expression()
    frozen = fit_frozen_pca(adata, n_components=4, n_genes=20, seed=0)
    assert len(frozen.genes) == 20
    values = adata[:, list(frozen.genes)].X.toarray()
    wanted = PCA(n_components=4, random_state=0).fit_transform(values)
    np.testing.assert_allclose(frozen.transform(adata), wanted, atol=1e-3)


def test_the_same_seed_gives_the_same_components():
    one, two = (fit_frozen_pca(expression(), n_components=4, n_genes=20, seed=1) for _ in range(2))
    assert one.sha256 == two.sha256
    assert one.sha256 != fit_frozen_pca(expression(seed=1), n_components=4, n_genes=20, seed=1).sha256


def test_the_number_of_threads_changes_no_byte():
    adata = expression(n_spots=1500, n_genes=400)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            frozen = fit_frozen_pca(adata, n_components=20, n_genes=300)
            found.append((frozen.sha256, frozen.transform(adata).tobytes()))
    assert found[0] == found[1]


def test_a_missing_gene_counts_as_its_mean():
    adata = expression()
    frozen = fit_frozen_pca(adata, n_components=4, n_genes=20)
    lost = frozen.genes[3]
    at_mean = adata.copy()
    dense = at_mean.X.toarray()
    dense[:, at_mean.var_names.get_loc(lost)] = frozen.mean[3]
    at_mean.X = dense
    without = adata[:, [g for g in adata.var_names if g != lost]]
    np.testing.assert_allclose(frozen.transform(without), frozen.transform(at_mean), atol=1e-4)


def test_fewer_than_half_of_the_genes_are_refused():
    frozen = FrozenPCA(tuple("abcd"), np.zeros(4, np.float32), np.eye(2, 4, dtype=np.float32))
    adata = ad.AnnData(np.ones((2, 2), np.float32))
    adata.var_names = ["a", "zzz"]
    with pytest.raises(InputError, match="Only 1 of the 4 genes"):
        frozen.transform(adata)


def test_hallmark_scores_by_hand():
    adata = ad.AnnData(sparse.csr_matrix(np.array([[1, 1, 4, 0, 2, 0], [0, 0, 0, 0, 0, 6]], np.float32)))
    adata.var_names = ["A", "B", "C", "D", "e", "F"]
    sets = {"first": ["A", "B", "C", "D", "E"], "small": ["A", "B"], "unknown": list("UVWXYZ")}
    scores = hallmark_scores(adata, sets)
    np.testing.assert_allclose(scores[:, 0], [8 / 5 - 8 / 6, 0 - 1], atol=1e-6)
    np.testing.assert_array_equal(scores[:, 1:], 0)


def test_a_spot_is_scored_by_itself():
    adata = expression()
    sets = {"one": [f"G{i}" for i in range(10)], "two": [f"G{i}" for i in range(5, 30)]}
    alone = hallmark_scores(adata[7:8], sets)
    np.testing.assert_allclose(alone[0], hallmark_scores(adata, sets)[7], atol=1e-6)
