import numpy as np
import pytest

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.baseline import fit_min_mae
from beyond_alignment.tokens.folds import TileFold
from beyond_alignment.tokens.redundancy import redundancy_with_core
from tests.tokens.fields import lattice, tiles_at


def counts(n=300, n_core=6, n_addon=4, seed=0):
    """Poisson counts; add-on gene 0 is core gene 4, gene 1 the sum of core genes 0 to 3, the others are alone."""
    rng = np.random.default_rng(seed)
    core = rng.poisson(rng.gamma(3.0, 4.0, (n, n_core)))
    addon = rng.poisson(rng.gamma(3.0, 4.0, (n, n_addon)))
    addon[:, 0], addon[:, 1] = core[:, 4], core[:, :4].sum(axis=1)
    return tiles_at(lattice(n, 1, 32), core=core, targets=np.log1p(addon))


def test_each_gene_is_copied_from_the_nearest_core_gene_of_the_training_tiles():
    tiles = counts()
    train = np.arange(0, 300, 2)
    model = fit_min_mae(tiles, train)
    core = np.log1p(tiles.core.toarray()[train])
    for gene in range(4):  # a plain loop
        errors = [np.mean(np.abs(core[:, other] - tiles.targets[train, gene])) for other in range(6)]
        assert model.core_gene[gene] == np.argmin(errors)
        assert model.training_mae[gene] == pytest.approx(min(errors), abs=1e-6)
    assert model.core_gene[0] == 4
    predicted = model.predict(tiles.core_per_tile())
    np.testing.assert_allclose(predicted[:, 0], tiles.targets[:, 0], rtol=1e-6)


def test_test_tiles_have_no_say_in_the_baseline():
    tiles, other = counts(), counts(seed=5)
    train = np.arange(150)
    tiles.targets[150:] = other.targets[150:][::-1]
    changed = fit_min_mae(tiles, train)
    np.testing.assert_array_equal(changed.core_gene, fit_min_mae(counts(), train).core_gene)
    np.testing.assert_array_equal(changed.training_mae, fit_min_mae(counts(), train).training_mae)
    with pytest.raises(InputError, match="no training tile"):
        fit_min_mae(tiles, [])


def test_redundancy_is_high_for_copies_and_none_for_genes_alone():
    tiles = counts(n=600)
    fold = TileFold("f", np.arange(400), np.arange(400, 500), np.arange(500, 600))
    table = redundancy_with_core(tiles, fold)
    assert table["ridge_r2"][0] > 0.99
    assert table["largest_r"][0] == pytest.approx(1.0)
    assert table["nearest"][0] == "C4"
    assert 0.6 < table["ridge_r2"][1] < 0.99
    assert table["largest_r"][1] < 0.8  # one gene of the sum holds less than all four
    assert (table["ridge_r2"][2:] < 0.1).all()
    train = np.corrcoef(np.log1p(tiles.core.toarray()[:400, 4]), tiles.targets[:400, 3])[0, 1]
    assert table["largest_r"][3] >= abs(train) - 1e-9
    tiles.targets[fold.test] = 0.0
    np.testing.assert_array_equal(redundancy_with_core(tiles, fold)["ridge_r2"], table["ridge_r2"])


def test_genes_that_are_constant_in_a_part_are_left_out_of_redundancy():
    tiles = counts(n=90)
    tiles.targets[60:75, 2] = 1.0
    fold = TileFold("f", np.arange(60), np.arange(60, 75), np.arange(75, 90))
    table = redundancy_with_core(tiles, fold)
    assert list(table["gene"]) == ["T0", "T1", "T3"]
    assert table.notna().all(axis=None)
    tiles.targets[:] = 1.0
    with pytest.raises(InputError, match="No add-on gene varies"):
        redundancy_with_core(tiles, fold)
