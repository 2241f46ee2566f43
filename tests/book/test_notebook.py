import copy

import pytest

from beyond_alignment.book.notebook import to_text, transplant


def source(*sources):
    cells = [
        {"cell_type": "code", "source": text, "metadata": {}, "outputs": [], "execution_count": None}
        for text in sources
    ]
    return {"cells": cells, "metadata": {"kernel": "x"}, "nbformat": 4, "nbformat_minor": 5}


def executed(notebook, *, stamp):
    ran = copy.deepcopy(notebook)
    for number, cell in enumerate(ran["cells"]):
        cell["metadata"] = {"papermill": {"start_time": stamp}, "execution": {"iopub": stamp}, "tags": []}
        cell["execution_count"] = number + 5
        result = {
            "output_type": "execute_result",
            "data": {"text/plain": "1"},
            "metadata": {},
            "execution_count": number + 5,
        }
        cell["outputs"] = [result]
    injected = {"cell_type": "code", "source": "a = 2", "id": stamp, "metadata": {"tags": ["injected-parameters"]}}
    ran["cells"].insert(1, injected | {"outputs": [], "execution_count": 6})
    ran["metadata"] = {"papermill": {"end_time": stamp}, "language_info": {"version": stamp}}
    return ran


def test_two_runs_give_the_same_bytes():
    notebook = source("a = 1", "a")
    first, second = (to_text(transplant(notebook, executed(notebook, stamp=stamp))) for stamp in ("one", "two"))
    assert first == second
    assert "papermill" not in first


def test_counts_are_renumbered_over_the_injected_cell():
    notebook = source("a = 1", "a")
    cells = transplant(notebook, executed(notebook, stamp="x"))["cells"]
    assert [(cell["execution_count"], cell["outputs"][0]["execution_count"]) for cell in cells] == [(1, 1), (2, 2)]
    assert [cell["source"] for cell in cells] == ["a = 1", "a"]


def test_the_source_is_not_changed_in_place():
    notebook = source("a = 1")
    before = copy.deepcopy(notebook)
    transplant(notebook, executed(notebook, stamp="x"))
    assert notebook == before


def test_another_notebook_is_refused():
    with pytest.raises(ValueError, match="does not hold the cells"):
        transplant(source("a = 1"), executed(source("a = 2"), stamp="x"))
