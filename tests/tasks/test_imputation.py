"""A gene that is to be imputed reaches the expression input by no way."""

import numpy as np
import pytest

from beyond_alignment.benchmark.embeddings import imputation_input
from beyond_alignment.benchmark.problem import Contest, Workbench, pose
from beyond_alignment.benchmark.runner import gather
from beyond_alignment.datasets import normalise
from beyond_alignment.errors import InputError
from beyond_alignment.experts.expression import fit_frozen_pca
from beyond_alignment.tasks.genes import log_expression, variable_genes
from beyond_alignment.tasks.imputation import announce_imputation, hold_out_fixed_genes, other_genes
from beyond_alignment.tasks.labels import absence
from beyond_alignment.tasks.splits import split_task
from tests.tissue import make_tissue


@pytest.fixture
def tissue():
    adata = make_tissue(side=7)
    adata.obsm["X_mobilenetv2_200um"] = np.random.default_rng(1).normal(size=(adata.n_obs, 5)).astype(np.float32)
    return adata


def changed(adata, genes):
    """Return the tissue with other counts of some genes."""
    other = adata.copy()
    counts = other.X.toarray()
    counts[:, other.var_names.isin(genes)] += np.random.default_rng(2).integers(1, 30, (adata.n_obs, len(genes)))
    other.X = counts
    return other


def test_the_other_genes_are_blind_to_those_held_out_even_through_the_total(tissue):
    genes = list(tissue.var_names[:5])
    clean, spoiled = (other_genes(adata, genes) for adata in (tissue, changed(tissue, genes)))
    np.testing.assert_allclose(clean.X.toarray(), np.asarray(spoiled.X), atol=1e-6)
    assert not set(genes) & set(clean.var_names)
    np.testing.assert_allclose(np.expm1(clean.X.toarray()).sum(axis=1), 1e4, rtol=1e-4)


def test_genes_fixed_elsewhere_are_targets_and_their_input_does_not_see_them(tissue):
    reference = make_tissue(side=7, seed=9)
    genes = variable_genes(reference, n_genes=6)
    pca = fit_frozen_pca(other_genes(reference, genes), n_components=4)
    inputs = []
    for adata in (tissue, changed(tissue, list(genes))):
        hold_out_fixed_genes(adata, "genes", genes, pca)
        inputs.append(adata.obsm["other_genes"])
        np.testing.assert_allclose(adata.obsm["task_genes"], log_expression(adata)[:, list(genes)].to_df(), rtol=1e-6)
    np.testing.assert_allclose(*inputs, atol=1e-4)
    spots, problem = pose(tissue, "genes")
    assert problem.genes == genes
    np.testing.assert_array_equal(imputation_input(spots, "pca", problem.genes), tissue.obsm["other_genes"])
    with pytest.raises(InputError, match="'hallmark' has seen the genes"):
        imputation_input(spots, "hallmark", problem.genes)


def test_components_that_read_a_target_are_refused(tissue):
    pca = fit_frozen_pca(normalise(tissue), n_components=3)
    with pytest.raises(InputError, match="is to be imputed"):
        hold_out_fixed_genes(tissue, "genes", pca.genes[:2], pca)


def test_each_fold_is_scored_on_genes_chosen_by_its_training_spots(tissue):
    announce_imputation(tissue, "mob_genes", n_genes=4)
    bench = Workbench({"mob": tissue})
    problem, pair, splits = bench.prepare(Contest("mob_genes", "section", "concat", "pca", "mobilenetv2_200um"))
    for split in splits:
        mine = [gene for gene, kept in zip(problem.genes, problem.scored[split.name], strict=True) if kept]
        assert set(mine) == set(variable_genes(tissue[split.train], n_genes=4))
    assert pair[0].shape == (tissue.n_obs, tissue.n_vars - len(problem.genes))
    shape = problem.labels.shape
    arrays = {"probability": np.zeros(shape), "guess": np.zeros(len(shape)), "frequency": np.zeros(shape)}
    truth = gather(problem, splits, arrays).truth
    assert (np.isfinite(truth).sum(axis=1) == 4).all()


def test_a_folds_choice_of_genes_does_not_see_its_test_spots(tissue):
    announce_imputation(tissue, "mob_genes", n_genes=4)
    split = split_task(tissue, "mob_genes", "section")[0]
    spoiled = tissue.copy()
    counts = spoiled.X.toarray()
    counts[split.test] = np.random.default_rng(3).poisson(20, (len(split.test), tissue.n_vars))
    spoiled.X = counts
    chosen = []
    for adata in (tissue, spoiled):
        _, problem = pose(adata, "mob_genes", split="section")
        mask = problem.scored[split.name]
        chosen.append({gene for gene, kept in zip(problem.genes, mask, strict=True) if kept})
    assert chosen[0] == chosen[1]


def test_a_release_from_before_the_task_is_skipped_with_the_reason(tissue):
    assert "before this task was defined" in absence(tissue, "mob_genes")
    with pytest.raises(InputError, match="no labels of 'mob_genes'"):
        pose(tissue, "mob_genes")
