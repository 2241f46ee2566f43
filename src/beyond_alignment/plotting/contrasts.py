"""Differences between pairs of methods, each in the direction in which a claim puts them."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from beyond_alignment.plotting.methods import method_colour, method_label, method_marker
from beyond_alignment.plotting.style import figure_of, new_axes, zero_line

WHERE = {
    "tissue": "labels of tissue",
    "around": "labels from the spots around",
    "synergy": "simulated labels of synergy",
}


def plot_contrasts(contrasts: pd.DataFrame, *, label: str) -> Figure:
    """Draw the mean lead of one method over another with its interval, one row a claim.

    Parameters
    ----------
    contrasts
        From :func:`beyond_alignment.benchmark.patterns.contrasts`.
    label
        Axis label.
    """
    ax = new_axes(height=0.55 * len(contrasts) + 1.2)
    names = []
    for height, row in enumerate(contrasts.itertuples()):
        colour = method_colour(row.ahead)
        ax.hlines(height, row.low, row.high, color=colour, linewidth=2)
        ax.plot(row.difference, height, method_marker(row.ahead), color=colour, markersize=6)
        pair = f"{row.claim}: {method_label(row.ahead)} less {method_label(row.behind)}"
        names.append(f"{pair}\n({row.n_tasks} {WHERE[row.labels]})")
    zero_line(ax, label="no lead")
    ax.set_yticks(np.arange(len(names)), names)
    ax.set(xlabel=label, ylim=(len(names) - 0.5, -0.5))
    return figure_of(ax)
