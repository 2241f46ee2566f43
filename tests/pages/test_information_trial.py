"""The grid on known truth: each run once, and numbers that mean what they say."""

import numpy as np
import pytest

from beyond_alignment.benchmark.calibration_summary import summarise_calibration, summarise_scenarios
from beyond_alignment.information.pid import TERMS
from beyond_alignment.pages import information_trial
from beyond_alignment.pages.information_trial import TRIAL_COLUMNS, calibrate, square_tiles

TRUE = {"nothing": 0.0, "half": 0.5, "all": 1.0}


def pretend(estimator, scenario, n, seed, *, n_bootstrap):
    """Stand in for a run: off by 0.1 for one estimator, by its seed for the other."""
    off = 0.1 if estimator == "biased" else 0.01 * (-1) ** seed
    values = dict.fromkeys(TRIAL_COLUMNS, 0.0)
    for term in TERMS:
        estimate = TRUE[scenario] + off
        values |= {f"true_{term}": TRUE[scenario], term: estimate}
        values |= {f"{term}_low": estimate - 0.05, f"{term}_high": estimate + 0.05}
    return values | {"p_synergy": 0.01 if estimator == "biased" else 0.5, "p_interaction": 0.5, "seconds": n / 1000}


@pytest.fixture
def counted(monkeypatch):
    """Count the runs."""
    calls = []

    def run(*point, **options):
        calls.append(point)
        return pretend(*point, **options)

    monkeypatch.setattr(information_trial, "trial", run)
    return calls


def grid():
    return calibrate(("good", "biased"), tuple(TRUE), (1000, 500), (0, 1), n_jobs=1)


def test_one_row_a_run_in_the_order_asked_for(counted):
    rows = grid()
    assert len(rows) == len(counted) == 2 * 3 * 2 * 2
    assert rows[["estimator", "scenario", "n", "seed"]].iloc[0].tolist() == ["good", "nothing", 1000, 0]


def test_the_summary_of_known_errors(counted):
    summary = summarise_calibration(grid()).set_index(["estimator", "n"])
    good, biased = summary.loc[("good", 500)], summary.loc[("biased", 500)]
    assert (good["runs"], good["scenarios"], good["refused"]) == (6, 3, 0)
    assert good["error_sis"] == pytest.approx(0.01)
    assert good["bias_sis"] == pytest.approx(0)
    assert (good["coverage_synergy"], biased["coverage_synergy"]) == (1, 0)
    assert biased["bias_redundancy"] == pytest.approx(0.1)
    assert (good["false_positives"], biased["false_positives"]) == (0, 1)
    assert biased["false_positives_interaction"] == 0
    assert good["rank"] == biased["rank"] == pytest.approx(1)
    assert good["seconds"] == 0.5
    scenarios = summarise_scenarios(grid())
    assert len(scenarios) == 2 * 2 * 3
    half = scenarios.set_index(["estimator", "n", "scenario"]).loc[("biased", 500, "half")]
    assert (half["true_sis"], half["sis"], half["sis_low"]) == pytest.approx((0.5, 0.6, 0.55))
    assert np.isnan(half["false_positives"])


def test_a_refused_sample_is_counted_and_left_out(counted, monkeypatch):
    def refuses(*point, **options):
        values = pretend(*point, **options)
        if point[1] == "half":
            values |= dict.fromkeys([*TERMS, "seconds", "p_synergy"], np.nan)
        return values

    monkeypatch.setattr(information_trial, "trial", refuses)
    summary = summarise_calibration(grid()).set_index(["estimator", "n"]).loc[("good", 500)]
    assert (summary["runs"], summary["refused"]) == (6, 2)
    assert summary["error_sis"] == pytest.approx(0.01)
    assert summary["coverage_sis"] == 1


def test_tiles_stay_within_a_donor():
    places = np.array([[0.0, 0], [400, 0], [600, 0], [0, 0]])
    tiles = square_tiles(places, np.array([0, 0, 0, 1]), side_um=500)
    assert tiles[0] == tiles[1]
    assert len(set(tiles.tolist())) == 3


def test_a_run_measures_an_estimate_against_the_truth():
    pytest.importorskip("beyond_alignment.information.kmeans_pid")
    rows = calibrate(("cvx",), ("sum_bits", "xor_noisier"), (400,), (0,), n_bootstrap=10, n_jobs=1)
    assert rows["true_synergy"].iloc[0] == pytest.approx(1, abs=1e-6)
    assert rows["true_synergy_interaction"].iloc[0] == pytest.approx(0, abs=1e-6)
    assert rows["true_redundancy"].iloc[1] == pytest.approx(0, abs=1e-6)
    assert (rows["I12"] > 0).all()
    assert (rows["synergy_low"] <= rows["synergy_high"]).all()
    again = information_trial.trial("cvx", "sum_bits", 400, 0, n_bootstrap=10)
    measured = [name for name in TRIAL_COLUMNS if name != "seconds"]
    assert rows.iloc[0][measured].tolist() == [again[name] for name in measured]
