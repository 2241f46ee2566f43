"""Figures of the benchmark: scores by task, gains of fusion, and the field of view."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.plotting.style import (
    INK,
    METHOD_COLOURS,
    METHOD_MARKERS,
    figure_of,
    legend_above,
    new_axes,
    panels,
    readable,
    zero_line,
)
from beyond_alignment.tasks.registry import TASKS

OFFSET = 0.18


def task_label(task: str, made_from: str, *, name: str = "") -> str:
    """Return a task's name, or another given for it, with what its labels were made from."""
    origin = made_from if made_from == "independent" else f"from {made_from}"
    return f"{name or readable(task)}\n({origin})"


def with_origin(task: str, *, name: str = "") -> str:
    """Return the label of a registered task, and the name alone of any other."""
    return task_label(task, TASKS[task].made_from, name=name) if task in TASKS else name or readable(task)


def plot_scores(scores: pd.DataFrame, *, label: str, chance: Mapping[str, float] | None = None) -> Figure:
    """Draw each method's score on each task with its interval, and the chance level.

    Parameters
    ----------
    scores
        Rows of a scoreboard's table for one metric: task, made_from, method, value, low, high.
    label
        Axis label with the metric, its unit and the interval.
    chance
        Chance level of each task.
    """
    tasks = list(dict.fromkeys(scores["task"]))
    methods = [m for m in FUSION_METHODS if m in set(scores["method"])]
    ax = new_axes(height=0.75 * len(tasks) + 1.2)
    for number, method in enumerate(methods):
        rows = scores[scores["method"] == method].set_index("task").reindex(tasks)
        height = np.arange(len(tasks)) + (number - (len(methods) - 1) / 2) * OFFSET
        colour, name = METHOD_COLOURS[method], FUSION_METHODS[method].label
        ax.hlines(height, rows["low"], rows["high"], color=colour, linewidth=1.6)
        ax.plot(rows["value"], height, METHOD_MARKERS[method], markersize=5.5, color=colour, label=name)
    for position, task in enumerate(tasks):
        if chance and task in chance:
            ax.vlines(chance[task], position - 0.42, position + 0.42, color=INK, linewidth=1, linestyle=(0, (3, 2)))
    origin = dict(zip(scores["task"], scores["made_from"], strict=True))
    ax.set_yticks(range(len(tasks)), [task_label(task, origin[task]) for task in tasks])
    ax.set(xlabel=label + ("; dashed: chance" if chance else ""), ylim=(len(tasks) - 0.45, -0.55))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(methods), handletextpad=0.1, columnspacing=1.2)
    return figure_of(ax)


def plot_gains(gains: pd.DataFrame, *, label: str) -> Figure:
    """Draw what fusion adds to the better expert, task by task, with its interval.

    Parameters
    ----------
    gains
        Rows with task, made_from, gain, low, high, sorted as they are to be drawn from the top.
    label
        Axis label.
    """
    ax = new_axes(height=0.5 * len(gains) + 1.2)
    height = np.arange(len(gains))
    colour = METHOD_COLOURS["concat"]
    ax.hlines(height, gains["low"], gains["high"], color=colour, linewidth=2)
    ax.plot(gains["gain"], height, METHOD_MARKERS["concat"], color=colour, markersize=6)
    zero_line(ax, label="no gain")
    names = [task_label(task, origin) for task, origin in zip(gains["task"], gains["made_from"], strict=True)]
    ax.set_yticks(height, names)
    ax.set(xlabel=label, ylim=(len(gains) - 0.5, -0.5))
    return figure_of(ax)


def plot_field_of_view(scores: pd.DataFrame, *, tasks: Sequence[str], fields_um: Sequence[int], label: str) -> Figure:
    """Draw, task by task, how the field of view of the patch changes each method's score.

    Parameters
    ----------
    scores
        Scoreboard rows of one metric with columns task, method, field_um, value, low, high.
    tasks
        Panels, in order.
    fields_um
        Fields of view in microns, in order.
    label
        Axis label.
    """
    figure, axes = panels(len(tasks), x_label="field of view (µm)", y_label=label)
    for ax, task in zip(axes, tasks, strict=True):
        _field_panel(ax, scores[scores["task"] == task], fields_um)
        ax.set_title(readable(task))
    legend_above(figure, axes[0], columns=4)
    return figure


def _field_panel(ax: Axes, scores: pd.DataFrame, fields_um: Sequence[int]) -> None:
    """Draw one task: a line a method over the fields of view."""
    place = np.arange(len(fields_um))
    for number, method in enumerate(name for name in FUSION_METHODS if name in set(scores["method"])):
        rows = scores[scores["method"] == method].set_index("field_um").reindex(fields_um)
        shifted = place + (number - 1.5) * 0.07
        colour = METHOD_COLOURS[method]
        ax.vlines(shifted, rows["low"], rows["high"], color=colour, linewidth=1.2, alpha=0.8)
        ax.plot(
            shifted,
            rows["value"],
            METHOD_MARKERS[method] + "-",
            color=colour,
            markersize=4.5,
            label=FUSION_METHODS[method].label,
        )
    ax.set_xticks(place, [str(field) for field in fields_um])
