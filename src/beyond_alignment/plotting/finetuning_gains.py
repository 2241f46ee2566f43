"""Figure of what fine-tuning adds to a frozen expert, task by task."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from beyond_alignment.errors import InputError
from beyond_alignment.plotting.methods import method_colour, method_marker
from beyond_alignment.plotting.scores import with_origin
from beyond_alignment.plotting.style import figure_of, new_axes, zero_line

APART = 0.2


def plot_finetuning_gains(gains: pd.DataFrame, *, label: str) -> Figure:
    """Draw the gain of each fine-tuned expert with its interval, one row a task, with the fewest and the most spots.

    Parameters
    ----------
    gains
        From :func:`beyond_alignment.benchmark.finetuning_gains.finetuning_gains`, of one metric: marks with the most
        spots are filled, with the fewest hollow.
    label
        Axis label, with the metric.

    Raises
    ------
    InputError
        There are no rows, or more than one metric.
    """
    if gains.empty or gains["metric"].nunique() > 1:
        raise InputError(f"Gains of {gains['metric'].nunique()} metrics; pass those of one, of one task or more.")
    tasks = list(dict.fromkeys(gains["task"]))
    ax = new_axes(width=7.0, height=0.55 * len(tasks) + 1.3)
    zero_line(ax, label="frozen expert")
    for modality, side in (("expression", -1), ("morphology", 1)):
        colour, marker = method_colour(f"{modality}_only"), method_marker(f"{modality}_only")
        rows = gains[gains["modality"] == modality]
        for at, face, step in ((rows["fraction"].max(), colour, 0.3), (rows["fraction"].min(), "none", 1.0)):
            for row in rows[rows["fraction"] == at].itertuples():
                height = tasks.index(row.task) + APART * side * step
                ax.hlines(height, row.low, row.high, color=colour, linewidth=1.6)
                ax.plot(row.gain, height, marker, color=colour, markerfacecolor=face, markersize=6)
    handles = [
        Line2D([], [], color=method_colour(f"{name}_only"), marker=method_marker(f"{name}_only"), label=name)
        for name in dict.fromkeys(gains["modality"])
    ]
    handles.append(Line2D([], [], color="none", marker="o", markeredgecolor="grey", label="fewest spots"))
    ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    ax.set_yticks(np.arange(len(tasks)), [with_origin(name) for name in tasks])
    ax.set(xlabel=label, ylim=(len(tasks) - 0.5, -0.5))
    return figure_of(ax)
