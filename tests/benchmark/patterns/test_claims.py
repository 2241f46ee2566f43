"""Verdicts on the claims of the survey follow the stated rules on tables whose answer is plain."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.benchmark.patterns.claims import pattern_claims, token_claim
from beyond_alignment.benchmark.patterns.contrasts import COLUMNS, CONTRASTS

OPERATIONS = pd.DataFrame({"method": ["sum", "uniform"], "tokens": 4, "operations": [38304, 83840]})
REPLICATED, NOT, OPEN = "replicated", "not replicated", "cannot be tested here"


def contrasts(leads, half=0.01):
    rows = [
        (one.claim, one.ahead, one.behind, one.labels, 5, lead, lead - half, lead + half, 3)
        for one in CONTRASTS
        if (lead := leads.get((one.claim, one.ahead), leads.get(one.claim))) is not None
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def relevance(attention, pooled=0.5, seeds=3):
    rng = np.random.default_rng(0)
    rows = [
        {"method": method, "relevance": "varying", "seed": seed, "probe": probe, "n": 8000, "label_bits": 1.0}
        | {"bits": bits + 1e-4 * rng.normal()}
        for method, bits in (("attention_pooling", attention), ("global_pooling", pooled))
        for seed in range(seeds)
        for probe in ("linear", "mlp")
    ]
    return pd.DataFrame(rows)


def verdicts(leads, attention=0.9, half=0.01):
    records = pattern_claims(contrasts(leads, half), relevance(attention), OPERATIONS, seeds=5)
    return {record["claim"]: record["verdict"] for record in records}


ALL = dict.fromkeys(("S1", "S2", "S3", "S4", "S5"), 0.05)


def test_leads_above_zero_replicate_every_claim():
    assert set(verdicts(ALL).values()) == {REPLICATED}
    record = pattern_claims(contrasts(ALL), relevance(0.9), OPERATIONS, seeds=5)[0]
    assert (record["value"], record["n"], record["seeds"]) == (0.05, 5, 5)
    assert record["interval"] == pytest.approx((0.04, 0.06))
    assert "38,304 operations a spot, the patterns 38,304 to 83,840" in record["measured"]


@pytest.mark.parametrize("claim", ["S1", "S3", "S4", "S5"])
def test_a_lead_of_nothing_is_no_lead_and_a_wide_one_is_open(claim):
    assert verdicts(ALL | {claim: 0.0})[claim] == NOT
    assert verdicts(ALL | {claim: -0.05})[claim] == NOT
    assert verdicts(ALL | {claim: 0.02}, half=0.03)[claim] == OPEN


def test_relevance_decides_over_tissue():
    assert verdicts(ALL, attention=0.5)["S2"] == NOT
    assert verdicts(ALL | {"S2": -0.1}, attention=0.9)["S2"] == REPLICATED


@pytest.mark.parametrize(
    ("claim", "ahead"), [("S1", "concat"), ("S1", "global_pooling"), ("S5", "relational"), ("S5", "hierarchical")]
)
def test_every_contrast_of_a_claim_is_asked_and_the_least_decides(claim, ahead):
    assert verdicts(ALL | {(claim, ahead): 0.0})[claim] == NOT
    record = next(
        one
        for one in pattern_claims(contrasts(ALL | {(claim, ahead): -0.3}), relevance(0.9), OPERATIONS, seeds=5)
        if one["claim"] == claim
    )
    assert (record["value"], record["verdict"]) == (-0.3, NOT)


def test_methods_that_were_not_run_leave_a_claim_open():
    assert set(verdicts({}).values()) == {OPEN}
    without = {key: lead for key, lead in ALL.items() if key != "S5"}
    assert verdicts(without | {("S5", "hierarchical"): 0.1})["S5"] == OPEN


def points(change, tasks=("a", "b", "c", "simulated"), seeds=2):
    rng = np.random.default_rng(0)
    rows = [
        {"task": task, "method": method, "seed": seed, "fraction": fraction, "metric": "macro_f1"}
        | {"value": base + (change * fraction if method == "cross_attention" else 0) + 0.001 * rng.normal()}
        for base, task in enumerate(tasks)
        for method in ("concat", "cross_attention")
        for seed in range(seeds)
        for fraction in (0.01, 0.1, 1.0)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("power", "change", "verdict"), [(1.9, 0.1, REPLICATED), (1.0, 0.1, NOT), (1.9, 0.0, NOT), (1.9, -0.1, NOT)]
)
def test_the_square_of_the_tokens_and_the_need_of_pairs_are_both_asked(power, change, verdict):
    record = token_claim(pd.Series({"cross_attention": power}), points(change), tasks=("a", "b", "c"))
    assert record["verdict"] == verdict
    assert record["value"] == pytest.approx(0.99 * change, abs=0.005)
    assert (record["n"], record["seeds"]) == (3, 2)
    assert "1% to 100% of the training spots" in record["measured"]
