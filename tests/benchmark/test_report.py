"""What the benchmark page reads off its scoreboard."""

import numpy as np
import pytest

from beyond_alignment.benchmark.describe import describe_splits, describe_tasks
from beyond_alignment.benchmark.grid import run_grid
from beyond_alignment.benchmark.plan import plan_contests
from beyond_alignment.benchmark.report import (
    by_field,
    chance_levels,
    colour_duel,
    field_change,
    field_gains,
    main_contests,
    main_gains,
)
from beyond_alignment.benchmark.scoreboard import build_scoreboard
from beyond_alignment.benchmark.verdicts import benchmark_claims
from beyond_alignment.fusion import CORE_METHODS
from beyond_alignment.tasks.labels import set_labels
from tests.tissue import make_tissue

FIELDS = (100, 600)


@pytest.fixture(scope="module")
def board():
    """The wide field of view holds the niche, the narrow one holds nothing; expression holds the cell type."""
    adata = make_tissue(side=8, sections=("A1", "A2", "B1", "B2"))
    rng = np.random.default_rng(0)
    niche, cell = rng.integers(0, 2, (2, adata.n_obs))
    adata.obsm["X_pca"] = np.outer(2 * cell - 1, np.ones(5)) + rng.normal(size=(adata.n_obs, 5))
    adata.obsm["X_mobilenetv2_100um"] = rng.normal(size=(adata.n_obs, 5))
    adata.obsm["X_mobilenetv2_600um"] = np.outer(2 * niche - 1, np.ones(5)) + rng.normal(size=(adata.n_obs, 5))
    adata.obsm["X_colour_600um"] = rng.normal(size=(adata.n_obs, 6))
    set_labels(adata, "niche", np.array(["a", "b"])[niche])
    set_labels(adata, "cell_type", np.array(["x", "y"])[cell])
    tasks = ("niche", "cell_type")
    contests = plan_contests(
        {"her2st": adata},
        morphology=("mobilenetv2", "colour"),
        fields_um=FIELDS,
        tasks=tasks,
        splits=("donor", "section"),
        methods=CORE_METHODS,
    )
    predictions = run_grid({"her2st": adata}, contests).predictions
    return adata, contests, predictions, build_scoreboard(contests, predictions, n_replicates=100)


def test_the_plan_pairs_every_field_and_runs_colour_alone(board):
    _, contests, _, _ = board
    assert len(contests) == 2 * 2 * (2 * 4 + 1)
    assert {c.method for c in contests if c.morphology.startswith("colour")} == {"morphology_only"}


def test_the_main_pair_is_the_widest_field(board):
    main = main_contests(board[3])
    assert set(main.table["morphology"]) == {"mobilenetv2_600um"}
    assert len(main_gains(main)) == 2 * 2 * 3  # tasks, splits, metrics


def test_the_field_of_view_that_holds_the_label_is_found(board):
    change = field_change(board[3], tasks=["niche"], split="donor", fields_um=FIELDS, metric="bits").iloc[0]
    assert change["low"] > 0.3
    table = by_field(board[3], tasks=["niche"], split="donor", metric="bits")
    assert set(table["field_um"]) == set(FIELDS)


def test_gains_by_field_are_those_of_the_main_contests_at_the_widest(board):
    table = field_gains(board[3])
    assert set(table["field_um"]) == set(FIELDS)
    widest = table[table["field_um"] == max(FIELDS)].set_index("task")["gain"]
    main = main_gains(main_contests(board[3]))
    main = main[(main["metric"] == "macro_f1") & (main["split"] == "donor")].set_index("task")["gain"]
    assert widest.to_dict() == pytest.approx(main.loc[widest.index].to_dict())


def test_colour_that_holds_nothing_loses(board):
    duel = colour_duel(board[3], metric="macro_f1").set_index(["task", "split"])
    assert duel.loc[("niche", "donor"), "low"] > 0


def test_chance_of_two_even_classes_is_one_half(board):
    levels = chance_levels(board[1], board[2])
    assert levels["niche"] == pytest.approx(0.5, abs=0.05)


def test_tables_count_what_there_is(board):
    adata = board[0].copy()
    for name in ("composition", "region", "niche_epithelial", "niche_immune", "niche_mixing"):
        adata.obs[f"task_{name}"] = adata.obs["task_niche"]
    adata.obsm["task_composition"] = adata.obsm["composition"]
    tasks = describe_tasks({"her2st": adata}).set_index("task")
    assert tasks.loc["niche", "spots"] == adata.n_obs
    assert tasks.loc["niche", "made from"] == "neighbours"
    adata.obsm["spatial"] = adata.obsm["spatial"] * 4  # sections wide enough for blocks with a buffer
    splits = describe_splits({"her2st": adata}).set_index(["task", "split"])
    assert splits.loc[("niche", "donor"), "folds"] == 2
    assert splits.loc[("niche", "section"), "folds"] == 4


def test_claims_carry_their_interval_and_a_verdict(board):
    main = main_contests(board[3])
    records = {r["claim"]: r for r in benchmark_claims(main.replicates, {"niche": 10, "cell_type": 10})}
    assert set(records) == {"B2", "B15"}
    assert records["B2"]["verdict"] in {
        "replicated",
        "cannot be tested here",
    }  # morphology adds nothing to the cell type
    for record in records.values():
        low, high = record["interval"]
        assert low <= high
