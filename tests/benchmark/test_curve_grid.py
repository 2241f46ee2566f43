"""Learning curves on the grid's engine: the numbers of the plain runner, kept cell by cell."""

import numpy as np
import pytest

from beyond_alignment.benchmark import PointStore, learning_curves, pose_curves, run_curves, surrogate_curves
from beyond_alignment.benchmark.curve_finetuned import SURROGATES
from beyond_alignment.benchmark.own_curves import own_problem
from beyond_alignment.errors import InputError
from tests.benchmark.stand_ins import CONTESTS, Counted, two_bits

FRACTIONS = (0.3, 1.0)
KEYS = ["method", "seed", "fraction", "metric"]


@pytest.fixture(scope="module")
def data():
    return two_bits()


@pytest.fixture(scope="module")
def problems(data):
    return pose_curves(data, CONTESTS)


@pytest.fixture(scope="module")
def curves(problems):
    return run_curves(problems, CONTESTS, fractions=FRACTIONS, n_replicates=20)


def test_the_curves_are_those_of_the_plain_runner(data, curves):
    plain = learning_curves(data, CONTESTS, fractions=FRACTIONS, n_replicates=20, n_jobs=1)
    both = curves.points.merge(plain, on=KEYS)
    assert len(both) == len(plain) == len(curves.points)
    np.testing.assert_array_equal(both["value_x"], both["value_y"])
    np.testing.assert_array_equal(both["n_train_x"], both["n_train_y"])
    for mine, theirs in zip(both["draws_x"], both["draws_y"], strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert curves.failures.empty


def test_seeds_share_the_whole_set_and_differ_on_parts_of_it(curves):
    by_seed = curves.points[curves.points["method"] == "expression_only"].pivot_table(
        index=["fraction", "metric"], columns="seed", values="value"
    )
    assert (by_seed.loc[1.0, 0] == by_seed.loc[1.0, 1]).all()
    assert (by_seed.loc[0.3, 0] != by_seed.loc[0.3, 1]).any()


def test_finished_cells_are_not_run_again(problems, curves, tmp_path):
    store, first = PointStore(tmp_path), Counted()
    options = {"fractions": FRACTIONS, "n_replicates": 20, "store": store}
    run_curves(problems, CONTESTS, fit_many=first, cells_at_once=4, **options)
    assert sum(first.sizes) == len(CONTESTS) * 2 * 3
    assert max(first.sizes) == 4
    again = Counted()
    found = run_curves(problems, CONTESTS, fit_many=again, **options)
    assert again.sizes == []
    np.testing.assert_array_equal(found.points["value"], curves.points["value"])


def test_a_cell_that_fails_is_a_row_and_its_point_is_left_out(problems, curves):
    def broken(estimators, sets):
        if type(estimators[0]).__name__ == "LateAverage":
            raise FloatingPointError("It diverged.")
        return Counted()(estimators, sets)

    found = run_curves(problems, CONTESTS, fractions=FRACTIONS, n_replicates=20, fit_many=broken)
    assert set(found.failures["method"]) == {"late_average"}
    assert set(found.failures["failure"]) == {"It diverged."}
    assert "late_average" not in set(found.points["method"])
    rest = curves.points[curves.points["method"] != "late_average"]
    np.testing.assert_array_equal(found.points["value"], rest["value"])


def test_no_fraction_is_refused(problems):
    with pytest.raises(InputError, match="no fraction"):
        run_curves(problems, CONTESTS, fractions=())


def test_a_surrogate_learns_what_its_side_holds_and_is_kept(data, tmp_path):
    from dataclasses import replace

    contests = [replace(CONTESTS[0], method=name) for name in SURROGATES]
    problems, store = pose_curves(data, contests), PointStore(tmp_path)
    found = surrogate_curves(problems, contests, fractions=(1.0,), n_replicates=5, store=store)
    scores = found[found["metric"] == "accuracy"] if "accuracy" in set(found["metric"]) else found
    assert (scores["value"] > 0.3).all()  # one of two bits: half of four classes, chance a quarter
    assert (found["operations"] > 0).all()
    again = surrogate_curves(problems, contests, fractions=(1.0,), n_replicates=5, store=store)
    np.testing.assert_array_equal(found["value"], again["value"])
    np.testing.assert_array_equal(found["seconds"], again["seconds"])  # read, not run
    with pytest.raises(InputError, match="not fine-tuned"):
        surrogate_curves(problems, CONTESTS[:1], fractions=(1.0,))


def test_own_data_are_folded_by_their_groups(data):
    adata = data["her2st"].copy()
    adata.obs["kind"] = np.where(adata.obsm["X_pca"][:, 0] > 0, "a", "b")
    options = {"name": "mine", "expression": "pca", "morphology": "mobilenetv2_200um", "label": "kind"}
    posed = own_problem(adata, groups="section", methods=("concat",), n_seeds=2, **options)
    bench = posed.of(posed.contests[0])
    sections = adata.obs["section"].astype(str).to_numpy()
    assert len(posed.contests) == 2
    assert len(bench.splits) == 3
    for split in bench.splits:
        assert not set(sections[split.train]) & set(sections[split.test])
    with pytest.raises(InputError, match="lack absent"):
        own_problem(adata, groups="absent", methods=("concat",), n_seeds=1, **options)
