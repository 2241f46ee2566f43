"""Figure of every fusion against the better expert, a panel a task."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from beyond_alignment.plotting.methods import family_handles, method_colour, method_label, method_marker
from beyond_alignment.plotting.scores import task_label
from beyond_alignment.plotting.style import METRIC_NAMES, panels, zero_line

ROW_INCHES = 0.2


def plot_method_leads(comparisons: pd.DataFrame, *, tasks: Sequence[str] | None = None, most: int = 4) -> Figure:
    """Draw how far each fusion is above the better expert on each task, with its interval.

    A row a method, in the same order in every panel: that of the mean difference over the panels. A filled mark is told
    apart from the better expert after correction for all tests, a hollow one is not.

    Parameters
    ----------
    comparisons
        From :func:`beyond_alignment.benchmark.compare_with_experts`: task, made_from, metric, method, expert,
        difference, low, high, verdict; one row a task and method.
    tasks
        Panels, in order; all in the order of the table when None.
    most
        Panels a row.
    """
    names = list(dict.fromkeys(comparisons["task"])) if tasks is None else list(tasks)
    shown = comparisons[comparisons["task"].isin(names)]
    order = shown.groupby("method")["difference"].mean().sort_values(ascending=False).index.to_list()
    height = ROW_INCHES * len(order) + 1.0
    figure, axes = panels(len(names), width=2.6, height=height, most=most, x_label="", y_label="")
    for number, (ax, task) in enumerate(zip(axes, names, strict=True)):
        part = shown[shown["task"] == task].set_index("method").reindex(order)
        for row, (method, found) in enumerate(part.iterrows()):
            colour = method_colour(str(method))
            face = "white" if found["verdict"] == "not told apart" else colour
            ax.hlines(row, found["low"], found["high"], color=colour, linewidth=1.4)
            ax.plot(
                found["difference"], row, method_marker(str(method)), color=colour, markerfacecolor=face, markersize=5
            )
        zero_line(ax)
        ax.set_yticks(
            np.arange(len(order)), [method_label(m) for m in order] if number % most == 0 else [""] * len(order)
        )
        ax.set(ylim=(len(order) - 0.4, -0.6))
        known = part.dropna(subset=["metric"]).iloc[0]
        ax.set_title(
            f"{task_label(task, str(known['made_from']))}\nagainst {method_label(str(known['expert']))}", fontsize=9
        )
        ax.set_xlabel(f"difference in {METRIC_NAMES[str(known['metric'])]}", fontsize=9)
    figure.legend(handles=family_handles(order), loc="outside upper center", ncols=4)
    return figure
