"""The critical-difference diagram: mean ranks of methods, and which of them are not told apart."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from beyond_alignment.benchmark.ranks import Ranks
from beyond_alignment.plotting.methods import family_handles, method_colour, method_label, method_marker
from beyond_alignment.plotting.style import GREY, INK, figure_of, new_axes

ROW_INCHES, BAR_STEP = 0.27, 0.035


def plot_ranks(ranks: Ranks) -> Figure:
    """Draw the mean rank of each method, and a bar beside each set of methods that are not told apart.

    Each row is named after its method, so that no leader lines cross however many methods there are. The length of the
    critical difference is drawn above.

    Parameters
    ----------
    ranks
        From :func:`beyond_alignment.benchmark.rank_methods`.
    """
    table = ranks.table
    n = len(table)
    ax = new_axes(width=7.0, height=ROW_INCHES * n + 1.5)
    rows = np.arange(n)
    if "low" in table:
        ax.hlines(rows, table["low"], table["high"], color=GREY, linewidth=1.4, zorder=1)
    for row, (method, rank) in enumerate(zip(table["method"], table["mean_rank"], strict=True)):
        ax.plot(rank, row, method_marker(method), color=method_colour(method), markersize=6)
    ax.set_yticks(rows, [method_label(method) for method in table["method"]])
    ax.set(ylim=(n - 0.4, -1.9), xlabel=f"mean rank over {ranks.n_tasks} tasks (1 is best; bars: not told apart)")
    _scale_bar(ax, ranks)
    _group_bars(ax, ranks.groups, table["method"].to_list())
    _family_legend(ax, table["method"].to_list())
    return figure_of(ax)


def _scale_bar(ax: Axes, ranks: Ranks) -> None:
    """Draw how long the critical difference is, above the best method, within the drawn range."""
    low, high = ax.get_xlim()
    start = float(ranks.table["mean_rank"].min())
    ax.set_xlim(low, max(high, start + ranks.critical_difference * 1.05))
    ax.plot(
        [start, start + ranks.critical_difference], [-1.1, -1.1], color=INK, linewidth=1.2, marker="|", markersize=7
    )
    name = f"critical difference {ranks.critical_difference:.2f} (Nemenyi, {ranks.alpha:.0%})"
    ax.annotate(name, (start, -1.1), (0, 5), textcoords="offset points", ha="left", va="bottom", fontsize=8, color=INK)


def _group_bars(ax: Axes, groups: Sequence[Sequence[str]], methods: Sequence[str]) -> None:
    """Draw one upright bar a set, beside the axes, in as few columns as keep bars apart."""
    free: list[int] = []  # first row that is free, column by column
    for group in groups:
        first, last = methods.index(group[0]), methods.index(group[-1])
        column = next((number for number, row in enumerate(free) if row <= first), len(free))
        free[column : column + 1] = [last + 1]
        place = 1.02 + BAR_STEP * column
        ax.plot(
            [place, place],
            [first - 0.25, last + 0.25],
            color=INK,
            linewidth=3,
            solid_capstyle="butt",
            transform=ax.get_yaxis_transform(),
            clip_on=False,
        )


def _family_legend(ax: Axes, methods: Sequence[str]) -> None:
    """Name the families that occur, above the axes."""
    handles = family_handles(methods)
    if handles:
        ax.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=len(handles),
            handletextpad=0.1,
            columnspacing=1.0,
        )
