"""Figures of alignment on tissue say what the tables say."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex, to_rgba

from beyond_alignment.plotting.alignment_tissue import EXPERT_COLOURS, plot_terms_retained, plot_tissue_ceilings
from beyond_alignment.plotting.style import PARTS, TERM_COLOURS


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def ceilings():
    pairs = [("her2st", r, m, f) for m, f in (("colour", 200), ("colour", 600)) for r in ("pca", "hallmark")]
    pairs += [("crc_visium", "pca", "colour", 200)]
    table = pd.DataFrame(pairs, columns=["data_set", "expression", "morphology", "field_um"])
    centre = np.arange(1.0, 6.0)
    return table.assign(
        ceiling=centre, null=0.2 * centre, null_spatial=0.4 * centre, excess=0.8 * centre, excess_low=0.7 * centre,
        excess_high=0.9 * centre, transferred=0.1 * centre, transferred_low=0.0, transferred_high=0.3,
        unit=["donor"] * 4 + ["block"],
    )  # fmt: skip


def marks(ax, marker):
    return [line.get_xdata()[0] for line in ax.lines if line.get_marker() == marker]


def test_a_panel_a_data_set_a_row_a_field_and_a_colour_an_expert():
    first, second = plot_tissue_ceilings(ceilings()).axes
    assert [label.get_text() for label in first.get_yticklabels()] == ["colour, 200 µm", "colour, 600 µm"]
    assert first.get_title() == "HER2ST: units never seen are donors"
    assert second.get_title() == "CRC: units never seen are blocks"
    assert marks(first, "o") == [1, 2, 3, 4]
    assert marks(first, "|") == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert marks(first, "x") == pytest.approx([0.4, 0.8, 1.2, 1.6])
    assert marks(second, "D") == [0.5]
    dots = [to_hex(line.get_color()) for line in first.lines if line.get_marker() == "o"]
    assert dots == [EXPERT_COLOURS[name].lower() for name in ("pca", "hallmark")] * 2


def test_marks_are_named_once_apart_and_inside_the_panel():
    first, second = plot_tissue_ceilings(ceilings()).axes
    assert [text.get_text() for text in first.texts] == [
        "donors never seen",
        "pairs permuted",
        "pairs shifted",
        "ceiling",
    ]
    at = np.array([text.get_position()[0] for text in first.texts])
    left, right = first.get_xlim()
    assert np.diff(at).min() > 0.1 * (right - left)
    assert left < at.min() < at.max() < right
    assert [text.xy[0] for text in first.texts] == pytest.approx([0.1, 0.2, 0.4, 1.0])
    assert not second.texts


def test_terms_are_drawn_before_and_after_with_the_share_in_words():
    terms = (*PARTS, "total")
    table = pd.DataFrame({"term": terms, "task": "niche", "made_from": "neighbours", "before": 0.2, "after": 0.1})
    for name in ("before", "after"):
        table[f"{name}_low"], table[f"{name}_high"] = table[name] - 0.05, table[name] + 0.05
    for name, value in (("kept", 0.5), ("kept_low", 0.4), ("kept_high", 0.6)):
        table[name] = pd.array([value, None, value, value, None, value], dtype="Float64")
    ax = plot_terms_retained(table).axes[0]
    assert [patch.get_width() for patch in ax.patches] == [0.2, 0.1] * 5
    fills = [patch.get_facecolor() for patch in ax.patches]
    assert fills[::2] == [to_rgba("white")] * 5
    assert fills[1::2] == [to_rgba(TERM_COLOURS[term]) for term in PARTS]
    assert [text.get_text() for text in ax.texts][:2] == ["kept 0.50 (0.40 to 0.60)", "too little before"]
    assert "from neighbours" in ax.get_title()
