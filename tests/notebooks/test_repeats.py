"""A page run again leaves the same results files, byte for byte."""

import shutil

import papermill
import pytest

from beyond_alignment.project import root

PAGE = "05_synergistic_information_score"  # reads tables and draws nothing, so it is the same on every machine


def test_running_a_page_again_gives_identical_results(tmp_path, monkeypatch):
    committed = root() / "results"
    if not (committed / f"{PAGE}.json").is_file():
        pytest.skip("the book has not been run yet: results/ is empty")
    copy = tmp_path / "results"
    shutil.copytree(committed, copy)
    (copy / f"{PAGE}.json").unlink()
    for table in copy.glob(f"tables/{PAGE}-*.csv"):
        table.unlink()
    monkeypatch.setenv("BEYOND_ALIGNMENT_RESULTS", str(copy))
    notebook = root() / "notebooks" / f"{PAGE}.ipynb"
    papermill.execute_notebook(notebook, tmp_path / "again.ipynb", cwd=notebook.parent, progress_bar=False)
    made = [f"{PAGE}.json", *(f"tables/{path.name}" for path in committed.glob(f"tables/{PAGE}-*.csv"))]
    assert len(made) > 3
    for name in made:
        assert (copy / name).read_bytes() == (committed / name).read_bytes(), name
