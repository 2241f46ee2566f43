"""The curve of a training: what was measured after each epoch."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from beyond_alignment.plotting.style import BLUE, GREEN, GREY, ORANGE, PURPLE, panels, readable


def plot_training(curves: Mapping[str, pd.DataFrame], *, measures: Sequence[tuple[str, str]]) -> Figure:
    """Draw what was measured in training, epoch by epoch: a panel a measure, a line a network, named at its end.

    Parameters
    ----------
    curves
        Network -> a row for each epoch with column epoch and what was measured.
    measures
        Column and axis label of each panel; a network without the column is left out of it.
    """
    figure, axes = panels(len(measures), width=4.2, height=3.0, most=2, x_label="epoch", y_label="")
    colours = dict(zip(curves, (BLUE, ORANGE, GREEN, PURPLE, GREY) * len(curves), strict=False))
    for ax, (column, label) in zip(axes, measures, strict=True):
        ends = []
        for name, curve in curves.items():
            if column in curve:
                ax.plot(curve["epoch"], curve[column], color=colours[name], linewidth=1.6)
                ends.append((float(curve[column].iloc[-1]), float(curve["epoch"].iloc[-1]), name))
        low, high = ax.get_ylim()
        least = 0.08 * (high - low)  # between two names
        height = low - least
        for value, epoch, name in sorted(ends):
            height = max(value, height + least)
            ax.annotate(
                readable(name), (epoch, value), xytext=(epoch, height), textcoords="data", fontsize=8, va="center",
                color=colours[name], annotation_clip=False,
            ).set_x(epoch * 1.03)  # fmt: skip
        ax.set(ylabel=label, xlim=(0, None))
    return figure
