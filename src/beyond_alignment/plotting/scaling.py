"""Figures of the scaling page beside its curves: crossings against SIS, regret of rules, cost by size."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from beyond_alignment.benchmark.cost_growth import check_same_features
from beyond_alignment.benchmark.crossover import Outcome
from beyond_alignment.errors import InputError
from beyond_alignment.plotting.learning_curves import contestants_first, method_styles
from beyond_alignment.plotting.methods import method_label
from beyond_alignment.plotting.scores import with_origin
from beyond_alignment.plotting.style import BLUE, GREEN, GREY, INK, new_axes, panels, zero_line

SIZE_LABELS: Mapping[str, str] = {"seconds": "seconds of one fit", "peak_gb": "peak memory (GB)"}
LANE = 2.2
"""How far the lanes of outcomes lie beyond the sizes that were measured, as a factor."""


def plot_crossings(crossings: pd.DataFrame) -> Figure:
    """Draw the number of pairs from which each fusion leads, a row a task, in the order of their SIS.

    Fusions that never lead stand in the lane on the right, those that lead from the smallest size on in the lane on the
    left; a mark is filled where the lead at the end of the range is beyond its interval.

    Parameters
    ----------
    crossings
        From :func:`~beyond_alignment.benchmark.crossings_by_sis`.

    Raises
    ------
    InputError
        There are no crossings.
    """
    if crossings.empty:
        raise InputError("There are no crossings to draw; pass the curves of tasks of a known SIS.")
    ordered = crossings.sort_values("sis", kind="stable")
    tasks = list(dict.fromkeys(ordered["task"]))
    methods = contestants_first(ordered["method"])
    ax = new_axes(width=7.0, height=0.58 * len(tasks) + 1.3)
    styles = method_styles(methods)
    never, start = ordered["largest"].max() * LANE, ordered["smallest"].min() / LANE
    inside = np.where(ordered["n"].isna(), start, ordered["n"])
    places = np.where(ordered["outcome"] == Outcome.NEVER, never, inside)
    step = 0.8 / len(methods)
    for row, place in zip(ordered.to_dict(orient="records"), places, strict=True):
        colour, marker = styles[row["method"]]
        y = tasks.index(row["task"]) + (methods.index(row["method"]) - (len(methods) - 1) / 2) * step
        face = colour if row["leads"] else "white"
        ax.plot([place], [y], marker, color=colour, markerfacecolor=face, markersize=4.5)
    ax.set_xscale("log")
    for place, words in ((never, "never within\nthe range"), (start, "from the\nsmallest size on")):
        ax.axvline(place, color=GREY, linewidth=0.7, zorder=0)
        ax.text(place, 1.01, words, fontsize=8, color=INK, ha="center", transform=ax.get_xaxis_transform())
    for line in np.arange(len(tasks) - 1) + 0.5:
        ax.axhline(line, color=GREY, linewidth=0.4, zorder=0)
    scores = ordered.groupby("task")["sis"].first()
    ax.set_yticks(range(len(tasks)), [f"{with_origin(task)}, SIS {scores[task]:.2f}" for task in tasks])
    ax.set(xlabel="paired spots from which on a fusion leads", ylim=(len(tasks) - 0.5, -0.5))
    handles = [
        Line2D([], [], linestyle="", color=colour, marker=marker, label=method_label(method))
        for method, (colour, marker) in styles.items()
    ]
    figure = ax.figure
    assert isinstance(figure, Figure)
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure


def plot_regret(summary: pd.DataFrame, *, label: str) -> Figure:
    """Draw the regret of decision rules with their intervals over tasks, the least at the top.

    Parameters
    ----------
    summary
        Of :class:`~beyond_alignment.benchmark.Regret`.
    label
        Axis label with the score.
    """
    ax = new_axes(width=6.6, height=0.42 * len(summary) + 1.2)
    rows = summary.iloc[::-1]
    heights = np.arange(len(rows))
    colours = [GREEN if rule.startswith("published") else BLUE for rule in rows["rule"]]
    ax.hlines(heights, rows["low"], rows["high"], color=colours, linewidth=1.8)
    ax.scatter(rows["regret"], heights, color=colours, s=36, zorder=3)
    ax.scatter(rows["worst"], heights, color=GREY, s=22, marker="|", zorder=2)
    ax.set_yticks(heights, rows["rule"])
    ax.set_xlabel(f"regret: {label} lost against the best method of each point")
    ax.text(rows["worst"].iloc[-1], heights[-1] + 0.28, "worst task", fontsize=8, color=INK, ha="center")
    zero_line(ax)
    figure = ax.figure
    assert isinstance(figure, Figure)
    return figure


def plot_size_cost(table: pd.DataFrame) -> Figure:
    """Draw what one fit costs against the number of spots, on two log axes, with a line of slope one to compare.

    Parameters
    ----------
    table
        From :func:`~beyond_alignment.benchmark.size_study`, all of the same features.

    Raises
    ------
    InputError
        The rows are of several numbers of features.
    """
    check_same_features(table)
    figure, axes = panels(len(SIZE_LABELS), width=4.2, height=3.4, x_label="spots", y_label="")
    styles = method_styles(dict.fromkeys(table["method"]))
    for ax, (column, label) in zip(axes, SIZE_LABELS.items(), strict=True):
        for method, part in table.groupby("method", sort=False):
            ordered = part.sort_values("n")
            colour, marker = styles[str(method)]
            ax.plot(
                ordered["n"], ordered[column], marker + "-", color=colour, markersize=5, label=method_label(str(method))
            )
        ax.set(xscale="log", yscale="log", ylabel=label)
        _slope_one(ax, table, column)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=4)
    return figure


def _slope_one(ax: Axes, table: pd.DataFrame, column: str) -> None:
    """Draw what grows with the number of spots, below the largest measurement."""
    end, top = float(table["n"].max()), float(table[column].max())
    sizes = np.array([end / 30, end])
    ax.plot(sizes, top * sizes / end * 2, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
    ax.text(end / 6, top * 2 / 6, "linear", fontsize=8, color=INK, ha="right", va="bottom")
