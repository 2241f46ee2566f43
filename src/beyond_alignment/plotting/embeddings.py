"""What embeddings look like: their first components, and how much two of them say the same."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from beyond_alignment.plotting.maps import group_colours
from beyond_alignment.plotting.style import readable


def plot_components(
    panels: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]],
    groups: Sequence[str],
    *,
    group_name: str,
    columns: int = 4,
    seed: int = 0,
) -> Figure:
    """Draw two components of each embedding, every spot in the colour of its group.

    Parameters
    ----------
    panels
        Name of an embedding -> components (spot, 2) and the share of the variance in each (2,).
    groups
        One group a spot.
    group_name
        What a group is, for the legend.
    columns
        Panels in a row.
    seed
        Of the order of drawing, so that no group hides the others.
    """
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(2.6 * columns, 2.6 * rows), layout="constrained", squeeze=False)
    colours = group_colours(sorted(set(groups)))
    order = np.random.default_rng(seed).permutation(len(groups))
    shown = np.array([colours[group] for group in groups], dtype=object)[order]
    for ax, (name, (place, share)) in zip(grid.flat, panels.items(), strict=False):
        ax.scatter(*place[order].T, s=4, c=shown.tolist(), linewidths=0, alpha=0.7)
        ax.set_title(readable(name), fontsize=10)
        ax.set(xticks=[], yticks=[], xlabel=f"first, {share[0]:.0%}", ylabel=f"second, {share[1]:.0%}")
    for ax in list(grid.flat)[len(panels) :]:
        ax.set_axis_off()
    handles = [Line2D([], [], marker="o", linestyle="", color=c, label=f"{group_name} {g}") for g, c in colours.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure


def plot_correlations(tables: Mapping[str, pd.DataFrame], *, label: str) -> Figure:
    """Draw square tables of correlations side by side, on one scale from 0 to 1.

    Parameters
    ----------
    tables
        Title -> (embedding, embedding).
    label
        Of the colour bar.
    """
    size = max(len(table) for table in tables.values())
    figure, axes = plt.subplots(
        1, len(tables), figsize=(0.5 * size * len(tables) + 2.0, 0.5 * size + 1.8), layout="constrained", squeeze=False
    )
    for number, (ax, (title, table)) in enumerate(zip(axes[0], tables.items(), strict=True)):
        names = [readable(str(name)) for name in table]
        sns.heatmap(
            table.to_numpy(),
            ax=ax,
            vmin=0.0,
            vmax=1.0,
            cmap="viridis",
            square=True,
            annot=True,
            fmt=".2f",
            annot_kws={"fontsize": 7},
            cbar=False,
            xticklabels=names,
            yticklabels=names if number == 0 else False,
        )
        ax.set_title(title)
        ax.tick_params(length=0)
    figure.colorbar(axes[0, -1].collections[0], ax=axes[0], shrink=0.7, label=label)
    return figure


def plot_shares(shares: pd.DataFrame, *, label: str) -> Figure:
    """Draw shares between 0 and 1 as points, a row an embedding and a colour a column.

    Parameters
    ----------
    shares
        (embedding, kind of group); the index names the embeddings.
    label
        Axis label.
    """
    figure, ax = plt.subplots(figsize=(7.0, 0.38 * len(shares) + 1.2), layout="constrained")
    height = np.arange(len(shares))
    for (name, colour), marker in zip(group_colours(list(shares.columns)).items(), "osD^v<", strict=False):
        values: ArrayLike = shares[name].to_numpy()
        ax.plot(values, height, marker, color=colour, label=name)
    ax.set_yticks(height, [readable(str(name)) for name in shares.index])
    ax.set(xlabel=label, xlim=(-0.02, 1.0), ylim=(len(shares) - 0.5, -0.5))
    ax.grid(axis="x", alpha=0.3)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=shares.shape[1])
    return figure
