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
from beyond_alignment.information.estimate import PIDEstimate
from beyond_alignment.plotting.scores import task_label
from beyond_alignment.plotting.style import (
    DARK_GREEN,
    GREEN,
    INK,
    PARTS,
    TERM_COLOURS,
    TERM_NAMES,
    figure_of,
    new_axes,
    panels,
    readable,
)

BARS = ("redundancy", "unique1", "unique2", "synergy")
SHORT = tuple(TERM_SYMBOLS[term] for term in BARS)
EXACT, COMPARED = "BROJA", "I_min"
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


def plot_pid(estimate: PIDEstimate, *, title: str = "", names: tuple[str, str] = ("first", "second")) -> Figure:
    """Draw one estimated decomposition: a bar a term with its interval in bits, and the score.

    Parameters
    ----------
    estimate
        From :func:`beyond_alignment.information.estimate_pid`.
    title
        Above the figure; the score follows it.
    names
        What the two sources are called.
    """
    parts = PARTS if np.isfinite(estimate.pid.synergy_interaction) else BARS  # not every estimator splits the synergy
    ax = new_axes(width=6.6, height=0.52 * len(parts) + 0.6)
    place = np.arange(len(parts))
    values = np.array([getattr(estimate.pid, term) for term in parts])
    bounds = np.array([estimate.intervals.get(term, (np.nan, np.nan)) for term in parts])  # (term, low and high)
    ax.barh(place, values, height=0.62, color=[TERM_COLOURS[term] for term in parts])
    ax.hlines(place, bounds[:, 0], bounds[:, 1], color=INK, linewidth=1.6)
    ends = np.nanmax(np.column_stack([values, bounds]), axis=1)
    for y, value, (low, high), end in zip(place, values, bounds, ends, strict=True):
        interval = f" ({low:.3f} to {high:.3f})" if np.isfinite([low, high]).all() else ""
        ax.annotate(f"{value:.3f}{interval}", (end, y), xytext=(5, 0), textcoords="offset points", va="center",
                    fontsize=8, color=INK)  # fmt: skip
    words = [TERM_NAMES[term] for term in parts]
    words[1:3] = [f"{word}\n({name} alone)" for word, name in zip(words[1:3], names, strict=True)]
    ax.set_yticks(place, words)
    ax.set(xlabel=f"bits ({100 * estimate.level:g} % interval)", ylim=(len(parts) - 0.5, -0.5))
    ax.set_xlim(0, max(1.45 * float(ends.max()), 1e-3))
    low, high = estimate.intervals["sis"]
    score = f"SIS = S / I12 = {estimate.sis:.2f} ({low:.2f} to {high:.2f}), n = {estimate.n:,}"
    ax.set_title(f"{title}\n{score}" if title else score)
    return figure_of(ax)


def plot_decompositions(table: pd.DataFrame) -> Figure:
    """Draw all tasks ordered by their score: the terms stacked in bits, and SIS with the published thresholds.

    Parameters
    ----------
    table
        One row a task: task, made_from, the five terms in bits, and sis and sis_interaction, each with ``_low`` and
        ``_high``.
    """
    ordered = table.sort_values("sis", ascending=False, kind="stable").reset_index(drop=True)
    figure, (left, right) = _two_panels(len(ordered))
    place = np.arange(len(ordered))
    bottom = np.zeros(len(ordered))
    for term in PARTS:
        bars: BarContainer = left.barh(place, ordered[term], left=bottom, height=0.64, color=TERM_COLOURS[term])
        bars.set_label(TERM_NAMES[term])
        bottom += ordered[term].to_numpy(dtype=float)
    for y, total in zip(place, bottom, strict=True):
        left.annotate(f"{total:.2f}", (total, y), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8)
    left.set_yticks(place, [task_label(t, m) for t, m in zip(ordered["task"], ordered["made_from"], strict=True)])
    left.set(xlabel="bits about the label", ylim=(len(ordered) - 0.5, -0.5), xlim=(0, 1.12 * max(bottom.max(), 1e-3)))
    for score, shift, colour, marker, label in (
        ("sis", -0.12, GREEN, "o", "SIS = S / I12"),
        ("sis_interaction", 0.18, DARK_GREEN, "D", "of it by interaction"),
    ):
        right.hlines(place + shift, ordered[f"{score}_low"], ordered[f"{score}_high"], color=colour, linewidth=1.8)
        size = 6 if score == "sis" else 4
        right.plot(ordered[score], place + shift, marker, color=colour, markersize=size, label=label)
    _thresholds(right)
    handles = [part for ax in (left, right) for part in zip(*ax.get_legend_handles_labels(), strict=True)]
    figure.legend(*zip(*handles, strict=True), loc="outside upper center", ncols=4)
    return figure


def _two_panels(n: int) -> tuple[Figure, tuple[Axes, Axes]]:
    """Return two panels that share their tasks."""
    figure, axes = plt.subplots(
        1, 2, figsize=(9.6, 0.48 * n + 1.9), sharey=True, width_ratios=(1, 1.15), layout="constrained"
    )
    return figure, (axes[0], axes[1])


def _thresholds(ax: Axes) -> None:
    """Draw the published thresholds of the score, and above them what is recommended between them."""
    for value in THRESHOLDS:
        ax.axvline(value, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    edges = (0.0, *THRESHOLDS, 1.0)
    for low, high, name in zip(edges[:-1], edges[1:], STRATEGIES, strict=True):
        ax.annotate(name.replace(" ", "\n", 1), ((low + high) / 2, 1), xycoords=("data", "axes fraction"),
                    xytext=(0, 2), textcoords="offset points", ha="center", va="bottom", fontsize=7,
                    color="#555555")  # fmt: skip
    ax.set(xlabel="synergistic information score, 95 % interval", xlim=(-0.02, 1.02))
    ax.set_xticks([0, *THRESHOLDS, 0.75, 1], ["0", *(f"{value:.2f}" for value in THRESHOLDS), "0.75", "1"])
    ax.tick_params(left=False)
