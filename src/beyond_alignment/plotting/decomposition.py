"""Figures of information decompositions: gates, one task, and all tasks ordered by their score."""

from collections.abc import Iterable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from beyond_alignment.benchmark.known_truth_leads import TERM_SYMBOLS
from beyond_alignment.information.advice import TABLE
from beyond_alignment.information.estimate import MEASURED, PIDEstimate
from beyond_alignment.plotting.style import (
    BLUE,
    DARK_GREEN,
    GREEN,
    INK,
    NULL_GREY,
    ORANGE,
    PARTS,
    SOFT,
    TERM_COLOURS,
    TERM_NAMES,
    figure_of,
    new_axes,
    panels,
    readable,
    zero_line,
)

BARS = ("redundancy", "unique1", "unique2", "synergy")
SHORT = tuple(TERM_SYMBOLS[term] for term in BARS)
EXACT, COMPARED = "BROJA", "I_min"
MEASURED_NAMES = {
    "I1": "I1 as measured",
    "I2": "I2 as measured",
    "I12": "I12 as measured",
    "synergy_raw": "S as measured",
}
OPEN: dict[str, Any] = {"facecolor": "white", "edgecolor": "#222222", "linewidth": 0.9}
WIDTH = 0.42
HATCHED: dict[str, Any] = {"facecolor": "white", "edgecolor": "#777777", "hatch": "/////", "linewidth": 0.8}
THRESHOLDS = tuple(row.low for row in TABLE[1:])
STRATEGIES = ("one expert", "concat", "interaction", "maximise synergy")
"""What the paper recommends below, between and above the thresholds."""


def plot_gates(table: pd.DataFrame) -> Figure:
    """Draw the exact decomposition of each gate: four bars by BROJA, and beside them those of I_min.

    Parameters
    ----------
    table
        Rows with gate, measure (``BROJA`` or ``I_min``), redundancy, unique1, unique2, synergy, and for BROJA
        synergy_additive and synergy_interaction, in bits; a panel a gate, in the order of the rows.
    """
    names = list(dict.fromkeys(table["gate"]))
    figure, axes = panels(len(names), width=2.5, height=2.1, most=4, x_label="", y_label="bits")
    top = 1.22 * float(table[list(BARS)].to_numpy().max())
    for ax, name in zip(axes, names, strict=True):
        rows = table[table["gate"] == name].set_index("measure")
        exact = rows.loc[EXACT]
        place = np.arange(len(BARS))
        for at, term in zip(place[:3], BARS[:3], strict=True):
            ax.bar(at - WIDTH / 2, exact[term], WIDTH, color=TERM_COLOURS[term])
        bottom = 0.0
        for term in PARTS[3:]:
            ax.bar(place[3] - WIDTH / 2, exact[term], WIDTH, bottom=bottom, color=TERM_COLOURS[term])
            bottom += exact[term]
        heights = exact[list(BARS)].to_numpy(dtype=float)
        other = rows.loc[COMPARED, list(BARS)].to_numpy(dtype=float) if COMPARED in rows.index else heights
        if COMPARED in rows.index:
            ax.bar(place + WIDTH / 2, other, WIDTH, **HATCHED)
        same = np.isclose(heights, other, atol=5e-4)
        _label(ax, place[same], heights[same])
        _label(ax, place[~same] - WIDTH / 2, heights[~same])
        _label(ax, place[~same] + WIDTH / 2, other[~same])
        ax.set_xticks(place, SHORT)
        ax.set(title=readable(name), ylim=(0, top), xlim=(-0.6, 3.6))
    handles = [Patch(color=TERM_COLOURS[term], label=TERM_NAMES[term]) for term in PARTS]
    hatched = Patch(**HATCHED, label="hatched: by I_min")
    figure.legend(handles=[*handles, hatched], loc="outside upper center", ncols=3)
    return figure


def _label(ax: Axes, place: np.ndarray, heights: Iterable[float]) -> None:
    """Write the bits above each bar."""
    for x, height in zip(place, heights, strict=True):
        text = f"{height:.2f}".rstrip("0").rstrip(".") if height > 0.0005 else "0"
        ax.annotate(text, (x, max(height, 0)), xytext=(0, 1), textcoords="offset points", ha="center", va="bottom",
                    fontsize=7, color=INK)  # fmt: skip


def plot_pid(estimate: PIDEstimate, *, names: tuple[str, str] = ("first", "second")) -> Figure:
    """Draw one estimated decomposition: the parts that add up, below them what was measured, and the null of each.

    Bars are bits with their intervals; a grey bar below each is the mean of its null, to the largest as a line.
    """
    parts = PARTS if np.isfinite(estimate.pid.synergy_interaction) else BARS  # not every estimator splits the synergy
    terms = (*parts, *MEASURED)
    place = np.arange(len(terms)) + np.repeat([0.0, 0.5], [len(parts), len(MEASURED)])
    ax = new_axes(width=7.4, height=0.5 * len(terms) + 1.2)
    values = np.array([estimate.value(term) for term in terms])
    bounds = np.array([estimate.intervals[term] for term in terms])  # (term, low and high)
    filled = [{"color": TERM_COLOURS[term]} for term in parts] + [OPEN] * len(MEASURED)
    for y, value, looks in zip(place, values, filled, strict=True):
        ax.barh(y, value, height=0.5, **looks)
    ax.hlines(place, bounds[:, 0], bounds[:, 1], color=INK, linewidth=1.6)
    drawn = np.column_stack([values, bounds])
    if len(estimate.null):
        null = estimate.null[list(terms)]
        ax.barh(place + 0.36, null.mean(), height=0.16, color=NULL_GREY)
        ax.hlines(place + 0.36, null.mean(), null.max(), color=NULL_GREY, linewidth=1.2)
        drawn = np.column_stack([drawn, null.min(), null.max()])
    lows, ends = np.nanmin(drawn, axis=1), np.nanmax(drawn, axis=1)
    for y, value, (low, high), end in zip(place, values, bounds, ends, strict=True):
        interval = f" ({low:.3f} to {high:.3f})" if np.isfinite([low, high]).all() else ""
        ax.annotate(f"{value:.3f}{interval}", (max(end, 0), y), xytext=(5, 0), textcoords="offset points", va="center",
                    fontsize=8, color=INK)  # fmt: skip
    words = [TERM_NAMES[term] for term in parts] + [MEASURED_NAMES[term] for term in MEASURED]
    words[1:3] = [f"{word}\n({name} alone)" for word, name in zip(words[1:3], names, strict=True)]
    ax.set_yticks(place, words)
    refits = (
        f"; grey: mean and largest of {len(estimate.null)} refits with shuffled labels" if len(estimate.null) else ""
    )
    ax.set(xlabel=f"bits ({100 * estimate.level:g} % interval{refits})", ylim=(place[-1] + 0.6, -0.5))
    left, right = min(1.1 * float(lows.min()), 0.0), max(float(ends.max()), 1e-3)
    ax.set_xlim(left, right + 0.45 * (right - left))
    zero_line(ax)
    low, high = estimate.intervals["sis"]
    score = (
        "SIS not determined"
        if estimate.sis is None
        else f"SIS = S / I12 = {estimate.sis:.2f} ({low:.2f} to {high:.2f})"
    )
    ax.set_title(f"{score}, n = {estimate.n:,}")
    return figure_of(ax)


def plot_decompositions(table: pd.DataFrame) -> Figure:
    """Draw all tasks ordered by their score: the parts stacked in bits, what was measured, the null, and SIS.

    Parameters
    ----------
    table
        One row a task: label, unit_name, determined, the parts, I1, I2 and I12 as measured, sis and sis_interaction,
        all but the parts with ``_low`` and ``_high``, and the largest of the null, ``null_most_I12`` and
        ``null_most_synergy``.
    """
    ordered = table.sort_values(["determined", "sis"], ascending=False, kind="stable", ignore_index=True)
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(9.6, 0.72 * len(ordered) + 1.9), sharey=True, width_ratios=(1.2, 1), layout="constrained"
    )
    place = np.arange(len(ordered))
    bottom = np.zeros(len(ordered))
    for term in PARTS:
        if term == "synergy_additive":
            left.barh(place + 0.01, ordered["null_most_synergy"], left=bottom, height=0.1, color=NULL_GREY)
            _beside(left, "null of S", bottom[0] + ordered.loc[0, "null_most_synergy"], 0.01, SOFT)
        bars: BarContainer = left.barh(place - 0.24, ordered[term], left=bottom, height=0.3, color=TERM_COLOURS[term])
        bars.set_label(TERM_NAMES[term])
        bottom += ordered[term].to_numpy(dtype=float)
    for y, total in zip(place, bottom, strict=True):
        left.annotate(
            f"{total:.2f}", (total, y - 0.24), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8
        )
    left.barh(
        place + 0.39, ordered["null_most_I12"], height=0.1, color=NULL_GREY, label="null: most with shuffled labels"
    )
    for term, shift, colour, marker in (("I1", 0.1, BLUE, "o"), ("I2", 0.2, ORANGE, "s"), ("I12", 0.3, INK, "D")):
        left.hlines(place + shift, ordered[f"{term}_low"], ordered[f"{term}_high"], color=colour, linewidth=1.2)
        left.plot(ordered[term], place + shift, marker, color=colour, markersize=3.5, label=f"{term} as measured")
        _beside(left, term, ordered.loc[0, f"{term}_high"], shift, colour)
    _beside(left, "null of I12", ordered.loc[0, "null_most_I12"], 0.39, SOFT)
    left.set_yticks(place, [f"{r.label}\n(given the {r.unit_name})" for r in ordered.itertuples()])
    highs, lows = (ordered[[f"{term}_{end}" for term in ("I1", "I2", "I12")]].to_numpy() for end in ("high", "low"))
    reach = max(1.12 * max(bottom.max(), highs.max()), 1e-3)
    left.set(xlabel="bits about the label", ylim=(len(ordered) - 0.5, -0.5), xlim=(min(1.4 * lows.min(), 0), reach))
    zero_line(left)
    known = ordered["determined"].to_numpy(dtype=bool)
    shown = ordered[known]
    for score, shift, colour, marker, label in (
        ("sis", -0.12, GREEN, "o", "SIS = S / I12"),
        ("sis_interaction", 0.12, DARK_GREEN, "D", "of it by interaction"),
    ):
        right.hlines(place[known] + shift, shown[f"{score}_low"], shown[f"{score}_high"], color=colour, linewidth=1.8)
        size = 6 if score == "sis" else 4
        right.plot(shown[score], place[known] + shift, marker, color=colour, markersize=size, label=label)
    for y in place[~known]:
        right.annotate("not determined", (THRESHOLDS[-1] + 0.02, y), va="center", fontsize=8, color=SOFT)
    _thresholds(right)
    handles = [part for ax in (left, right) for part in zip(*ax.get_legend_handles_labels(), strict=True)]
    figure.legend(*zip(*handles, strict=True), loc="outside upper center", ncols=4)
    return figure


def _beside(ax: Axes, text: str, x: float, y: float, colour: str) -> None:
    """Write what a mark of the first task is to the right of it."""
    ax.annotate(text, (x, y), xytext=(3, 0), textcoords="offset points", va="center", fontsize=7, color=colour)


def _thresholds(ax: Axes) -> None:
    """Draw the published thresholds of the score, and above them what is recommended between them."""
    for value in THRESHOLDS:
        ax.axvline(value, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    edges = (0.0, *THRESHOLDS, 1.0)
    for low, high, name in zip(edges[:-1], edges[1:], STRATEGIES, strict=True):
        ax.annotate(name.replace(" ", "\n", 1), ((low + high) / 2, 1), xycoords=("data", "axes fraction"),
                    xytext=(0, 2), textcoords="offset points", ha="center", va="bottom", fontsize=7,
                    color=SOFT)  # fmt: skip
    ax.set(xlabel="synergistic information score, 95 % interval", xlim=(-0.02, 1.02))
    ax.set_xticks([0, *THRESHOLDS, 0.75, 1], ["0", *(f"{value:.2f}" for value in THRESHOLDS), "0.75", "1"])
    ax.tick_params(left=False)
