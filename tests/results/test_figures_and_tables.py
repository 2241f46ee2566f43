"""Figures and tables that a page leaves beside its results."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from beyond_alignment.results import Page
from beyond_alignment.results.locations import figure_file, table_file


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.setenv("BEYOND_ALIGNMENT_RESULTS", str(tmp_path))
    return Page("03_fusion_benchmark", profile="quick", parameters={"seed": 0})


def test_a_figure_is_written_whole_and_the_same_twice(page):
    figure, ax = plt.subplots()
    ax.plot([0, 1], [1, 0])
    page.figure("answer", figure)
    first = figure_file(page.name, "answer").read_bytes()
    page.figure("answer", figure)
    plt.close(figure)
    assert first == figure_file(page.name, "answer").read_bytes()
    assert first.startswith(b"\x89PNG")


def test_what_is_missing_is_blank_and_never_nan(page):
    frame = pd.DataFrame({"task": ["a", "b"], "score": [0.12345, None], "n": [1, 2]})
    shown = page.table("scores", frame, columns=["task", "score"])
    assert shown.frame.to_numpy().tolist() == [["a", "0.123"], ["b", ""]]
    assert "nan" not in shown._repr_html_().lower()
    assert table_file(page.name, "scores").read_text() == "task,score,n\na,0.12345,1\nb,,2\n"
