"""Budgets of training: what is asked for is what is run, and what it adds is counted against the common budget."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.benchmark.budget_regret import regret_by_budget, with_budget
from beyond_alignment.benchmark.curve_grid import run_curves
from beyond_alignment.benchmark.dialled_tissue import dialled_label, dialled_problems
from beyond_alignment.benchmark.scaling_report import curve_points
from beyond_alignment.benchmark.training_budget import budget_gains, budget_name, budget_points
from beyond_alignment.errors import InputError
from beyond_alignment.fusion import make_fusion
from beyond_alignment.fusion.tuning import TRIALS, fit_tuned


@pytest.fixture(scope="module")
def posed():
    label = dialled_label("interaction", 0.55, name="interaction_high")
    return dialled_problems([label], sizes=[60], methods=["low_rank"], seeds=range(2))


@pytest.fixture(scope="module")
def common(posed):
    problems, shares = posed
    assert make_fusion("low_rank").steps == 200
    run = run_curves(
        problems,
        problems.contests,
        fractions=shares,
        n_replicates=2,
        fit_many=lambda estimators, sets: fit_tuned(estimators, sets, trials=TRIALS[:1]),
    )
    return curve_points(run.points)


@pytest.fixture(scope="module")
def made(posed):
    problems, shares = posed
    wanted = {(1, 200): problems.contests, (3, 40): [one for one in problems.contests if one.seed == 0]}
    return budget_points(problems, wanted, fractions=shares)


def test_the_common_budget_gives_the_common_points_and_another_one_others(made, common):
    gains = budget_gains(made, common).set_index(["n_trials", "steps"])
    assert np.abs(gains.loc[[(1, 200)], ["gain", "low", "high"]].to_numpy()).max() == 0
    assert list(gains.loc[[(1, 200)], "n_seeds"]) == [2]
    other = gains.loc[[(3, 40)]]
    assert list(other["n_seeds"]) == [1]
    assert (other["gain"] != 0).any()
    first = common[(common["metric"] == "macro_f1") & (common["seed"] == 0)].sort_values("fraction")
    assert list(other["base"]) == pytest.approx(list(first["value"]))
    assert list(other["gain"]) == pytest.approx(list(other["score"] - other["base"]))


def test_a_budget_stands_in_for_the_common_one_on_its_tasks_and_seeds_alone(made, common):
    concat = common.assign(method="concat")
    elsewhere = common.assign(task="additive_high")
    found = with_budget(pd.concat([common, concat, elsewhere]), made, (3, 40))
    assert set(found["task"]) == {"interaction_high"}
    assert set(found["seed"]) == {0}
    assert "steps" not in found
    values = found[found["method"] == "low_rank"]["value"]
    assert list(values) == list(made[made["steps"] == 40]["value"])
    assert (found["method"] == "concat").sum() == (common["seed"] == 0).sum()


def test_what_cannot_be_run_or_compared_is_named(posed, made, common):
    problems, shares = posed
    with pytest.raises(InputError, match="A budget of 5 settings: give 1 to 4"):
        budget_points(problems, {(5, 200): problems.contests}, fractions=shares)
    with pytest.raises(InputError, match="low_rank of interaction_high, seed 1, has no point of the common budget"):
        budget_gains(made, common[common["seed"] == 0])
    with pytest.raises(InputError, match="low_rank of interaction_high cannot be trained: "):
        budget_points(problems, {(1, 0): problems.contests}, fractions=shares)


def test_a_budget_in_words():
    assert [budget_name(one) for one in ((1, 200), (4, 3200))] == [
        "1 setting, 200 updates",
        "4 settings, 3,200 updates",
    ]


def test_rules_are_judged_on_the_same_points_under_either_budget():
    tasks = [f"t{number}" for number in range(4)]
    methods = ["expression_only", "morphology_only", "concat", "low_rank", "cross_attention", "bottleneck"]
    rows = [
        {"task": task, "split": "donor", "method": method, "seed": seed, "fraction": 1.0, "n_train": 50_000.0,
         "metric": "macro_f1", "value": 0.9 if method == "low_rank" else 0.5, "seconds": 1.0}
        for task in [*tasks, "tissue"] for method in methods for seed in range(3)
    ]  # fmt: skip
    base = pd.DataFrame(rows)
    few = base[base["task"].isin(tasks) & (base["seed"] < 2)]
    attention = few[few["method"].isin(["cross_attention", "bottleneck"])].assign(value=0.9, n_trials=4, steps=200)
    known = pd.DataFrame({"task": [*tasks, "tissue"], "sis": 0.6, "interaction": 0.6})
    wanted = {"common": (1, 200), "budget": (4, 200), "unimodal": methods[:2]}
    found = regret_by_budget(base, attention, known, **wanted).set_index(["budget", "rule"])
    assert set(found["n_tasks"]) == {4}
    published = found.xs("published rule", level="rule")["regret"]
    assert published["1 setting, 200 updates"] == pytest.approx(0.4)  # attention above 10,000 pairs
    assert published["4 settings, 200 updates"] == pytest.approx(0)
    with pytest.raises(InputError, match="No task has networks of 2 settings, 200 updates"):
        regret_by_budget(base, attention, known, **wanted | {"budget": (2, 200)})
