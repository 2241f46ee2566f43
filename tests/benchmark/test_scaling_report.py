"""Tables of the scaling page and the verdicts on its claims, on curves whose answer is known."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.benchmark import find_crossovers, fit_curves
from beyond_alignment.benchmark.scaling_claims import crossover_claim, scaling_claims
from beyond_alignment.benchmark.scaling_report import (
    area_under_curve,
    crossings_by_sis,
    curve_points,
    leading_by_score,
    pareto_table,
    points_to_judge,
)
from beyond_alignment.errors import InputError

SIZES = np.array([100, 1000, 10_000])
METHODS = ("expression_only", "morphology_only", "concat", "low_rank", "cross_attention")
INFORMATION = pd.DataFrame(
    {"task": ["t0", "t1", "t2", "made"], "sis": [0.0, 0.02, 0.05, 0.5], "interaction": [0.0, 0.0, 0.0, 0.5]}
)
FINETUNED = "finetuned_expression"


def points(*, fused_on=("made",), tuned=0.0, tuned_name=FINETUNED, n_seeds=5):
    """Fusions that overtake by 0.1 from 1,000 spots on, on some tasks; a fine-tuned expert so far above all of them."""
    rows = []
    for task in INFORMATION["task"]:
        for seed in range(n_seeds):
            for number, n in enumerate(SIZES):
                base = 0.5 + 0.02 * number + 0.001 * (seed - n_seeds // 2)
                scores = dict.fromkeys(METHODS[:2], base)
                lead = 0.1 * (number - 0.5) if task in fused_on else -0.05
                scores |= dict.fromkeys(METHODS[2:], base + lead)
                if tuned and task != "made":
                    scores[tuned_name] = max(scores.values()) + tuned
                rows += [
                    {"task": task, "split": "donor", "method": method, "seed": seed, "fraction": n / 10_000}
                    | {"n_train": float(n), "metric": "macro_f1", "value": value, "seconds": 1.0}
                    for method, value in scores.items()
                ]
    return curve_points(pd.DataFrame(rows), pd.DataFrame())


def claims(found):
    fits = fit_curves(found, metric="macro_f1", n_bootstrap=100)
    crossings = crossings_by_sis(find_crossovers(found, fits, metric="macro_f1", fused=METHODS[2:]), INFORMATION)
    table = points_to_judge(found, INFORMATION)
    real = ["t0", "t1", "t2"]
    return {record["claim"]: record for record in scaling_claims(found, crossings, table, real=real)}


def test_where_fusion_pays_at_high_synergy_alone_the_claims_are_replicated():
    found = claims(points(tuned=0.03))
    assert found["B11"]["verdict"] == "replicated"
    assert found["B11"]["value"] == 0
    assert found["B10"]["verdict"] == "replicated"
    assert found["B10"]["value"] == pytest.approx(0.03)
    assert found["B14"]["verdict"] == "cannot be tested here"


def test_seeds_are_those_that_the_fine_tuned_expert_has():
    found = points(tuned=0.03)
    found = claims(found[(found["method"] != FINETUNED) | (found["seed"] < 2)])
    assert (found["B10"]["seeds"], found["B14"]["seeds"], found["B11"]["seeds"]) == (2, 2, 5)


def test_where_fusion_leads_at_low_synergy_they_are_not():
    found = claims(points(fused_on=("made", "t1"), tuned=-0.04))
    assert found["B11"]["verdict"] == "not replicated"
    assert found["B11"]["value"] == pytest.approx(1 / 3)
    assert found["B10"]["verdict"] == "not replicated"
    rule = found["B13"]
    assert rule["interval"][0] <= rule["value"] <= rule["interval"][1]
    assert rule["n"] == 4


def crossings(*rows):
    columns = ("task", "method", "sis", "n", "leads")
    return pd.DataFrame(rows, columns=columns)


def test_a_crossing_counts_where_its_fusion_leads_and_above_the_smallest_size():
    low = [("a", "concat", 0.0, np.nan, False), ("b", "concat", 0.1 - 1e-8, np.nan, False)]
    seen = crossover_claim(crossings(*low, ("c", "low_rank", 0.3, 500.0, True)), seeds=1, data="")
    assert seen["verdict"] == "replicated"
    assert (
        "on 1 of 1 of an SIS from 0.25 on, 0 of them from the smallest size on, the others from 500" in seen["measured"]
    )
    other = [("c", "low_rank", 0.3, np.nan, True), ("c", "concat", 0.3, 500.0, False)]  # leads from the start
    below = crossover_claim(crossings(*low, *other), seeds=1, data="")
    assert below["verdict"] == "cannot be tested here"
    assert "1 of them from the smallest size on;" in below["measured"]
    against = crossover_claim(crossings(*low[:1], ("b", "concat", 0.1 - 1e-8, 50.0, True), *other), seeds=1, data="")
    assert (against["verdict"], against["value"]) == ("not replicated", 0.5)


def test_a_task_is_low_up_to_what_is_material_and_high_from_the_bound_of_the_rule():
    rows = [
        ("b", "concat", 0.1 - 1e-8, 80.0, True),
        ("b", "low_rank", 0.1 - 1e-8, 50.0, True),
        ("d", "low_rank", 0.25 - 1e-8, np.nan, True),
        ("c", "low_rank", 0.2, 500.0, False),
    ]
    found = leading_by_score(crossings(*rows))
    assert found.index.to_list() == ["b", "d", "c"]
    assert found["side"].to_list() == ["low", "high", "between"]
    assert found["leads"].to_list() == [True, True, False]
    np.testing.assert_array_equal(found["first"], [50.0, 0.0, np.nan])


def test_a_surrogate_decides_nothing():
    found = claims(points(tuned=0.03, tuned_name="surrogate_expression"))
    assert found["B10"]["verdict"] == "cannot be tested here"
    assert "surrogate" in found["B10"]["measured"]
    assert claims(points())["B10"]["measured"] == "no expert is fine-tuned here"


def test_a_crossing_stands_beside_the_score_of_its_task():
    found = points()
    fits = fit_curves(found, metric="macro_f1", n_bootstrap=100)
    rows = crossings_by_sis(find_crossovers(found, fits, metric="macro_f1", fused=METHODS[2:]), INFORMATION)
    made = rows[rows["task"] == "made"]
    assert np.allclose(made["n"], np.sqrt(100 * 1000))  # from -0.05 to +0.05: half way in log n
    assert made["leads"].all()
    assert set(rows.loc[rows["task"] != "made", "outcome"]) == {"never within the range"}


def test_the_area_is_the_mean_over_log_n():
    area = area_under_curve(points()).query("task == 'made' and method == 'concat' and seed == 2")["area"].item()
    assert area == pytest.approx(np.mean([0.45 + 0.57, 0.57 + 0.69]) / 2)


def test_rules_are_judged_on_methods_that_every_task_has():
    found = points(tuned=0.03)
    table = points_to_judge(found, INFORMATION)
    assert set(table.methods) == set(METHODS)  # one task has no fine-tuned expert
    with pytest.raises(InputError, match="advice simple"):
        points_to_judge(found[found["method"] != "low_rank"], INFORMATION)
    with pytest.raises(InputError, match="no points"):
        curve_points(pd.DataFrame())


def test_a_method_without_a_cost_is_left_out_of_the_front():
    costs = pd.DataFrame({"method": ["concat", "low_rank"], "seconds": [1.0, 2.0], "parameters": [10.0, 20.0],
                          "operations": [1e6, 1e9]})  # fmt: skip
    table = pareto_table(points(), costs)
    assert list(table["method"]) == ["concat", "low_rank"]
    assert (table["n_tasks"] == 4).all()
    assert (table["low"] <= table["score"]).all()


def test_a_method_that_lacks_a_task_is_not_set_beside_means_over_all_of_them():
    given = points(tuned=0.1)
    costs = pd.DataFrame(
        {"method": ["concat", FINETUNED], "seconds": [1.0, 9.0], "parameters": [5.0, 5.0], "operations": [7.0, 7.0]}
    )
    assert list(pareto_table(given, costs)["method"]) == ["concat"]
    tissue = given[given["task"] != "made"]
    assert list(pareto_table(tissue, costs)["method"]) == ["concat", FINETUNED]
    fewer = tissue[(tissue["method"] != FINETUNED) | (tissue["task"] != "t0") | (tissue["seed"] == 2)]
    row = pareto_table(fewer, costs).set_index("method").loc[FINETUNED]
    alone = tissue[(tissue["method"] == FINETUNED) & (tissue["seed"] == 2) & (tissue["fraction"] == 1)]
    assert row["score"] == pytest.approx(alone["value"].mean())
    assert (row["n_seeds"], row["n_tasks"]) == (1, 3)
    assert row["low"] == row["high"] == row["score"]
