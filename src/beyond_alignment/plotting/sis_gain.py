"""Figures of the synergistic information score beside the gain of fusion: over tasks, and over fields of view."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from beyond_alignment.benchmark.sis_against_gain import ONE_MODALITY, TaskRelation
from beyond_alignment.plotting.scores import task_label
from beyond_alignment.plotting.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    PURPLE,
    SKY,
    figure_of,
    new_axes,
    readable,
    zero_line,
)

ORIGIN_COLOURS = {
    "independent": GREEN,
    "neighbours": BLUE,
    "simulated": PURPLE,
    "expression": GREY,
    "morphology": GREY,
}
ORIGIN_MARKERS = {"independent": "D", "neighbours": "o", "simulated": "P", "expression": "s", "morphology": "^"}
FIELD_COLOURS = (SKY, BLUE, INK)
FIELD_MARKERS = ("o", "s", "D")
APART = 0.24
LABEL_POINTS, LINE_POINTS, LETTER_POINTS, MARK_POINTS = 8.0, 11.0, 5.0, 5.0
STEPS = (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5)


def plot_sis_against_gain(table: pd.DataFrame, relation: TaskRelation, *, label: str) -> Figure:
    """Draw the gain of fusion against the score, a labelled point a task, both with their intervals.

    Tasks whose labels were made from one modality are hollow: they are shown, and not counted where ``relation`` left
    them out.

    Parameters
    ----------
    table
        One row a task: task, sis, sis_low, sis_high, gain, gain_low, gain_high, made_from.
    relation
        From :func:`beyond_alignment.benchmark.relate_gain`: stands above the figure.
    label
        Axis label of the gain, with its metric.
    """
    shown = table.dropna(subset=["sis", "gain"])
    ax = new_axes(width=7.0, height=4.76)
    zero_line(ax, horizontal=True)
    for row in shown.itertuples():
        colour = ORIGIN_COLOURS.get(row.made_from, INK)
        ax.hlines(row.gain, row.sis_low, row.sis_high, color=colour, linewidth=1, alpha=0.55)
        ax.vlines(row.sis, row.gain_low, row.gain_high, color=colour, linewidth=1, alpha=0.55)
        face = "white" if row.made_from in ONE_MODALITY else colour
        marker = ORIGIN_MARKERS.get(row.made_from, "o")
        ax.plot(row.sis, row.gain, marker, color=colour, markerfacecolor=face, markersize=6, zorder=3)
    ax.set(xlabel="synergistic information score S / I(X1, X2; Y), 95 % interval", ylabel=label)
    told = f"{relation.value:.2f} ({relation.low:.2f} to {relation.high:.2f})"
    title = f"Spearman {told} over {relation.n} tasks, p = {relation.p:.2f}"
    ax.set_title(title, fontsize=10, fontweight="normal")
    figure = figure_of(ax)
    figure.legend(handles=_origins(shown), loc="outside upper center", ncols=5, columnspacing=1.0, handletextpad=0.1)
    figure.canvas.draw()
    figure.set_layout_engine("none")  # names stand where the points are now
    _name_points(ax, shown)
    return figure


def _origins(shown: pd.DataFrame) -> list[Line2D]:
    """Return the key of what labels were made from."""
    handles = []
    for name in (name for name in ORIGIN_COLOURS if name in set(shown["made_from"])):
        face = "white" if name in ONE_MODALITY else ORIGIN_COLOURS[name]
        style: dict[str, Any] = {"color": ORIGIN_COLOURS[name], "marker": ORIGIN_MARKERS[name], "markerfacecolor": face}
        handles.append(Line2D([], [], linestyle="", markersize=5.5, label=_origin(name), **style))
    return handles


def _origin(name: str) -> str:
    """Return in words what labels were made from."""
    return name if name in ("independent", "simulated") else f"from {name}"


def _name_points(ax: Axes, shown: pd.DataFrame) -> None:
    """Write each task's name beside its point: on the nearest place in the axes that no mark or name takes."""
    points = ax.transData.transform(shown[["sis", "gain"]].to_numpy(dtype=np.float64)) * 72 / ax.figure.dpi
    middle = points[:, 0].min() + 0.62 * np.ptp(points[:, 0])
    taken = [(x - MARK_POINTS, x + MARK_POINTS, y) for x, y in points]
    frame = ax.get_window_extent()
    left, right = (edge * 72 / ax.figure.dpi for edge in (frame.x0, frame.x1))
    for name, sis, gain, (x, y) in zip(shown["task"].map(readable), shown["sis"], shown["gain"], points, strict=True):
        long = LETTER_POINTS * len(name)
        sides = ("right", "left") if x > middle else ("left", "right")
        for side, step in ((side, step) for step in STEPS for side in sides):
            start = x + LABEL_POINTS if side == "left" else x - LABEL_POINTS - long
            at = y + LINE_POINTS * step
            free = not any(start < last and first < start + long and abs(at - line) < LINE_POINTS - 1e-6
                           for first, last, line in taken)  # fmt: skip
            if free and left <= start and start + long <= right:
                break
        taken.append((start, start + long, at))
        offset = (LABEL_POINTS if side == "left" else -LABEL_POINTS, at - y)
        line = {"arrowstyle": "-", "color": GREY, "linewidth": 0.6} if abs(step) > 1 else None
        style: dict[str, Any] = {"textcoords": "offset points", "ha": side, "va": "center", "fontsize": 8, "color": INK}
        text = ax.annotate(name, (sis, gain), offset, arrowprops=line, **style)
        text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])


def plot_by_field_of_view(table: pd.DataFrame, *, fields_um: Sequence[int], label: str) -> Figure:
    """Draw how the field of view of the patch moves the gain of fusion and the score, task by task.

    Parameters
    ----------
    table
        One row a task and field: task, made_from, field_um, gain, gain_low, gain_high, sis, sis_low, sis_high; NaN
        where a score is not defined.
    fields_um
        Fields of view in microns, from the narrowest; three at most.
    label
        Axis label of the gain, with its metric.
    """
    tasks = list(dict.fromkeys(table["task"]))
    origin = dict(zip(table["task"], table["made_from"], strict=True))
    size = (7.6, 0.62 * len(tasks) + 1.5)
    figure, axes = plt.subplots(1, 2, figsize=size, layout="constrained", sharey=True)
    for ax, score in zip(axes, ("gain", "sis"), strict=True):
        zero_line(ax)
        for number, field in enumerate(fields_um):
            rows = table[table["field_um"] == field].set_index("task").reindex(tasks)
            height = np.arange(len(tasks)) + (number - (len(fields_um) - 1) / 2) * APART
            colour = FIELD_COLOURS[number]
            ax.hlines(height, rows[f"{score}_low"], rows[f"{score}_high"], color=colour, linewidth=1.5)
            ax.plot(rows[score], height, FIELD_MARKERS[number], color=colour, markersize=5, label=f"{field} µm")
    axes[0].set_yticks(range(len(tasks)), [task_label(task, origin[task]) for task in tasks])
    axes[0].set(ylim=(len(tasks) - 0.45, -0.55), xlabel=label)
    axes[1].set(xlabel="S / I(X1, X2; Y), 95 % interval")
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=len(fields_um), title="field of view")
    return figure
