"""Decompositions of tissue tasks: which units stay whole, and what comes back."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.benchmark import tissue_information as module
from beyond_alignment.benchmark.problem import Contest, pose
from beyond_alignment.benchmark.score_agreement import gain_draws, published_draws, rank_over_tasks, term_draws
from beyond_alignment.benchmark.tissue_information import tissue_decompositions
from beyond_alignment.benchmark.tissue_pairs import whole_units
from beyond_alignment.information.discrete import JointInformations
from beyond_alignment.information.pid import PID, TERMS, PIDEstimate
from beyond_alignment.tasks.labels import set_labels
from tests.tissue import make_tissue


@pytest.fixture(scope="module")
def tissue():
    adata = make_tissue(side=10)
    rng = np.random.default_rng(0)
    for name in ("pca", "mobilenetv2_200um", "mobilenetv2_600um"):
        adata.obsm[f"X_{name}"] = rng.normal(size=(adata.n_obs, 4))
    for task in ("niche", "cell_type", "region"):
        set_labels(adata, task, rng.choice(["a", "b"], adata.n_obs))
    return adata


@pytest.fixture
def estimated(monkeypatch):
    """Estimate from the labels' first letter alone, and keep what was asked."""
    asked = []

    def estimate(x1, x2, y, groups, *, blocks, method, seed, n_bootstrap, **options):
        asked.append({"groups": groups, "blocks": blocks, "x2": x2, "method": method, **options})
        share = 0.1 * len(asked)
        pid = PID(0.4, 0.2, 0.1, share, share, 0.0, 0.0)
        intervals = {term: (getattr(pid, term) - 0.01, getattr(pid, term) + 0.01) for term in TERMS}
        draws = pd.DataFrame({term: np.full(n_bootstrap, getattr(pid, term)) for term in TERMS})
        informations = JointInformations(pid.I1, pid.I2, pid.I12)
        return PIDEstimate(pid, informations, pid.sis, intervals, 0.01, 0.4, ("few.",), method, len(y), 3, ("a", "b"),
                           n_bootstrap, 0.95, draws)  # fmt: skip

    monkeypatch.setattr(module, "estimate_pid", estimate)
    return asked


def found(tissue, **options):
    tasks = ("cell_type", "niche", "bacteria")
    return tissue_decompositions({"her2st": tissue}, tasks=tasks, n_bootstrap=5, n_jobs=1, **options)


def test_each_task_at_hand_is_estimated_once_and_ordered_by_its_score(tissue, estimated):
    result = found(tissue)
    assert result.table["task"].tolist() == ["niche", "cell_type"]  # the second one was given more synergy
    row = result.table.iloc[0]
    assert (row["made_from"], row["n"], row["n_groups"], row["unit"]) == ("neighbours", 300, 3, "section")
    assert row["sis"] == pytest.approx(0.2 / 0.9)
    assert row["sis_low"] < row["sis"] < row["sis_high"]
    assert row["rows"] == "concatenation"
    assert row["recommended"] == "concatenation"
    assert "expression" in row["reason"]
    assert row["warnings"] == "few."
    assert result.replicates.groupby("task")["draw"].max().tolist() == [5, 5]


def test_a_task_whose_interval_says_nothing_has_no_rank(tissue, estimated, monkeypatch):
    narrow = module.estimate_pid

    def wide_on_niches(*given, **options):
        answer = narrow(*given, **options)
        interval = {"sis": (0.0, 1.0)} if len(estimated) == 2 else {}
        return dataclasses.replace(answer, intervals=answer.intervals | interval)

    monkeypatch.setattr(module, "estimate_pid", wide_on_niches)
    table = found(tissue).table
    assert table["task"].tolist() == ["cell_type", "niche"]  # though the niche has the larger estimate
    assert table["ranked"].tolist() == [True, False]


def test_folds_keep_sections_whole_and_the_bootstrap_draws_tiles(tissue, estimated):
    found(tissue)
    assert set(estimated[0]["groups"]) == {"A1", "A2", "B1"}
    assert len(set(estimated[0]["blocks"])) == 12
    assert np.array_equal(estimated[0]["x2"], np.asarray(tissue.obsm["X_mobilenetv2_600um"], dtype=np.float32))
    assert estimated[0]["n_folds"] == 3


def test_donors_stay_whole_where_there_are_three_and_blocks_in_a_single_section():
    adata = make_tissue(sections=("A1", "B1", "C1"))
    set_labels(adata, "niche", np.where(np.arange(adata.n_obs) % 2, "a", "b"))
    contest = Contest("niche", "donor", "concat", "pca", "mobilenetv2_600um")
    assert whole_units(*pose(adata, "niche", split="donor"), contest)[1] == "donor"
    single = adata[adata.obs["section"] == "A1"].copy()
    block = Contest("niche", "block", "concat", "pca", "mobilenetv2_600um")
    units, name = whole_units(*pose(single, "niche", split="block"), block)
    assert (name, len(set(units))) == ("block", 5)


def replicates(gains):
    rows = [
        {"task": task, "split": "donor", "metric": "macro_f1", "draw": draw, "concat": 0.5 * (1 + gain)}
        | {"expression_only": 0.5, "morphology_only": 0.3}
        for task, gain in gains.items()
        for draw in range(21)
    ]
    return pd.DataFrame(rows)


def test_scores_that_order_the_tasks_alike_agree():
    gains = {"a": 0.0, "b": 0.1, "c": 0.3, "d": -0.1}
    first = published_draws(replicates(gains))
    assert first.loc[0].to_dict() == pytest.approx(gains)
    assert gain_draws(replicates(gains)).loc[0, "c"] == pytest.approx(0.15)
    same = rank_over_tasks(first, first.rename(columns=str))
    assert (same.value, same.low, same.high, same.n) == pytest.approx((1, 1, 1, 4))
    assert rank_over_tasks(first, -first).value == pytest.approx(-1)
    noisy = first + np.random.default_rng(0).normal(scale=np.where(first.index == 0, 0, 0.3)[:, None], size=first.shape)
    open_ = rank_over_tasks(first, noisy)
    assert open_.value == pytest.approx(1)
    assert open_.low < 0.5


def test_tasks_without_a_score_are_left_out():
    rows = replicates({"a": 0.0, "b": 0.1, "c": 0.3})
    rows.loc[rows["task"] == "c", ["expression_only", "morphology_only"]] = -0.1
    draws = published_draws(rows)
    assert rank_over_tasks(draws, draws).n == 2


def test_draws_of_a_term_start_with_the_estimate(tissue, estimated):
    draws = term_draws(found(tissue), "sis")
    assert draws.index.tolist() == list(range(6))
    assert draws.at[0, "niche"] == pytest.approx(0.2 / 0.9)
