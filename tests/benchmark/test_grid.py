"""The grid: the same numbers however it is run, and whoever else fails."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.benchmark.grid import run_grid
from beyond_alignment.benchmark.method_comparison import compare_with_experts
from beyond_alignment.benchmark.metrics import score, tile_weights
from beyond_alignment.benchmark.neighbour_rows import neighbour_rows
from beyond_alignment.benchmark.problem import Contest, Workbench
from beyond_alignment.benchmark.runner import out_of_fold
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.splits import microns
from tests.benchmark.stand_ins import CONTESTS, METHODS, Counted, Failing, two_bits
from tests.tissue import make_tissue

COLUMNS = ["task", "split", "method", "seed", "fold", "value", "failure"]


@pytest.fixture(scope="module")
def data():
    return two_bits()


@pytest.fixture(scope="module")
def reference(data):
    return run_grid(data, CONTESTS)


def same(first, second):
    """Whether two grids hold the same bytes."""
    pairs = zip(first.predictions, second.predictions, strict=True)
    return all(
        (one is None) == (other is None) and (one is None or np.array_equal(one.probability, other.probability))
        for one, other in pairs
    )


def test_the_grid_equals_one_fit_after_the_other(data, reference):
    bench = Workbench(data)
    plain = (out_of_fold(*bench.prepare(one), one.method, seed=one.seed) for one in CONTESTS)
    for one, other in zip(plain, reference.predictions, strict=True):
        for name in ("probability", "guess", "frequency", "truth", "positions", "tiles", "folds"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert reference.failures.empty


def test_each_fold_has_a_row_with_its_own_score(data, reference):
    assert len(reference.cells) == len(CONTESTS) * 3
    row = reference.cells.query("method == 'concat' and seed == 1 and fold == 'A2'").iloc[0]
    run = dict(reference.scored)[Contest("niche", "section", "concat", "pca", "mobilenetv2_200um", 1)]
    inside = run.folds == "A2"
    hits = run.truth[inside] == run.guess[inside]
    assert row["n_test"] == inside.sum() == 25
    f1 = [2 * (hits & (run.truth[inside] == c)).sum()
          / ((run.truth[inside] == c).sum() + (run.guess[inside] == c).sum()) for c in range(4)]  # fmt: skip
    assert row["value"] == pytest.approx(np.mean(f1))
    assert set(reference.cells["made_from"]) == {"neighbours"}
    assert (reference.cells["seconds"] > 0).all()


@pytest.mark.parametrize("error", [MemoryError, RuntimeError])
def test_what_cannot_be_fitted_together_is_fitted_alone(data, reference, error):
    class Alone(Counted):
        def __call__(self, estimators, sets):
            found = super().__call__(estimators, sets)
            if len(estimators) > 1:
                raise error
            return found

    alone = Alone()
    assert same(run_grid(data, CONTESTS, fit_many=alone), reference)
    assert alone.sizes == [6, *[1] * 6] * len(METHODS)  # three folds, two seeds


def test_a_fold_that_diverges_is_a_row_and_the_others_go_on(data):
    adata = data["her2st"][:-5]  # section B1 is smaller, so that its fold is known by its size
    contests = CONTESTS
    whole = run_grid({"her2st": adata}, contests)
    n_train = int(whole.cells.query("fold == 'A1'")["n_train"].iloc[0])
    assert whole.cells.query("n_train == @n_train")["fold"].nunique() == 2  # A1 and A2 hold out as many spots
    found = run_grid({"her2st": adata}, contests, fit_many=Failing(n_train))
    assert len(found.failures) == 4  # two folds, two seeds
    assert set(found.failures["method"]) == {"late_average"}
    assert set(found.failures["failure"]) == {"The loss became infinite in step 3."}
    assert found.failures["value"].isna().all()
    assert [run is None for run in found.predictions] == [c.method == "late_average" for c in contests]
    others = found.cells.query("failure == ''").merge(whole.cells, on=COLUMNS[:5])
    np.testing.assert_array_equal(others["value_x"], others["value_y"])
    assert len(others) == len(whole.cells) - 4
    table = compare_with_experts(found.scored, n_replicates=20, n_permutations=19)
    assert set(table["method"]) == {"concat"}


def test_bad_input_of_a_cell_is_its_reason(data):
    adata = data["her2st"].copy()
    adata.obsm["X_pca"][0] = np.nan
    found = run_grid({"her2st": adata}, CONTESTS)
    bad = found.failures
    assert set(bad["failure"]) == {"The expression embedding holds 6 NaN or infinite values: drop or fill those rows."}
    assert set(bad["method"]) == set(METHODS)  # the spot is in the training or the test spots of every fold
    assert found.cells["value"].isna().all()


def test_two_processes_give_what_one_gives(data, reference):
    assert same(run_grid(data, CONTESTS, n_jobs=2), reference)


def test_neighbours_are_those_that_touch_in_the_same_section():
    adata = make_tissue(side=5)
    places, sections = microns(adata), adata.obs["section"].to_numpy()
    rows = neighbour_rows(places, sections)
    assert rows.shape == (75, 8)
    for spot, near in enumerate(rows):
        kept = near[near >= 0]
        apart = np.abs(places[kept] - places[spot]).max(axis=1)
        np.testing.assert_allclose(apart, 200)
        assert (sections[kept] == sections[spot]).all()
        assert spot not in kept
        expected = (np.abs(places - places[spot]).max(axis=1).round(6) == 200) & (sections == sections[spot])
        assert len(kept) == expected.sum()
    assert (neighbour_rows(places[:1], sections[:1]) == -1).all()


def test_some_spots_alone_are_each_others_neighbours():
    adata = make_tissue(side=6, sections=("A1",))
    kept = np.flatnonzero(adata.obs["array_x"].to_numpy() < 3)
    rows = neighbour_rows(microns(adata)[kept], np.full(len(kept), "A1"))
    assert rows.max() < len(kept)
    assert (rows >= 0).sum(axis=1).max() == 8


def test_the_score_of_a_grid_is_that_of_its_predictions(reference):
    run = reference.predictions[4]
    weights = tile_weights(run.tiles, run.strata, n_replicates=1)
    assert score(run, weights)["macro_f1"].value > 0.5
    assert isinstance(reference.cells, pd.DataFrame)


def test_a_task_that_is_not_carried_is_said(data):
    with pytest.raises(InputError, match="no labels of 'interface'"):
        run_grid(data, [Contest("interface", "section", "concat", "pca", "mobilenetv2_200um")])
