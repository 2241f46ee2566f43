"""Rules on tables whose best rule is known."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.benchmark.decision_rules import PUBLISHED, RULES, Thresholds, best_of, fit_thresholds
from beyond_alignment.benchmark.decision_table import ACTIONS, METHODS, decision_table
from beyond_alignment.benchmark.regret import judge_rules
from beyond_alignment.errors import InputError

NAMES = [name for action in ACTIONS for name in METHODS[action]]
SIZES = (100, 300, 3000, 30_000)


def information(n_tasks=9):
    """Tasks from no synergy to much; the interaction part goes the other way."""
    sis = np.linspace(0.02, 0.66, n_tasks)
    return pd.DataFrame({"task": [f"t{i}" for i in range(n_tasks)], "sis": sis, "interaction": sis[::-1] / 2})


def table(*, high=0.4, few=1000, many=10_000, feature="sis", seeds=2, tasks=None):
    """Scores for which a rule of these thresholds is the oracle: what it advises scores 0.8, all else less."""
    tasks = information() if tasks is None else tasks
    rows = []
    for task in tasks.itertuples():
        for n in SIZES:
            value = task.sis if feature == "sis" else task.interaction
            best = "unimodal" if value < high or n < few else ("attention" if n > many else "simple")
            for method in NAMES:
                mean = 0.8 if method in METHODS[best] else 0.5
                rows += [{"task": task.task, "n": n, "seed": s, "method": method, "score": mean + 0.01 * (s - 0.5)}
                         for s in range(seeds)]  # fmt: skip
    return pd.DataFrame(rows), tasks


def test_the_rule_that_made_the_table_has_no_regret_and_the_oracle_is_the_best():
    made = decision_table(*table(high=0.25))
    found = judge_rules(made, n_bootstrap=50)
    rows = found.summary.set_index("rule")
    assert rows.loc["published rule", "regret"] == pytest.approx(0)
    between = np.where((made.feature("sis") >= 0.1) & (made.feature("sis") < 0.25) & (made.n >= 1000), 0.3, 0.0)
    assert rows.loc["published rule, high from 0.10", "regret"] == pytest.approx(made.of(between).mean())
    assert rows.loc["published rule", "worst"] == pytest.approx(0)
    assert (found.points["regret"] >= -1e-12).all()
    assert np.allclose(made.oracle, 0.8)
    unimodal = np.where((made.feature("sis") >= 0.25) & (made.n >= 1000), 0.3, 0.0)
    assert rows.loc["always unimodal", "regret"] == pytest.approx(made.of(unimodal).mean())
    assert rows.loc["always concatenate", "regret"] == pytest.approx(0.3)
    assert (rows.loc["always unimodal", "saved"], rows.loc["always unimodal", "p"]) == (0, 1)
    assert rows.loc["published rule", "saved"] == pytest.approx(rows.loc["always unimodal", "regret"])


def test_p_is_exact_over_flips_of_whole_tasks():
    rows = judge_rules(decision_table(*table(high=0.0)), n_bootstrap=50)
    concat = rows.summary.set_index("rule").loc["always concatenate"]
    assert concat["saved"] < 0
    assert concat["p"] == pytest.approx(2 / 2**9)  # every task loses
    assert rows.smallest_p == pytest.approx(2 / 2**9)


@pytest.mark.parametrize(("high", "few", "many"), [(0.4, 200, 1000), (0.2, 1000, 10_000), (0.6, 50, 200)])
@pytest.mark.parametrize("feature", ["sis", "interaction"])
def test_known_thresholds_are_recovered(high, few, many, feature):
    high = high if feature == "sis" else high / 2
    made = decision_table(*table(high=high, few=few, many=many, feature=feature))
    found = fit_thresholds(made, feature=feature)
    assert np.allclose(found.scores(made), 0.8)
    values, gap = np.unique(made.feature(feature)), 0.041
    assert abs(found.high - high) < gap
    assert np.array_equal(values >= found.high, values >= high)
    assert np.array_equal(np.array(SIZES) >= found.few, np.array(SIZES) >= few)
    assert np.array_equal(np.array(SIZES) > found.many, np.array(SIZES) > many)


def test_where_fusion_never_pays_the_fitted_rule_never_fuses():
    found = fit_thresholds(decision_table(*table(high=9.0)))
    assert found.high == np.inf


def test_a_held_out_task_does_not_move_the_thresholds_it_is_judged_by():
    scores, tasks = table()
    changed = scores.copy()
    mine = changed["task"] == "t4"
    changed.loc[mine, "score"] = np.random.default_rng(0).uniform(size=int(mine.sum()))
    other_tasks = tasks.copy()
    other_tasks.loc[4, ["sis", "interaction"]] = 0.9, 0.1
    one, two = decision_table(scores, tasks), decision_table(changed, other_tasks)
    for feature in ("sis", "interaction"):
        assert fit_thresholds(one.without(4), feature=feature) == fit_thresholds(two.without(4), feature=feature)
    assert fit_thresholds(one) != fit_thresholds(two)
    best = [RULES["best on average"](t.without(4), one) for t in (one, two)]
    assert np.array_equal(*best)
    seen = []

    def spy(learn, judge):
        seen.append((learn.tasks, judge.tasks))
        return judge.oracle

    found = judge_rules(one, rules={"spy": spy, **RULES}, n_bootstrap=20)
    assert all(judged not in learned for learned, (judged,) in seen)
    assert [judged for _, (judged,) in seen] == list(one.tasks)
    assert found.summary.set_index("rule").loc["spy", "regret"] == 0


def test_held_out_regret_of_fitted_rules_is_small_where_a_rule_holds():
    rows = judge_rules(decision_table(*table()), n_bootstrap=50).summary.set_index("rule")
    assert rows.loc["fitted on SIS", "regret"] < 0.05
    assert rows.loc["fitted on SIS", "regret"] < rows.loc["always unimodal", "regret"]
    other = judge_rules(decision_table(*table(feature="interaction", high=0.2)), n_bootstrap=50).summary
    assert other.set_index("rule")["regret"].idxmin() == "fitted on interaction"


def test_without_a_share_of_interaction_that_rule_is_left_out():
    scores, tasks = table()
    found = judge_rules(decision_table(scores, tasks.drop(columns="interaction")), n_bootstrap=20)
    assert "fitted on interaction" not in set(found.summary["rule"])
    assert len(found.summary) == len(RULES) - 1


def test_advice_that_names_several_methods_scores_their_mean_and_unimodal_the_better():
    scores, tasks = table()
    scores.loc[scores["method"] == "bottleneck", "score"] = 0.1
    scores.loc[scores["method"] == "cross_attention", "score"] = 0.5
    scores.loc[scores["method"] == "expression_only", "score"] = 0.9
    made = decision_table(scores, tasks)
    assert np.allclose(made.actions[:, ACTIONS.index("attention")], 0.3)
    assert np.allclose(made.actions[:, ACTIONS.index("unimodal")], 0.9)


def test_the_best_of_named_methods_is_judged_as_any_rule():
    scores, tasks = table(high=0.25)
    scores.loc[scores["method"] == "morphology_only", "score"] -= 0.1
    made = decision_table(scores, tasks)
    rules = {"both": best_of(METHODS["unimodal"]), "weaker": best_of(["morphology_only"])} | RULES
    rows = judge_rules(made, rules=rules, reference="weaker", n_bootstrap=50).summary.set_index("rule")
    assert rows.loc["both", "regret"] == rows.loc["always unimodal", "regret"]
    assert rows.loc["both", "saved"] == pytest.approx(0.1)
    with pytest.raises(InputError, match=r"No scores of clip to choose among; name some of bottleneck"):
        best_of(["clip", "concat"])(made, made)
    with pytest.raises(InputError, match="No scores of any method"):
        best_of([])(made, made)


def test_the_published_rule_is_that_of_recommend():
    assert Thresholds("sis", 0.25, 1_000, 10_000) == PUBLISHED
    made = decision_table(*table(high=0.25))
    advised = np.array(ACTIONS)[PUBLISHED.actions(made)]
    for row, action in zip(range(len(made.n)), advised, strict=True):
        from beyond_alignment.information.advice import recommend

        methods = recommend(float(made.feature("sis")[row]), None, int(made.n[row])).row.methods
        assert methods == METHODS[action]


def drop(scores, tasks):
    return scores.iloc[1:], tasks


def spoil(column, value):
    return lambda scores, tasks: (scores.assign(**{column: [value, *scores[column][1:]]}), tasks)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (drop, "Not every method has every seed of t0 at 100 spots"),
        (lambda s, t: (s.drop(columns="seed"), t), "lack seed"),
        (lambda s, t: (s.iloc[:0], t), "lack rows"),
        (lambda s, t: (s, t.drop(columns="sis")), "lack sis of tasks"),
        (lambda s, t: (s, t.iloc[1:]), "No SIS of t0"),
        (lambda s, t: (s, t.assign(sis=np.nan)), "No SIS of t0"),
        (lambda s, t: (s[s["method"] != "low_rank"], t), "No scores of low_rank"),
        (lambda s, t: (pd.concat([s, s]), t), "occurs twice"),
        (lambda s, t: (s, pd.concat([t, t])), "occurs twice"),
        (spoil("score", np.nan), "not finite"),
        (spoil("n", 0), "not a positive number"),
    ],
)
def test_a_table_that_would_judge_on_part_is_refused(change, says):
    with pytest.raises(InputError, match=says):
        decision_table(*change(*table()))


def test_too_few_tasks_and_an_unknown_reference_are_refused():
    scores, tasks = table(tasks=information(2))
    with pytest.raises(InputError, match="3 or more"):
        judge_rules(decision_table(scores, tasks))
    with pytest.raises(InputError, match="no rule 'x'"):
        judge_rules(decision_table(*table()), reference="x")
    unknown = information().assign(interaction=np.nan)
    with pytest.raises(InputError, match="No interaction of t0, t1"):
        fit_thresholds(decision_table(table()[0], unknown), feature="interaction")
