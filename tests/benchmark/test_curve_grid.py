"""Learning curves on the grid's engine: the numbers of the plain runner, fold by fold."""

from dataclasses import replace

import numpy as np
import pytest

from beyond_alignment.benchmark.curve_finetuned import SURROGATES, surrogate_curves
from beyond_alignment.benchmark.curve_grid import run_curves
from beyond_alignment.benchmark.curve_problems import pose_curves
from beyond_alignment.benchmark.own_curves import own_problem
from beyond_alignment.benchmark.problem import Contest
from beyond_alignment.benchmark.runner import out_of_fold
from beyond_alignment.benchmark.scaling import subset
from beyond_alignment.benchmark.scoreboard import score_contest
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.labels import set_labels
from tests.benchmark.stand_ins import CONTESTS, Counted, two_bits
from tests.tissue import make_tissue

FRACTIONS = (0.3, 1.0)


@pytest.fixture(scope="module")
def data():
    return two_bits()


@pytest.fixture(scope="module")
def problems(data):
    return pose_curves(data, CONTESTS)


@pytest.fixture(scope="module")
def curves(problems):
    return run_curves(problems, CONTESTS, fractions=FRACTIONS, n_replicates=20)


def test_the_curves_are_those_of_the_plain_runner(problems, curves):
    assert curves.failures.empty
    mine = curves.points.set_index(["method", "seed", "fraction", "metric"])
    assert len(mine) == len(CONTESTS) * len(FRACTIONS) * mine.index.get_level_values("metric").nunique()
    for contest in CONTESTS:
        bench = problems.of(contest)
        for fraction in FRACTIONS:
            parts = [subset(s, bench.problem.labels, fraction=fraction, seed=contest.seed) for s in bench.splits]
            plain = out_of_fold(bench.problem, bench.pair, parts, contest.method, seed=contest.seed)
            for metric, score in score_contest(plain, n_replicates=20).items():
                point = mine.loc[(contest.method, contest.seed, fraction, metric)]
                assert (point["value"], point["n_train"]) == (score.value, np.mean(plain.n_train))
                np.testing.assert_array_equal(point["draws"], score.replicates)


def test_seeds_share_the_whole_set_and_differ_on_parts_of_it(curves):
    by_seed = curves.points[curves.points["method"] == "expression_only"].pivot_table(
        index=["fraction", "metric"], columns="seed", values="value"
    )
    assert (by_seed.loc[1.0, 0] == by_seed.loc[1.0, 1]).all()
    assert (by_seed.loc[0.3, 0] != by_seed.loc[0.3, 1]).any()


def test_more_training_spots_help_where_there_is_something_to_learn():
    adata = make_tissue(side=12)
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, adata.n_obs)
    adata.obsm["X_pca"] = 0.5 * np.outer(2 * label - 1, np.ones(4)) + rng.normal(size=(adata.n_obs, 4))
    adata.obsm["X_colour_200um"] = rng.normal(size=(adata.n_obs, 4))
    set_labels(adata, "niche", np.array(["a", "b"])[label])
    contests = [Contest("niche", "section", "expression_only", "pca", "colour_200um", seed) for seed in range(3)]
    run = run_curves(pose_curves({"her2st": adata}, contests), contests, fractions=(0.03, 1.0), n_replicates=2)
    points = run.points[run.points["metric"] == "macro_f1"].groupby("fraction")[["value", "n_train"]].mean()
    assert points.at[1.0, "value"] > points.at[0.03, "value"] + 0.05
    assert points.at[1.0, "n_train"] == 288


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


def test_a_surrogate_learns_what_its_side_holds(data):
    contests = [replace(CONTESTS[0], method=name) for name in SURROGATES]
    problems = pose_curves(data, contests)
    found = surrogate_curves(problems, contests, fractions=(1.0,), n_replicates=5)
    scores = found[found["metric"] == "accuracy"] if "accuracy" in set(found["metric"]) else found
    assert (scores["value"] > 0.3).all()  # one of two bits: half of four classes, chance a quarter
    assert (found["operations"] > 0).all()
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
