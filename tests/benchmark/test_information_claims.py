"""Verdicts of the score page: each side of each rule."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.benchmark.information_claims import difference_of_intervals, information_claims, mean_of_intervals
from beyond_alignment.benchmark.tissue_information import TissueInformation
from beyond_alignment.book.claims import CLAIMS
from beyond_alignment.information.estimate import TERMS

TASKS = ("cell_type", "niche", "niche_immune", "domain")


def gates():
    return pd.DataFrame({"gate": ["copy", "xor"], "score": [1.0, "undefined"], "synergy": [0.0, 1.0]})


def information(sis, *, half=0.02, interaction=0.01):
    rows, draws = [], []
    for task, value in zip(TASKS, sis, strict=True):
        terms = dict.fromkeys(TERMS, 0.2) | {"sis": value, "sis_interaction": interaction}
        terms |= {"synergy_interaction": interaction}
        ends = {f"{term}_low": v - half for term, v in terms.items()}
        ends |= {f"{term}_high": v + half for term, v in terms.items()}
        rows.append({"task": task, "made_from": "neighbours", "n": 100, "rows": "unimodal"} | terms | ends)
        noise = np.random.default_rng(0).normal(scale=half / 2, size=50)
        draws.append(pd.DataFrame({term: terms[term] + noise for term in TERMS}).assign(task=task, draw=range(1, 51)))
    return TissueInformation(pd.DataFrame(rows), pd.concat(draws))


def replicates(gain):
    return pd.DataFrame(
        {"task": task, "split": "donor", "metric": "macro_f1", "draw": draw, "concat": 0.5 + gain + 0.01 * number}
        | {"expression_only": 0.5, "morphology_only": 0.3}
        for number, task in enumerate(TASKS)
        for draw in range(51)
    )


def claims(sis, *, gain=0.0, **options):
    records = information_claims(gates(), information(sis, **options), replicates(gain))
    assert {record["claim"] for record in records} <= set(CLAIMS)
    return {record["claim"]: record for record in records}


def test_definitions_that_differ_on_a_gate_do_not_agree():
    found = claims((0.0, 0.1, 0.2, 0.3))["B1"]
    assert found["verdict"] == "not replicated"
    assert found["value"] == pytest.approx(1)
    assert found["n"] == 4


@pytest.mark.parametrize(
    ("sis", "verdict"), [(0.05, "replicated"), (0.3, "not replicated"), (0.1, "cannot be tested here")]
)
def test_the_cell_type_is_judged_by_its_interval(sis, verdict):
    assert claims((sis, 0.1, 0.1, 0.1))["B2"]["verdict"] == verdict


@pytest.mark.parametrize(("gain", "verdict"), [(0.05, "not replicated"), (-0.1, "cannot be tested here")])
def test_a_gain_where_the_score_says_one_expert_contradicts_the_table(gain, verdict):
    found = claims((0.01, 0.02, 0.03, 0.04), gain=gain)["B12"]
    assert found["verdict"] == verdict
    assert found["n"] == 4


@pytest.mark.parametrize(
    ("near", "verdict"), [(0.02, "replicated"), (0.5, "not replicated"), (0.2, "cannot be tested here")]
)
def test_near_and_far_are_compared_with_the_intervals_of_both(near, verdict):
    assert claims((near, 0.2, 0.2, 0.2))["B15"]["verdict"] == verdict


def test_what_needs_methods_that_are_not_here_is_left_open():
    found = claims((0.0, 0.1, 0.2, 0.3))
    assert found["B3"]["verdict"] == found["B9"]["verdict"] == "cannot be tested here"
    assert found["B3"]["value"] == pytest.approx(0.01)


def test_intervals_of_means_and_differences():
    rows = pd.DataFrame({"sis": [0.2, 0.4], "sis_low": [0.1, 0.3], "sis_high": [0.3, 0.6]})
    assert mean_of_intervals(rows, "sis") == pytest.approx((0.3, 0.2, 0.45))
    value, low, high = difference_of_intervals((0.5, 0.2, 0.9), (0.1, 0.06, 0.4))
    assert (value, low, high) == pytest.approx((0.4, 0.4 - np.hypot(0.3, 0.3), 0.4 + np.hypot(0.4, 0.04)))
