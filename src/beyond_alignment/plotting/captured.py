"""Figure of what each method captures: redundancy beside synergy, a row a method."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from beyond_alignment.plotting.methods import (
    FAMILIES,
    family_handles,
    family_of,
    method_colour,
    method_label,
    method_marker,
)
from beyond_alignment.plotting.style import GREY, INK, TERM_NAMES, zero_line

SHOWN = ("redundancy", "synergy_additive", "synergy_interaction")
LIMITS = (-0.16, 1.12)
APART = 0.19
GAP = 0.7
MOST = 0.9


def plot_captured(summary: pd.DataFrame) -> Figure:
    """Draw the share of each term that each method's representation holds, with its interval over seeds.

    A row a method, grouped by family, those that hold most interaction synergy linearly on top of their family; filled
    marks are what a linear probe tells, hollow ones what a perceptron does. A share below the axis is drawn as an arrow
    at its edge.

    Parameters
    ----------
    summary
        From :func:`beyond_alignment.benchmark.summarise_captured`: method, family, setting, term, probe, share, low,
        high.
    """
    here = summary[summary["setting"] == "alone"]
    rows = _rows(here, SHOWN[-1])
    height = 0.25 * (max(rows.values()) + 1) + 1.3
    figure, axes = plt.subplots(
        1, len(SHOWN), figsize=(2.6 + 2.3 * len(SHOWN), height), layout="constrained", sharey=True, squeeze=False
    )
    for ax, term in zip(axes.flat, SHOWN, strict=True):
        _panel(ax, here[here["term"] == term], rows)
        ax.set_title(TERM_NAMES[term], fontsize=10)
        ax.set(xlim=LIMITS, xticks=(0, 0.5, 1))
    first = axes.flat[0]
    first.set_yticks(list(rows.values()), [method_label(name) for name in rows])
    first.set_ylim(max(rows.values()) + 0.8, -0.8)
    figure.supxlabel("share of the term that a probe can tell from the representation, 95 % over seeds", fontsize=10)
    figure.legend(handles=_handles(rows), loc="outside upper center", ncols=4, columnspacing=1.0, handletextpad=0.2)
    return figure


def _rows(here: pd.DataFrame, term: str) -> dict[str, float]:
    """Return the height of each method's row: families in their order, with a gap between them."""
    linear = here[(here["term"] == term) & (here["probe"] == "linear")].set_index("method")["share"]
    places: dict[str, float] = {}
    height = 0.0
    for family in FAMILIES:
        members = [name for name in linear.index if family_of(str(name)) == family]
        for name in sorted(members, key=lambda name: -float(linear[name])):
            places[name] = height
            height += 1
        height += GAP if members else 0
    return places


def _panel(ax: Axes, part: pd.DataFrame, rows: dict[str, float]) -> None:
    """Draw one term."""
    zero_line(ax)
    ax.axvline(MOST, color=GREY, linewidth=0.8, linestyle=(0, (1, 2)), zorder=0)
    ax.hlines(list(rows.values()), *LIMITS, color="#EEEEEE", linewidth=0.8, zorder=0)
    for row in part.itertuples():
        if not np.isfinite(row.share):
            continue
        linear = row.probe == "linear"
        place = rows[row.method] + (-APART if linear else APART)
        colour, low, high = method_colour(row.method), max(row.low, LIMITS[0]), min(row.high, LIMITS[1])
        if row.share < LIMITS[0]:
            ax.plot(LIMITS[0] + 0.02, place, "<", color=colour, markersize=4, clip_on=False)
            continue
        ax.hlines(place, low, high, color=colour, linewidth=1.2)
        face = colour if linear else "white"
        ax.plot(row.share, place, method_marker(row.method), color=colour, markerfacecolor=face, markersize=4.6)
    ax.tick_params(axis="y", length=0)


def _handles(rows: dict[str, float]) -> list[Line2D]:
    """Return the keys of the families that occur, of both probes and of the bar."""
    handles = family_handles(rows)
    for name, face in (("linear probe", INK), ("perceptron", "white")):
        handles.append(
            Line2D([], [], linestyle="", marker="o", color=INK, markerfacecolor=face, markersize=5, label=name)
        )
    return [*handles, Line2D([], [], color=GREY, linestyle=(0, (1, 2)), linewidth=1, label=f"{MOST}")]
