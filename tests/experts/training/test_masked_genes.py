import numpy as np
import pytest
import torch

from beyond_alignment.experts.gene_values import fit_gene_scale
from beyond_alignment.experts.training.masked_genes import hidden_counts_loss, mask, most_variable_genes, spot_counts


def test_hidden_counts_cost_what_the_multinomial_says():
    logits = torch.tensor([[0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 0.0, 0.0]])
    hidden = torch.tensor([[0.0, 2.0, 0.0, 1.0], [0.0, 0.0, 4.0, 0.0]])
    shown = torch.tensor([[True, False, True, False], [True, True, False, False]])
    share = np.exp([1.0, 3.0]) / np.exp([1.0, 3.0]).sum()
    wanted = -(2 * np.log2(share[0]) + np.log2(share[1]) + 4 * np.log2(0.5)) / 7
    assert float(hidden_counts_loss(logits, hidden, shown)) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("thin", [False, True])
def test_shown_and_hidden_genes_make_up_the_spot(counts, thin):
    spots = spot_counts(counts, list(counts.var_names))
    scale = fit_gene_scale(counts.var_names, spots.counts, spots.totals)
    rows = np.arange(30)
    batch = mask(spots, rows, scale, 10, np.random.default_rng(0), thin=thin)
    assert batch.genes.shape == batch.bins.shape == (30, 10)
    assert (batch.shown.sum(1) == 10).all()
    for spot in range(30):
        assert batch.shown[spot, batch.genes[spot]].all()
        assert (batch.hidden[spot][batch.shown[spot]] == 0).all()
    rest = torch.from_numpy(spots.counts[rows]).masked_fill(batch.shown, 0.0)
    assert (batch.hidden <= rest).all()
    assert torch.equal(batch.hidden, rest) != thin
    nothing = torch.from_numpy(spots.counts[rows]).gather(1, batch.genes) == 0
    if not thin:
        assert torch.equal(batch.bins == 0, nothing)


def test_variable_genes_are_those_that_vary(counts):
    steady = counts.copy()
    dense = steady.X.toarray()
    dense[:, ::2] = 5.0
    steady.X = dense
    assert set(most_variable_genes(steady, 20)) == set(counts.var_names[1::2])
    assert torch.get_num_threads() == 1  # as the tests set it
