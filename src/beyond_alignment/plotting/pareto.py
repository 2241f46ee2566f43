"""Figures of score against compute, with the front of methods that none beats for less."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from beyond_alignment.benchmark.pareto import on_front
from beyond_alignment.errors import InputError
from beyond_alignment.plotting.learning_curves import method_styles
from beyond_alignment.plotting.methods import method_label
from beyond_alignment.plotting.style import INK, panels

COSTS: Mapping[str, str] = {
    "seconds": "training time (seconds)",
    "parameters": "trained parameters",
    "operations": "floating-point operations",
}
"""Columns of cost and what stands below their panels."""


def plot_pareto(table: pd.DataFrame, *, label: str) -> Figure:
    """Draw score against each cost, a panel a cost; the front is a step line through the methods on it.

    Parameters
    ----------
    table
        One row a method: method, score, low, high (an interval of the score), and the columns of `costs`; a cost of 0
        stands at the left edge, apart from the log axis.
    label
        Axis label of the score.

    Raises
    ------
    InputError
        The table has none of the costs, or a cost is negative or not finite.
    """
    held = [name for name in COSTS if name in table]
    if not held:
        raise InputError(f"The table has none of the costs {', '.join(COSTS)}; add one of these columns.")
    values = table[held].to_numpy(dtype=np.float64)
    if not np.isfinite(values).all() or (values < 0).any():
        raise InputError("A cost is negative or not finite; leave the method out or measure it again.")
    figure, axes = panels(len(held), width=3.4, height=3.2, x_label="", y_label=label)
    styles = method_styles(table["method"])
    for ax, name in zip(axes, held, strict=True):
        _draw_cost(ax, table, name, styles)
        ax.set_xlabel(COSTS[name])
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=4)
    return figure


def _draw_cost(ax: Axes, table: pd.DataFrame, name: str, styles: Mapping[str, tuple[str, str]]) -> None:
    """Draw one cost: a point a method, filled where it is on the front."""
    cost = table[name].to_numpy(dtype=np.float64)
    front = on_front(cost, table["score"])
    positive = cost[cost > 0]
    if len(positive) < len(cost):
        least, most = (positive.min(), positive.max()) if len(positive) else (1.0, 10.0)
        decades = 10.0 ** np.arange(np.floor(np.log10(least)), np.ceil(np.log10(most)) + 1)
        ax.set_xscale("symlog", linthresh=decades[0], linscale=0.6)
        ax.set_xticks([0.0, *decades])
    else:
        ax.set_xscale("log")
    for row, x, best in zip(table.to_dict(orient="records"), cost, front, strict=True):
        colour, marker = styles[row["method"]]
        ax.vlines(x, row["low"], row["high"], color=colour, linewidth=1.2, alpha=0.7)
        face = colour if best else "white"
        ax.plot([x], [row["score"]], marker, color=colour, markerfacecolor=face, markersize=7, zorder=3,
                label=method_label(row["method"]))  # fmt: skip
    order = np.flatnonzero(front)[np.argsort(cost[front])]
    left, end = ax.get_xlim()
    x = np.append(cost[order], end)
    y = np.append(table["score"].to_numpy()[order], table["score"].to_numpy()[order][-1])
    ax.step(x, y, where="post", color=INK, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    ax.set_xlim(left, end)
