"""Figures of learning curves."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.plotting.style import METHOD_COLOURS, METHOD_MARKERS, readable


def plot_learning_curves(summary: pd.DataFrame, *, tasks: Sequence[str], label: str) -> Figure:
    """Draw score against paired training spots, a panel a task, a line a method, a band over seeds.

    Parameters
    ----------
    summary
        From :func:`beyond_alignment.benchmark.summarise_curves`.
    tasks
        Panels, in order.
    label
        Axis label with the metric.
    """
    columns = min(3, len(tasks))
    rows = -(-len(tasks) // columns)
    size = (3.1 * columns, 2.7 * rows)
    figure, grid = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    for ax, task in zip(grid.flat, tasks, strict=False):
        for method, record in FUSION_METHODS.items():
            line = summary[(summary["task"] == task) & (summary["method"] == method)].sort_values("n_train")
            colour, marker = METHOD_COLOURS[method], METHOD_MARKERS[method]
            ax.fill_between(line["n_train"], line["low"], line["high"], color=colour, alpha=0.18, linewidth=0)
            ax.plot(line["n_train"], line["mean"], marker + "-", color=colour, markersize=4, label=record.label)
        ax.set(xscale="log", title=readable(task))
    for ax in list(grid.flat)[len(tasks) :]:
        ax.set_axis_off()
    for ax in grid[-1]:
        ax.set_xlabel("paired training spots")
    for ax in grid[:, 0]:
        ax.set_ylabel(label)
    handles, names = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=4)
    return figure
