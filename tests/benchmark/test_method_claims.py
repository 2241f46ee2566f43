"""Verdicts follow the stated rules on tables whose answer is plain."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.benchmark.method_claims import captured_claims, family_draws, niche_claim

XOR = {"tensor_fusion": 0.98, "cross_attention": 0.95, "gated": 0.5, "concat": 0.0, "late_average": 0.0, "clip": 0.01,
       "vicreg": 0.03, "comm": 0.97}  # fmt: skip


def shares(**changed):
    """A linear probe on every method's representation: all redundancy, and the given share of XOR."""
    rows = [
        {"method": method, "setting": "alone", "probe": "linear", "term": term, "n": 8000, "n_seeds": 3}
        | {"share": value, "low": value - 0.02, "high": value + 0.02}
        for method, xor in (XOR | changed).items()
        for term, value in (("redundancy", 1.0), ("synergy_interaction", xor))
        if value is not None
    ]
    return pd.DataFrame(rows)


def verdicts(table):
    return {record["claim"]: record["verdict"] for record in captured_claims(table)}


def test_the_pattern_of_the_paper_is_replicated():
    assert verdicts(shares()) == {"B7": "replicated", "B8": "replicated", "B16": "replicated"}
    records = {record["claim"]: record for record in captured_claims(shares())}
    assert records["B7"]["value"] == pytest.approx(0.03)
    assert records["B16"]["interval"] == pytest.approx((0.97 - 0.03 - 0.04, 0.97 - 0.03 + 0.04))


@pytest.mark.parametrize(
    ("changed", "claim"),
    [
        ({"clip": 0.4}, "B7"),
        ({"tensor_fusion": 0.6}, "B8"),
        ({"gated": 0.97}, "B8"),
        ({"concat": 0.3}, "B8"),
        ({"comm": 0.0, "clip": 0.09}, "B16"),
    ],
)
def test_what_breaks_a_claim_is_not_replicated(changed, claim):
    assert verdicts(shares(**changed))[claim] == "not replicated"


def test_overlap_and_absence_leave_a_claim_open():
    assert verdicts(shares(comm=0.04))["B16"] == "cannot be tested here"
    assert verdicts(shares(gated=None))["B8"] == "cannot be tested here"


@pytest.mark.parametrize(
    ("interaction", "alignment", "verdict"),
    [(0.1, 0.0, "replicated"), (-0.1, -0.2, "not replicated"), (0.1, 0.2, "not replicated"), (0.0, 0.0, None)],
)
def test_niches_gain_where_interaction_beats_the_better_expert_and_alignment(interaction, alignment, verdict):
    rng = np.random.default_rng(0)
    columns = ["expression_only", "morphology_only", "tensor_fusion", "comm", "clip", "vicreg"]
    mean = np.array([0.5, 0.4, *[0.5 + interaction] * 2, *[0.5 + alignment] * 2])
    scores = pd.DataFrame(np.tile(mean, (3, 1)), columns=columns)
    draws = mean + 0.01 * rng.normal(size=(200, 3, 6))
    record = niche_claim(family_draws(scores, draws, ["niche", "domain", "cell_type"]))
    assert record["verdict"] == (verdict or "cannot be tested here")
    assert record["n"] == 2
    low, high = record["interval"]
    assert low <= record["value"] + 0.02
    assert high >= record["value"] - 0.02
    assert niche_claim(family_draws(scores, draws, ["cell_type"] * 3))["verdict"] == "cannot be tested here"
    alone = family_draws(scores[columns[:4]], draws[..., :4], ["niche", "domain", "cell_type"])
    assert niche_claim(alone)["measured"] == "no niche or domain label was run with both families"
