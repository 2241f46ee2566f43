"""Figures of what alignment finds and keeps."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from beyond_alignment.plotting.style import BLUE, GREY, INK, LABEL_COLOURS, new_axes, readable, zero_line

LINES = {"linear": (0, (3, 2)), "nonlinear": "-"}


def plot_spectrum(values: Sequence[float], null: Sequence[float], *, threshold: float, title: str) -> Figure:
    """Draw canonical correlations against their permutation null.

    Parameters
    ----------
    values
        Canonical correlations (component,).
    null
        95 % quantile of each under permutation (component,).
    threshold
        95 % quantile of the largest under permutation.
    title
        What they are of.
    """
    ax = new_axes(width=6.0, height=3.2)
    place = np.arange(1, len(values) + 1)
    ax.plot(place, null, color=GREY, linewidth=1.5)
    third = len(values) // 3
    crowded = null[third] < 0.25  # no room for words between a low curve and the axis
    ax.annotate(
        "permuted pairs (95 %)", (place[third], null[third]), xytext=(0, 44 if crowded else -12),
        textcoords="offset points", fontsize=8, color="#555555", ha="center", va="bottom" if crowded else "top",
        arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.8} if crowded else None,
    )  # fmt: skip
    ax.plot(place, values, "o-", color=BLUE, markersize=4)
    zero_line(ax, value=threshold, label="threshold", horizontal=True)
    ax.set(xlabel="canonical direction", ylabel="canonical correlation", ylim=(0, 1.02), title=title)
    figure = ax.get_figure()
    assert isinstance(figure, Figure)
    return figure


def plot_retained_by_size(summary: pd.DataFrame, *, labels: Sequence[str]) -> Figure:
    """Draw the share of each label's information that a representation holds against sample size.

    Parameters
    ----------
    summary
        Mean, low and high by n, representation, label and probe.
    labels
        Labels, in order.
    """
    names = list(dict.fromkeys(summary["representation"]))
    figure, axes = plt.subplots(1, len(names), figsize=(4.2 * len(names), 3.4), sharey=True, layout="constrained")
    for ax, name in zip(np.atleast_1d(axes), names, strict=True):
        for label in labels:
            for probe, line in LINES.items():
                chosen = (summary["representation"] == name) & (summary["label"] == label) & (summary["probe"] == probe)
                rows = summary[chosen].sort_values("n")
                colour = LABEL_COLOURS[label]
                ax.fill_between(rows["n"], rows["low"], rows["high"], color=colour, alpha=0.15, linewidth=0)
                ax.plot(rows["n"], rows["fraction"], "o", linestyle=line, color=colour, markersize=4,
                        label=f"{label}, {probe} probe")  # fmt: skip
        ax.axhline(0, color=INK, linewidth=0.6)
        ax.set(xscale="log", xlabel="paired samples", title=name)
        sizes = sorted(summary["n"].unique())
        ax.set_xticks(sizes, [f"{size:,}" for size in sizes], minor=False)
        ax.minorticks_off()
    first = np.atleast_1d(axes)[0]
    first.set_ylabel("share of the label's information")
    handles, texts = first.get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside lower center", ncols=3)
    return figure


def plot_retained_on_tissue(table: pd.DataFrame) -> Figure:
    """Draw, task by task, what the raw concatenation and the aligned subspace hold, a panel a split.

    Parameters
    ----------
    table
        Rows with split, label, representation, bits, low_bits and high_bits.
    """
    splits, tasks = list(dict.fromkeys(table["split"])), list(dict.fromkeys(table["label"]))
    names = list(dict.fromkeys(table["representation"]))
    figure, axes = plt.subplots(
        1, len(splits), figsize=(4.4 * len(splits), 0.5 * len(tasks) + 1.4), sharey=True, layout="constrained"
    )
    for ax, split in zip(np.atleast_1d(axes), splits, strict=True):
        for number, (name, colour, marker) in enumerate(zip(names, (BLUE, GREY), "Ds", strict=False)):
            rows = table[(table["split"] == split) & (table["representation"] == name)].set_index("label").loc[tasks]
            height = np.arange(len(tasks)) + (number - 0.5) * 0.25
            ax.hlines(height, rows["low_bits"], rows["high_bits"], color=colour, linewidth=1.6)
            ax.plot(rows["bits"], height, marker, color=colour, markersize=5, label=name)
        zero_line(ax)
        ax.set(xlabel="bits", title=f"split by {split}", ylim=(len(tasks) - 0.5, -0.5))
    np.atleast_1d(axes)[0].set_yticks(range(len(tasks)), [readable(task) for task in tasks])
    handles, texts = np.atleast_1d(axes)[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside upper center", ncols=2)
    return figure
