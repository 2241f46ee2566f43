"""Figures of learning curves."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.plotting.style import METHOD_COLOURS, METHOD_MARKERS, legend_above, panels, readable


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
    figure, axes = panels(len(tasks), x_label="paired training spots", y_label=label)
    for ax, task in zip(axes, tasks, strict=True):
        for method in (name for name in FUSION_METHODS if name in set(summary["method"])):
            line = summary[(summary["task"] == task) & (summary["method"] == method)].sort_values("n_train")
            colour, marker = METHOD_COLOURS[method], METHOD_MARKERS[method]
            ax.fill_between(line["n_train"], line["low"], line["high"], color=colour, alpha=0.18, linewidth=0)
            ax.plot(
                line["n_train"],
                line["mean"],
                marker + "-",
                color=colour,
                markersize=4,
                label=FUSION_METHODS[method].label,
            )
        ax.set(xscale="log", title=readable(task))
    legend_above(figure, axes[0], columns=4)
    return figure
