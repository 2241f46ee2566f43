"""What clusters of tiles are worth."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from beyond_alignment.benchmark.leads import mean_interval
from beyond_alignment.plotting.tokens import KIND_COLOURS, KIND_MARKERS, kind_of
from beyond_alignment.tokens.arms import get_arm


def plot_cluster_worth(table: pd.DataFrame) -> Figure:
    """Draw what clusters tell of genes over how they hold together in space: folds as points, means with intervals.

    Parameters
    ----------
    table
        From :func:`beyond_alignment.tokens.compare_clusters`.
    """
    figure = plt.figure(figsize=(5.6, 4.2), layout="constrained")
    ax = figure.subplots()
    for arm, rows in table.groupby("arm", sort=False):
        folds = rows.groupby("fold")[["coherence", "molecular"]].mean()
        colour, marker = KIND_COLOURS[kind_of(str(arm))], KIND_MARKERS[kind_of(str(arm))]
        across, up = (mean_interval(folds[name]) for name in folds)
        ax.plot(folds["coherence"], folds["molecular"], ".", color=colour, alpha=0.6, markersize=5)
        ax.hlines(up[0], *across[1:], color=colour, linewidth=1.4)
        ax.vlines(across[0], *up[1:], color=colour, linewidth=1.4)
        ax.plot(across[0], up[0], marker, color=colour, markersize=7, label=get_arm(str(arm)).label)
    ax.set(xlabel="spatial coherence of clusters", ylabel="variance of add-on genes\nbetween clusters")
    figure.legend(loc="outside upper center", ncols=3, handletextpad=0.1, columnspacing=1.2)
    return figure
