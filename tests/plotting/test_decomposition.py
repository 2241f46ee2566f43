"""What the figures of decompositions and of their calibration draw is what they were given."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from beyond_alignment import plotting
from beyond_alignment.information.discrete import JointInformations
from beyond_alignment.information.pid import PID, TERMS, PIDEstimate
from beyond_alignment.plotting.decomposition import BARS, THRESHOLDS, plot_pid
from beyond_alignment.plotting.style import PARTS, TERM_COLOURS


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def gates():
    parts = ("synergy_additive", "synergy_interaction")
    exact = [("copy", 0, 1, 1, 0, 0, 0), ("xor", 0, 0, 0, 1, 0, 1), ("and", 0.31, 0, 0, 0.5, 0.5, 0)]
    rows = [dict(zip(("gate", *BARS, *parts), row, strict=True)) | {"measure": "BROJA"} for row in exact]
    other = dict(zip(BARS, (1, 0, 0, 1), strict=True))
    return pd.DataFrame([*rows, {"gate": "copy", "measure": "I_min"} | other])


def estimate():
    pid = PID(0.31, 0.12, 0.02, 0.18, 0.14, 0.04, 0.0)
    intervals = {term: (getattr(pid, term) - 0.01, getattr(pid, term) + 0.02) for term in TERMS}
    informations = JointInformations(pid.I1, pid.I2, pid.I12)
    return PIDEstimate(pid, informations, pid.sis, intervals, 0.01, 0.2, (), "posterior", 500, 3, ("a", "b"), 200, 0.95,
                       pd.DataFrame())  # fmt: skip


def tasks():
    names = ("domain", "cell_type", "niche")
    terms = dict(zip(PARTS, (0.3, 0.2, 0.1, 0.05, 0.02), strict=True))
    table = pd.DataFrame({"task": names, "made_from": ("neighbours", "expression", "neighbours"), **terms})
    for score, values in (("sis", (0.1, 0.3, 0.2)), ("sis_interaction", (0.01, 0.02, 0.03))):
        centre = np.array(values)
        table = table.assign(**{score: centre, f"{score}_low": centre - 0.01, f"{score}_high": centre + 0.04})
    return table


def widths(ax):
    return [patch.get_width() for patch in ax.patches]


def lines(ax, marker):
    return [line.get_xdata() for line in ax.lines if line.get_marker() == marker]


def test_a_panel_a_gate_with_both_measures_beside_each_other():
    figure = plotting.plot_gates(gates())
    copy, xor, both = figure.axes[:3]
    assert [copy.get_title(), xor.get_title(), both.get_title()] == ["copy", "xor", "and"]
    assert [patch.get_height() for patch in copy.patches] == [0, 1, 1, 0, 0, 1, 0, 0, 1]  # BROJA, then I_min
    assert [patch.get_height() for patch in both.patches] == [0.31, 0, 0, 0.5, 0]
    assert len({ax.get_ylim() for ax in (copy, xor, both)}) == 1
    assert [text.get_text() for text in both.texts] == ["0.31", "0", "0", "0.5"]
    additive, interaction = (plt.matplotlib.colors.to_rgba(TERM_COLOURS[term]) for term in PARTS[3:])
    assert xor.patches[4].get_facecolor() == interaction
    assert both.patches[3].get_facecolor() == additive


def test_one_task_is_drawn_with_its_intervals_and_score():
    figure = plot_pid(estimate(), title="niche", names=("expression", "morphology"))
    ax = figure.axes[0]
    assert widths(ax) == [0.31, 0.12, 0.02, 0.14, 0.04]
    spans = [tuple(segment[:, 0].round(6)) for segment in ax.collections[0].get_segments()]
    assert spans == [(0.3, 0.33), (0.11, 0.14), (0.01, 0.04), (0.13, 0.16), (0.03, 0.06)]
    assert "SIS = S / I12 = 0.29" in ax.get_title()
    assert "expression" in ax.get_yticklabels()[1].get_text()
    assert ax.texts[0].get_text() == "0.310 (0.300 to 0.330)"


def test_synergy_that_was_not_split_is_drawn_whole():
    whole = replace(estimate(), pid=PID(0.31, 0.12, 0.02, 0.18, np.nan, np.nan, np.nan))
    ax = plot_pid(whole).axes[0]
    assert widths(ax) == [0.31, 0.12, 0.02, 0.18]
    assert ax.get_yticklabels()[3].get_text() == "synergy S"


def test_tasks_are_ordered_by_their_score_and_drawn_with_the_thresholds():
    left, right = plotting.plot_decompositions(tasks()).axes[:2]
    assert [label.get_text().split("\n")[0] for label in left.get_yticklabels()] == ["cell type", "niche", "domain"]
    assert "(from expression)" in left.get_yticklabels()[0].get_text()
    assert widths(left) == pytest.approx([term for term in (0.3, 0.2, 0.1, 0.05, 0.02) for _ in range(3)])
    assert left.texts[0].get_text() == "0.67"
    assert lines(right, "o")[0].tolist() == [0.3, 0.2, 0.1]
    assert lines(right, "D")[0].tolist() == [0.02, 0.03, 0.01]
    assert tuple(line.get_xdata()[0] for line in right.lines if line.get_linestyle() == "--") == THRESHOLDS
    spans = [tuple(segment[:, 0].round(6)) for segment in right.collections[0].get_segments()]
    assert spans == [(0.29, 0.34), (0.19, 0.24), (0.09, 0.14)]


def test_estimates_are_drawn_against_the_truth_a_panel_an_estimator():
    table = pd.DataFrame({"estimator": ["posterior", "posterior", "cvx"], "scenario": ["a", "b", "a"],
                          "true_sis": [0.0, 0.5, 0.0], "sis": [0.01, 0.49, 0.2], "sis_low": [0.0, 0.4, 0.1],
                          "sis_high": [0.05, 0.55, 0.3]})  # fmt: skip
    figure = plotting.plot_calibration(table)
    assert [ax.get_title() for ax in figure.axes] == ["posterior: error 0.010", "cvx: error 0.200"]
    drawn = next(line for line in figure.axes[0].lines if line.get_marker() == "o")
    assert (drawn.get_xdata().tolist(), drawn.get_ydata().tolist()) == ([0.0, 0.5], [0.01, 0.49])


def test_error_and_coverage_are_drawn_against_the_number_of_samples():
    table = pd.DataFrame({"estimator": ["posterior"] * 2 + ["cvx"] * 2, "n": [4000, 500] * 2,
                          "error_sis": [0.01, 0.02, 0.1, 0.2], "coverage_sis": [0.95, 0.94, 0.2, 0.3]})  # fmt: skip
    error, coverage = plotting.plot_error_by_n(table).axes
    assert {line.get_label(): line.get_ydata().tolist() for line in coverage.lines} == {
        "posterior": [0.94, 0.95],
        "cvx": [0.3, 0.2],
    }
    assert [line.get_ydata()[0] for line in error.lines if line.get_linestyle() == "--"] == [0.03]
    assert [tick.get_text() for tick in error.get_xticklabels()] == ["500", "4,000"]
