import json

import pytest

import beyond_alignment.results.page as page_module

NOTEBOOK = {
    "cells": [{"cell_type": "code", "source": "x = 1", "metadata": {"tags": ["parameters"]}, "outputs": []}],
    "metadata": {"beyond_alignment": {"inputs": ["data/a.txt"]}},
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Make a project of one notebook, one source file and one input."""
    (tmp_path / "_toc.yml").write_text("root: index\n")
    for name, text in {
        "notebooks/01_a.ipynb": json.dumps(NOTEBOOK),
        "src/p/m.py": "x = 1\n",
        "data/a.txt": "1",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("BEYOND_ALIGNMENT_ROOT", str(tmp_path))
    monkeypatch.delenv("BEYOND_ALIGNMENT_RESULTS", raising=False)
    return tmp_path


@pytest.fixture
def glued(monkeypatch):
    """Collect what the page hands to the prose."""
    collected = {}
    monkeypatch.setattr(page_module, "_glue", collected.__setitem__)
    return collected
