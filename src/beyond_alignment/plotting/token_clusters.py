"""Figures of clusters of tiles: in the embedding, in the tissue, and what they are worth."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from beyond_alignment.benchmark.leads import mean_interval
from beyond_alignment.errors import InputError
from beyond_alignment.plotting.maps import group_colours
from beyond_alignment.plotting.tokens import KIND_COLOURS, KIND_MARKERS, kind_of
from beyond_alignment.tokens.arms import get_arm
from beyond_alignment.tokens.clusters import TileClusters


def plot_tile_clusters(clusters: Mapping[str, TileClusters], centre_um: NDArray[np.floating]) -> Figure:
    """Draw clusters of the tiles of one field: UMAP above, the tissue below, a column an arm.

    A colour is a cluster of its own column; columns share none.

    Parameters
    ----------
    clusters
        By arm, with places.
    centre_um
        (tile, axis), microns.

    Raises
    ------
    InputError
        If clusters have no places.
    """
    figure = plt.figure(figsize=(3.0 * len(clusters), 6.2), layout="constrained")
    axes = figure.subplots(2, len(clusters), squeeze=False)
    step = (150.0 / len(np.unique(centre_um[:, 0]))) ** 2
    for (above, below), (arm, found) in zip(axes.T, clusters.items(), strict=True):
        if found.place is None:
            raise InputError(f"Clusters of {arm} have no places to draw: cluster with umap=True.")
        palette = group_colours([str(label) for label in range(found.labels.max() + 1)])
        colours = [palette[str(label)] for label in found.labels]
        above.scatter(*found.place.T, s=16, c=colours, linewidths=0)
        below.scatter(*centre_um.T, s=step, c=colours, marker="s", linewidths=0)
        below.set(aspect="equal")
        below.invert_yaxis()
        above.set_title(f"{get_arm(arm).label}\ncoherence {found.coherence:.2f}, genes {found.molecular:.2f}")
        for ax in (above, below):
            ax.set(xticks=[], yticks=[])
    axes[0, 0].set_ylabel("UMAP")
    axes[1, 0].set_ylabel("tissue")
    return figure


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
