"""The figure of the collapse: an aligned linear subspace beside a joint nonlinear manifold, both computed."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from beyond_alignment.plotting.style import BLUE, INK, ORANGE

CLASSES = {0: (BLUE, "o"), 1: (ORANGE, "^")}
GROUND = LinearSegmentedColormap.from_list("classes", [BLUE, "white", ORANGE])


def plot_collapse(picture: Mapping[str, Any]) -> Figure:
    """Draw the variates that alignment found beside the log-odds that an interaction method learnt.

    Parameters
    ----------
    picture
        What :func:`beyond_alignment.pages.alignment.picture.picture` returns.
    """
    figure, axes = plt.subplots(1, 2, figsize=(8.8, 4.3), layout="constrained")
    left, right = axes
    most = float(np.abs(picture["log_odds"]).max())
    surface = picture["grid"], picture["grid"], picture["log_odds"]
    contours = right.contourf(*surface, levels=np.linspace(-most, most, 13), cmap=GROUND, alpha=0.55)
    right.contour(*surface, levels=[0], colors=INK, linewidths=1.2)
    for label, (colour, marker) in CLASSES.items():
        chosen = picture["labels"] == label
        for ax, points in ((left, picture["aligned"]), (right, picture["halves"])):
            ax.scatter(
                *points[chosen].T, s=13, marker=marker, color=colour, edgecolor="white", linewidth=0.3,
                label=f"exclusive or = {label}",
            )  # fmt: skip
    left.set(
        xlabel="canonical variate of expression", ylabel="canonical variate of morphology",
        title=f"aligned subspace: accuracy {picture['aligned_accuracy']:.2f}",
    )  # fmt: skip
    right.set(
        xlabel="expression, along its half", ylabel="morphology, along its half",
        title=f"joint manifold: accuracy {picture['joint_accuracy']:.2f}",
    )  # fmt: skip
    figure.colorbar(
        contours, ax=right, label="learnt log-odds, nats", shrink=0.85, ticks=[-most, 0, most], format="%.1f"
    )
    handles, names = left.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=2, markerscale=1.6)
    return figure
