"""The command runs the grid, writes its tables, and says why it does not."""

import pandas as pd
import pytest

from beyond_alignment.benchmark import simulated_tissue
from beyond_alignment.benchmark.simulated_tissue import simulate_tissue
from tests.cli.conftest import run

FEW = (
    "--data", "simulated", "--task", "simulated_unique1", "--task", "simulated_and", "--seeds", "1",
    "--method", "expression_only", "--method", "morphology_only", "--method", "concat", "--replicates", "50",
)  # fmt: skip


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(
        simulated_tissue, "simulate_tissue", lambda: simulate_tissue(n_donors=3, sections_per_donor=1, side=5)
    )


def test_tables_are_written(tmp_path):
    code, said, error = run("benchmark", *FEW, "--out", tmp_path)
    assert code == 0, error
    assert "mean rank over 2 tasks" in said
    assert "no difference can be significant for other donors here" in said
    tables = {path.stem: pd.read_csv(path) for path in tmp_path.glob("*.csv")}
    assert set(tables) == {"scores", "cells", "comparisons", "ranks"}
    assert len(tables["cells"]) == 2 * 3 * 3
    assert set(tables["scores"]["made_from"]) == {"simulated"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--data", "lung"), "There are no data 'lung'"),
        (("--method", "magic"), "There is no fusion method 'magic'"),
        (("--task", "colour"), "There is no task 'colour'"),
        (("--split", "spot"), "There is no split 'spot'"),
        (("--data", "simulated", "--split", "block"), "Nothing to run"),
        ((*FEW, "--scheduler", "nowhere"), "No Dask scheduler answers at 'nowhere'"),
    ],
)
def test_bad_input_is_a_sentence(arguments, sentence, tmp_path):
    code, _, error = run("benchmark", "--out", tmp_path, *arguments)
    assert code == 2
    assert sentence in error
    assert "Traceback" not in error


def test_a_folder_below_a_file_is_refused_before_anything_is_read(tmp_path):
    (tmp_path / "file").touch()
    code, _, error = run("benchmark", "--out", tmp_path / "file" / "folder")
    assert code == 2
    assert "lies below a file" in error
