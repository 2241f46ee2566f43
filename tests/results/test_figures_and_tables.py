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


def test_a_table_without_rows_is_a_sentence(page):
    empty = page.table("none", pd.DataFrame({"task": []}), caption="Nothing was found.")
    assert empty._repr_html_() == "<p>Nothing was found.</p>"
    assert repr(empty) == "Nothing was found."


@pytest.mark.parametrize(("rows", "scrolls"), [(24, False), (25, True)])
def test_a_long_table_scrolls(page, rows, scrolls):
    shown = page.table("scores", pd.DataFrame({"n": range(rows)}))._repr_html_()
    assert ('<div class="long-table"' in shown) == scrolls
    assert shown.count("<tr") == rows + 1


@pytest.mark.parametrize(("value", "text"), [(-0.0004, "0.000"), (-0.0, "0.000"), (-0.0006, "-0.001"), (0.1, "0.100")])
def test_zero_has_no_sign(page, value, text):
    assert page.table("scores", pd.DataFrame({"value": [value]})).frame.iloc[0, 0] == text
