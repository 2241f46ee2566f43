"""From how many paired spots a fusion leads, on curves that are drawn by hand."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.benchmark.leads import first_leads, lead_curve, mean_interval

FRACTIONS = (0.01, 0.1, 1.0)


def curves(lead_by_fraction, *, n_seeds=5, sd=0.001):
    rng = np.random.default_rng(0)
    rows = []
    for fraction, lead in zip(FRACTIONS, lead_by_fraction, strict=True):
        for seed in range(n_seeds):
            scores = {
                "expression_only": 0.4 + fraction / 10,
                "morphology_only": 0.3,
                "concat": 0.4 + fraction / 10 + lead,
            }
            for method, value in scores.items():
                point = {"task": "t", "split": "donor", "method": method, "seed": seed, "fraction": fraction}
                value += sd * rng.normal()
                draws = value + sd * rng.normal(size=100)
                rows.append(point | {"metric": "f", "n_train": 1000 * fraction, "value": value, "draws": draws})
    return pd.DataFrame(rows)


def test_the_lead_is_over_the_better_expert():
    found = lead_curve(curves((-0.05, 0.02, 0.1)), fused="concat", metric="f")
    assert found["mean"].tolist() == pytest.approx([-0.05, 0.02, 0.1], abs=2e-3)
    assert set(found["best"]) == {"expression_only"}
    assert (found["low"] < found["mean"]).all()


@pytest.mark.parametrize(
    ("leads", "said"),
    [
        ((-0.05, 0.02, 0.1), "100 spots"),
        ((0.05, 0.02, 0.1), "10 spots"),
        ((0.05, -0.02, 0.1), "1000 spots"),  # an early lead that is lost again does not count
        ((0.05, 0.02, -0.1), "never within the range"),
    ],
)
def test_the_first_lead_is_one_that_lasts(leads, said):
    lead = lead_curve(curves(leads), fused="concat", metric="f")
    assert first_leads(lead)["first lead"].tolist() == [said]


def test_the_interval_is_students():
    mean, low, high = mean_interval([1, 2, 3])
    assert (mean, high - mean) == (2, pytest.approx(4.302653 / np.sqrt(3), rel=1e-5))
    assert mean_interval([1.5]) == (1.5, 1.5, 1.5)
    assert low == pytest.approx(4 - high)
