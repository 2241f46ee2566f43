import json

import pytest

from beyond_alignment.errors import InputError
from beyond_alignment.results import hashing


def test_the_notebook_hash_sees_sources_and_tags_but_no_outputs(project):
    notebook = hashing.read_notebook("01_a")
    before = hashing.notebook_hash(notebook)
    notebook["cells"][0] |= {"outputs": [1], "execution_count": 5, "id": "z"}
    assert hashing.notebook_hash(notebook) == before
    notebook["cells"][0]["source"] = ["x ", "= 1"]
    assert hashing.notebook_hash(notebook) == before
    notebook["cells"][0]["metadata"]["tags"] = []
    assert hashing.notebook_hash(notebook) != before


def test_the_source_hash_sees_contents_and_names(project):
    before = hashing.source_hash()
    (project / "src/p/__pycache__").mkdir()
    (project / "src/p/__pycache__/m.pyc").write_text("x")
    assert hashing.source_hash() == before
    (project / "src/p/m.py").rename(project / "src/p/n.py")
    assert hashing.source_hash() != before


def test_inputs_are_files_of_the_project_or_of_the_profile(project):
    (project / "results/full").mkdir(parents=True)
    (project / "results/full/x.csv").write_text("1")
    names = ["data/a.txt", "{results}/x.csv", "data/none.txt"]
    quick, full = (hashing.input_hashes(names, profile=profile) for profile in ("quick", "full"))
    assert full["data/a.txt"] == full["{results}/x.csv"] == quick["data/a.txt"]
    assert quick["{results}/x.csv"] == full["data/none.txt"] == "absent"


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"metadata": {}})])
def test_what_is_no_notebook_is_named(project, text):
    (project / "notebooks/02_b.ipynb").write_text(text)
    with pytest.raises(InputError, match="02_b"):
        hashing.read_notebook("02_b")


def test_the_reference_run_does_not_read_what_it_makes():
    notebook = {"metadata": {"beyond_alignment": {"inputs": ["a.csv", "reference:page/grid", "reference:other"]}}}
    assert hashing.page_inputs("page", notebook, profile="reference") == ["a.csv", "reference:other"]
    assert hashing.page_inputs("page", notebook, profile="quick")[-1] == "reference:page"


def test_a_table_of_the_reference_run_is_an_input(tmp_path, monkeypatch):
    monkeypatch.setenv("BEYOND_ALIGNMENT_RESULTS", str(tmp_path))
    before = hashing.input_hashes(["reference:page/grid"], profile="quick")
    table = tmp_path / "reference" / "tables" / "page-grid.csv"
    table.parent.mkdir(parents=True)
    table.write_text("n\n1\n")
    assert before == {"reference:page/grid": "absent"}
    assert hashing.input_hashes(["reference:page/grid"], profile="quick")["reference:page/grid"] != "absent"
