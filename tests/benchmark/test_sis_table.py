"""The published score on replicates, and where it has no meaning."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.benchmark.sis_table import sis_table
from beyond_alignment.benchmark.verdicts import a_gain, no_gain


def replicates(task, first, second, joint, *, n=400, sd=0.0, split="donor", metric="macro_f1", seed=0):
    noise = sd * np.random.default_rng(seed).normal(size=(n + 1, 3))
    noise[0] = 0
    scores = np.array([joint, first, second]) + noise
    frame = pd.DataFrame(scores, columns=["concat", "expression_only", "morphology_only"])
    return frame.assign(task=task, split=split, metric=metric, draw=range(n + 1))


def test_the_score_is_the_ratio_of_the_samples_scores():
    found = sis_table(replicates("t", 0.5, 0.4, 0.6, sd=0.01)).iloc[0]
    assert found["sis"] == pytest.approx(0.2)
    assert found["low"] < 0.2 < found["high"]
    assert found["level"] == "High"


def test_chance_taken_off_makes_the_ratio_larger():
    plain = sis_table(replicates("t", 0.5, 0.4, 0.6)).iloc[0]["sis"]
    assert sis_table(replicates("t", 0.5, 0.4, 0.6), chance={"t": 0.25}).iloc[0]["sis"] == pytest.approx(0.4)
    assert plain == pytest.approx(0.2)


def test_a_best_expert_at_or_below_zero_has_no_score():
    found = sis_table(replicates("t", -0.1, -0.2, 0.05)).iloc[0]
    assert found["level"] == "undefined"
    assert found["sis"] is None
    wobbly = sis_table(replicates("t", 0.01, 0.0, 0.05, sd=0.05)).iloc[0]
    assert wobbly["level"] == "undefined"


@pytest.mark.parametrize(
    ("low", "high", "nothing", "something"),
    [
        (-0.03, 0.01, "replicated", "cannot be tested here"),
        (0.01, 0.05, "not replicated", "replicated"),
        (-0.03, 0.10, "cannot be tested here", "cannot be tested here"),
        (-0.08, -0.01, "replicated", "not replicated"),
    ],
)
def test_verdicts_follow_the_interval(low, high, nothing, something):
    assert no_gain(low, high) == nothing
    assert a_gain(low, high) == something
