"""The grid: the same numbers however it is run, whatever was finished before, and whoever else fails."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.benchmark import (
    Contest,
    PointStore,
    compare_with_experts,
    fit_one_by_one,
    run_benchmark,
    run_grid,
    score,
    tile_weights,
)
from beyond_alignment.benchmark.neighbour_rows import neighbour_rows
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


def test_the_grid_equals_the_plain_runner(data, reference):
    plain = run_benchmark(data, CONTESTS, n_jobs=1)
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


@pytest.mark.parametrize("size", [1, 4, None])
def test_how_many_are_fitted_together_changes_nothing(data, reference, size):
    counted = Counted()
    assert same(run_grid(data, CONTESTS, fit_many=counted, cells_at_once=size), reference)
    assert sum(counted.sizes) == len(CONTESTS) * 3
    assert max(counted.sizes) == (size or 6)  # three folds, two seeds


def test_where_company_is_too_much_each_is_fitted_alone(data, reference):
    class Alone(Counted):
        def __call__(self, estimators, sets):
            if len(estimators) > 1:
                raise MemoryError
            return super().__call__(estimators, sets)

    assert same(run_grid(data, CONTESTS, fit_many=Alone()), reference)


def test_a_killed_run_goes_on_where_it_stopped(data, reference, tmp_path):
    store = PointStore(tmp_path)

    class Killed(Counted):
        def __call__(self, estimators, sets):
            if len(self.sizes) == 7:
                raise KeyboardInterrupt
            return super().__call__(estimators, sets)

    with pytest.raises(KeyboardInterrupt):
        run_grid(data, CONTESTS, store=store, fit_many=Killed(), cells_at_once=2)
    assert len(list(tmp_path.glob("*.npz"))) == 14  # every cell that was finished
    rest = Counted()
    assert same(run_grid(data, CONTESTS, store=store, fit_many=rest, cells_at_once=2), reference)
    assert sum(rest.sizes) == len(CONTESTS) * 3 - 14
    again = Counted()
    assert same(run_grid(data, CONTESTS, store=store, fit_many=again), reference)
    assert again.sizes == []


def test_another_setting_or_other_data_are_other_cells(data, tmp_path):
    store, first = PointStore(tmp_path), Counted()
    run_grid(data, CONTESTS[:1], store=store, fit_many=first)
    for change in ({"settings": {"trials": 4}}, {"options": {"expression_only": {"n_components": 3}}}):
        other = Counted()
        run_grid(data, CONTESTS[:1], store=store, fit_many=other, **change)
        assert sum(other.sizes) == 3
    adata = data["her2st"].copy()
    adata.obsm["X_pca"][0] += 1
    other = Counted()
    run_grid({"her2st": adata}, CONTESTS[:1], store=store, fit_many=other)
    assert sum(other.sizes) == 3


def test_a_fold_that_diverges_is_a_row_and_the_others_go_on(data, reference, tmp_path):
    adata = data["her2st"][:-5]  # section B1 is smaller, so that its fold is known by its size
    contests, store = CONTESTS, PointStore(tmp_path)
    whole = run_grid({"her2st": adata}, contests)
    n_train = int(whole.cells.query("fold == 'A1'")["n_train"].iloc[0])
    assert whole.cells.query("n_train == @n_train")["fold"].nunique() == 2  # A1 and A2 hold out as many spots
    failing = Failing(n_train, lasting=True)
    found = run_grid({"her2st": adata}, contests, store=store, fit_many=failing)
    assert len(found.failures) == 4  # two folds, two seeds
    assert set(found.failures["method"]) == {"late_average"}
    assert set(found.failures["failure"]) == {"The loss became infinite in step 3."}
    assert found.failures["value"].isna().all()
    assert [run is None for run in found.predictions] == [c.method == "late_average" for c in contests]
    others = found.cells.query("failure == ''").merge(whole.cells, on=COLUMNS[:5])
    np.testing.assert_array_equal(others["value_x"], others["value_y"])
    assert len(others) == len(whole.cells) - 4
    again = Counted()
    run_grid({"her2st": adata}, contests, store=store, fit_many=again)
    assert again.sizes == []  # what diverged once diverges again
    table = compare_with_experts(found.scored, n_replicates=20, n_permutations=19)
    assert set(table["method"]) == {"concat"}


def test_a_failure_that_may_pass_is_tried_again(data, reference, tmp_path):
    store = PointStore(tmp_path)
    first = run_grid(data, CONTESTS, store=store, fit_many=Failing(50, lasting=False))
    assert len(first.failures) == 6
    again = Counted()
    assert same(run_grid(data, CONTESTS, store=store, fit_many=again), reference)
    assert sum(again.sizes) == 6


def test_where_fitting_together_fails_as_a_whole_only_the_guilty_cell_does(data, reference):
    def broken(estimators, sets):
        if len(estimators) > 1:
            raise RuntimeError("all at once")
        return fit_one_by_one(estimators, sets)

    assert same(run_grid(data, CONTESTS, fit_many=broken), reference)


def test_bad_input_of_a_cell_is_its_reason(data):
    adata = data["her2st"].copy()
    adata.obsm["X_pca"][0] = np.nan
    found = run_grid({"her2st": adata}, CONTESTS)
    bad = found.failures
    assert set(bad["failure"]) == {"The expression embedding holds 6 NaN or infinite values: drop or fill those rows."}
    assert set(bad["method"]) == set(METHODS)  # the spot is in the training or the test spots of every fold
    assert found.cells["value"].isna().all()


def test_two_processes_give_what_one_gives(data, reference):
    assert same(run_grid(data, CONTESTS, cells_at_once=3, n_jobs=2), reference)


def test_progress_says_what_runs(data, capsys):
    run_grid(data, CONTESTS[:1], progress=True)
    assert capsys.readouterr() is not None


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
