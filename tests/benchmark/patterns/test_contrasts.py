"""Contrasts of patterns on planted scores: each pair on its own tasks, with the interval of its own draws."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.benchmark.patterns.contrasts import CONTRASTS, LABELS, pattern_contrasts
from beyond_alignment.book.claims import CLAIMS
from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.tasks.registry import TASKS

TASKS_OF = {kind: [name for name in TASKS if asked(name)] for kind, asked in LABELS.items()}


def planted(leads, *, tasks=tuple(TASKS), noise=0.01, seed=0):
    """Return scores and draws in which each method has its own level, and every draw is off by its own amount."""
    rng = np.random.default_rng(seed)
    methods = list(FUSION_METHODS)
    level = np.array([leads.get(name, 0.0) for name in methods])
    scores = np.tile(level, (len(tasks), 1)) + rng.normal(size=(len(tasks), 1))
    draws = scores + noise * rng.normal(size=(400, len(tasks), len(methods)))
    return pd.DataFrame(scores, columns=methods), draws, list(tasks)


def test_claims_and_methods_are_those_of_the_book():
    assert {one.claim for one in CONTRASTS} == {"S1", "S2", "S3", "S4", "S5"} <= set(CLAIMS)
    assert {name for one in CONTRASTS for name in (one.ahead, one.behind)} <= set(FUSION_METHODS)


def test_kinds_of_labels_are_those_that_they_name():
    assert set(TASKS_OF["around"]) < set(TASKS_OF["tissue"])
    assert {"cell_type", "region", "bacteria"} <= set(TASKS_OF["tissue"]) - set(TASKS_OF["around"])
    assert TASKS_OF["synergy"] == ["simulated_and", "simulated_xor", "simulated_mixed"]
    assert not any(TASKS[name].kind == "regression" for names in TASKS_OF.values() for name in names)


def test_a_planted_lead_is_found_where_the_claim_looks_for_it():
    scores, draws, tasks = planted({"concat": 0.1, "bottom_up": 0.2, "relational": 0.05, "sum": 0.03})
    table = pattern_contrasts(scores, draws, tasks).set_index(["claim", "ahead"])
    wanted = {("S1", "concat"): 0.07, ("S1", "global_pooling"): -0.03, ("S2", "attention_pooling"): 0}
    wanted |= {("S3", "hierarchical"): -0.2, ("S4", "bottleneck"): 0}
    wanted |= {("S5", "relational"): 0.05, ("S5", "hierarchical"): -0.05}
    assert list(table.index) == list(wanted)
    np.testing.assert_allclose(table["difference"], list(wanted.values()), atol=1e-12)
    assert table["n_tasks"].tolist() == [len(TASKS_OF[one.labels]) for one in CONTRASTS]
    assert table.at[("S1", "concat"), "n_ahead"] == len(TASKS_OF["tissue"])


def test_the_interval_is_that_of_a_mean_of_independent_draws():
    noise = 0.01
    table = pattern_contrasts(*planted({}, noise=noise))
    half = (table["high"] - table["low"]) / 2
    np.testing.assert_allclose(half, 1.96 * noise * np.sqrt(2 / table["n_tasks"]), rtol=0.15)


def test_a_method_that_failed_on_a_task_leaves_that_task_out():
    scores, draws, tasks = planted({"concat": 0.1})
    scores.loc[tasks.index("region"), "sum"] = np.nan
    draws[:, tasks.index("region"), scores.columns.get_loc("sum")] = np.nan
    row = pattern_contrasts(scores, draws, tasks).set_index("ahead").loc["concat"]
    assert row["n_tasks"] == len(TASKS_OF["tissue"]) - 1
    assert row["difference"] == pytest.approx(0.1)


def test_a_grid_without_the_methods_or_tasks_has_no_contrast():
    scores, draws, tasks = planted({}, tasks=("composition", "ring_300um"))
    assert pattern_contrasts(scores, draws, tasks).empty
    few = ["expression_only", "concat", "clip"]
    scores, draws, tasks = planted({})
    none = pattern_contrasts(scores[few], draws[..., [scores.columns.get_loc(name) for name in few]], tasks)
    assert none.empty
    assert "difference" in none
