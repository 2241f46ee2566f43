"""The bars on tables whose verdict is known."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.benchmark.captured_bars import check_bars, count_bars, summarise_captured

XOR, AND, R = "synergy_interaction", "synergy_additive", "redundancy"


def runs(shares, *, seeds=3, spread=0.01, jitter=0.002):
    """Rows of some methods: (method, term, probe) -> share, one bit a term, noise that cancels over seeds."""
    offsets = jitter * np.array([-1, 0, 1])
    return pd.DataFrame(
        {"method": method, "setting": "alone", "term": term, "probe": probe, "seed": seed, "n": 8000, "term_bits": 1.0}
        | {"bits": share + offsets[seed], "share": share + offsets[seed], "chance": 0.0, "spread": spread}
        | {"failure": ""}
        for (method, term, probe), share in shares.items()
        for seed in range(seeds)
    )


def test_seeds_become_a_mean_with_an_interval_and_failures_are_counted():
    table = runs({("clip", R, "linear"): 0.8})
    table.loc[0, ["failure", "share", "bits", "chance", "spread"]] = ["diverged", *[np.nan] * 4]
    row = summarise_captured(table).iloc[0]
    assert [row["n_seeds"], row["n_failed"], row["family"]] == [2, 1, "alignment"]
    assert row["share"] == pytest.approx(0.801)
    assert row["low"] < 0.801 < row["high"]


def test_p_of_nothing_sums_over_seeds():
    summary = summarise_captured(runs({("clip", XOR, "linear"): 0.02, ("byol", XOR, "linear"): -0.01}, spread=0.01))
    assert summary["p_nothing"].iloc[0] == pytest.approx(0.000266, rel=0.02)  # 0.06 over 0.01 * sqrt(3)
    assert summary["p_nothing"].iloc[1] > 0.9
    still = summarise_captured(runs({("clip", XOR, "linear"): 0.0}, spread=0.0, jitter=0.0))
    assert still["p_nothing"].iloc[0] == 1


def test_bars_are_asked_of_those_that_they_name():
    shares = {(m, t, p): 0.95 for m in ("concat", "late_average", "clip", "bilinear", "uniform") for t in (R, XOR, AND)
              for p in ("linear", "mlp")}  # fmt: skip
    checked = check_bars(summarise_captured(runs(shares)))
    asked = checked.groupby("bar", sort=False)[["method", "probe"]].apply(lambda part: set(map(tuple, part.to_numpy())))
    additive = {("concat", "linear"), ("late_average", "linear"), ("late_average", "mlp")}
    both = {"linear", "mlp"}
    assert list(asked) == [
        {(m, p) for m in ("concat", "late_average", "clip", "bilinear", "uniform") for p in both},
        {("bilinear", p) for p in both},
        {("clip", p) for p in both},
        additive,
        additive,
    ]
    holds = checked.groupby("bar", sort=False)["holds"].all().tolist()
    assert holds == [True, True, False, False, True]


def test_zero_holds_within_noise_and_corrects_for_many():
    shares = {("clip", XOR, "linear"): 0.011, ("byol", XOR, "linear"): 0.0, ("vicreg", XOR, "linear"): 0.3}
    checked = check_bars(summarise_captured(runs(shares))).set_index("method")
    assert summarise_captured(runs(shares))["p_nothing"].iloc[0] < 0.05
    assert checked["holds"].to_dict() == {"clip": True, "byol": True, "vicreg": False}
    assert checked["sure"].to_dict() == {"clip": True, "byol": True, "vicreg": False}
    counted = count_bars(check_bars(summarise_captured(runs(shares)))).iloc[0]
    assert [counted["methods"], counted["hold"], counted["missed"]] == [3, 2, "vicreg (0.30)"]


def test_an_interval_that_crosses_the_bar_is_not_sure():
    shares = {("bilinear", XOR, "linear"): 0.901, ("gated", XOR, "linear"): 0.95, ("comm", XOR, "linear"): 0.5}
    checked = check_bars(summarise_captured(runs(shares))).set_index("method")
    assert checked["holds"].to_dict() == {"bilinear": True, "gated": True, "comm": False}
    assert checked["sure"].to_dict() == {"bilinear": False, "gated": True, "comm": True}
