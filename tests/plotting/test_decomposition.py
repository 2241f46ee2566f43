"""What the figures of decompositions and of their calibration draw is what they were given."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from beyond_alignment import plotting
from beyond_alignment.information.exact import PID, JointInformations
from beyond_alignment.plotting.decomposition import BARS, NULL_GREY, THRESHOLDS, plot_pid
from beyond_alignment.plotting.style import PARTS, TERM_COLOURS
from tests.estimates import made_estimate


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


def estimate(**changes):
    told = JointInformations(0.43, 0.33, 0.5)
    return made_estimate(0.31, 0.12, 0.02, 0.14, 0.04, below=0.01, n=500, mutual_information=told, **changes)


def tasks():
    names = ("foo", "cell type", "niche", "bacteria")
    terms = dict(zip(PARTS, (0.3, 0.2, 0.1, 0.05, 0.02), strict=True))
    table = pd.DataFrame({"label": names, "unit_name": "donor", "determined": (True, True, True, False), **terms})
    scores = {"sis": (0.1, 0.3, 0.2, 0.9), "sis_interaction": (0.01, 0.02, 0.03, 0.04)}
    for score, values in (scores | {"I1": (0.5,) * 4, "I2": (0.4,) * 4, "I12": (0.6, 0.6, 0.6, -0.01)}).items():
        centre = np.array(values)
        table = table.assign(**{score: centre, f"{score}_low": centre - 0.01, f"{score}_high": centre + 0.04})
    return table.assign(null_most_I12=0.05, null_most_synergy=0.03)


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


def test_one_task_is_drawn_with_its_intervals_score_and_null():
    null = [0.01] * 18 + [0.05]
    figure = plot_pid(estimate(null=null), names=("expression", "morphology"))
    ax = figure.axes[0]
    bars = [0.31, 0.12, 0.02, 0.14, 0.04, 0.43, 0.33, 0.5, 0.05]
    mean = np.mean(null)
    assert widths(ax) == pytest.approx([*bars, *[0.1 * mean] * 7, mean, 0.1 * mean])
    grey = plt.matplotlib.colors.to_rgba(NULL_GREY)
    assert [patch.get_facecolor() == grey for patch in ax.patches] == [False] * 9 + [True] * 9
    spans = [tuple(segment[:, 0].round(6)) for segment in ax.collections[0].get_segments()]
    assert spans[:5] == [(0.3, 0.33), (0.11, 0.14), (0.01, 0.04), (0.13, 0.16), (0.03, 0.06)]
    assert ax.collections[1].get_segments()[7][:, 0] == pytest.approx([mean, 0.05])
    assert "SIS = S / I12 = 0.29" in ax.get_title()
    assert "expression" in ax.get_yticklabels()[1].get_text()
    assert ax.texts[0].get_text() == "0.310 (0.300 to 0.330)"
    assert "19 refits with shuffled labels" in ax.get_xlabel()


def test_what_was_measured_below_zero_is_drawn_there_and_a_missing_score_said():
    told = JointInformations(0.43, -0.02, 0.04)
    weak = made_estimate(0.0, 0.4, 0.0, 0.0, 0.0, null=[0.1] * 19, mutual_information=told)
    ax = plot_pid(weak).axes[0]
    assert widths(ax)[5:9] == pytest.approx([0.43, -0.02, 0.04, -0.36])
    assert ax.get_xlim()[0] < -0.36
    assert ax.get_title().startswith("SIS not determined")


def test_synergy_that_was_not_split_is_drawn_whole():
    whole = replace(estimate(), pid=PID(0.31, 0.12, 0.02, 0.18, np.nan, np.nan, np.nan))
    ax = plot_pid(whole).axes[0]
    assert widths(ax)[:4] == [0.31, 0.12, 0.02, 0.18]
    assert ax.get_yticklabels()[3].get_text() == "synergy S"
    assert "shuffled" not in ax.get_xlabel()


def test_tasks_are_ordered_by_their_score_and_drawn_with_the_thresholds():
    left, right = plotting.plot_decompositions(tasks()).axes[:2]
    labels = [label.get_text() for label in left.get_yticklabels()]
    assert [label.split("\n")[0] for label in labels] == ["cell type", "niche", "foo", "bacteria"]
    assert labels[0].endswith("(given the donor)")
    assert widths(left) == pytest.approx(list(np.repeat([0.3, 0.2, 0.1, 0.03, 0.05, 0.02, 0.05], 4)))
    assert [patch.get_x() for patch in left.patches[12:16]] == pytest.approx([0.6] * 4)  # where S begins
    assert [text.get_text() for text in left.texts][:2] == ["null of S", "0.67"]
    assert lines(left, "D")[0].tolist() == [0.6, 0.6, 0.6, -0.01]
    assert left.get_xlim()[0] < -0.02
    assert lines(right, "o")[0].tolist() == [0.3, 0.2, 0.1]
    assert lines(right, "D")[0].tolist() == [0.02, 0.03, 0.01]
    assert "not determined" in [text.get_text() for text in right.texts]
    assert tuple(line.get_xdata()[0] for line in right.lines if line.get_linestyle() == "--") == THRESHOLDS
    spans = [tuple(segment[:, 0].round(6)) for segment in right.collections[0].get_segments()]
    assert spans == [(0.29, 0.34), (0.19, 0.24), (0.09, 0.14)]


def test_estimates_are_drawn_against_the_truth_a_column_an_estimator_and_a_row_a_setting():
    rows = [
        ("posterior", "donors", "a", False, 0.0, 0.01, 0.0, 0.05, 0.02),
        ("posterior", "donors", "b", False, 0.5, 0.49, 0.4, 0.55, 0.04),
        ("posterior", "donors", "noise", True, 0.0, 0.3, 0.0, 1.0, 0.0),
        ("cvx", "alone", "a", False, 0.0, 0.2, 0.1, 0.3, 0.1),
    ]
    columns = ["estimator", "setting", "scenario", "noise", "true_sis", "sis", "sis_low", "sis_high", "largest"]
    figure = plotting.plot_calibration(pd.DataFrame(rows, columns=columns), settings=("donors", "alone"))
    first, second, third, fourth = figure.axes
    assert [ax.get_title() for ax in (first, second)] == ["posterior", "cvx"]
    assert first.get_ylabel().startswith("donors")
    assert [ax.texts[0].get_text() for ax in (first, second, third, fourth)] == [
        "off by 0.020 bits", "not run yet", "not run yet", "off by 0.100 bits",
    ]  # fmt: skip
    drawn = next(line for line in first.lines if line.get_marker() == "o")  # noise has no score
    assert (drawn.get_xdata().tolist(), drawn.get_ydata().tolist()) == ([0.0, 0.5], [0.01, 0.49])
