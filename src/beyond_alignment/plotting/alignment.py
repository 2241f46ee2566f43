"""Figure of the spectral ceiling."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from beyond_alignment.plotting.style import BLUE, GREY, figure_of, new_axes, zero_line


def plot_spectrum(values: Sequence[float], null: Sequence[float], threshold: float) -> Figure:
    """Draw canonical correlations against their permutation null.

    Parameters
    ----------
    values
        Canonical correlations (component,).
    null
        95 % quantile of each under permutation (component,).
    threshold
        95 % quantile of the largest under permutation.
    """
    ax = new_axes(width=6.0, height=3.2)
    place = np.arange(1, len(values) + 1)
    ax.plot(place, null, color=GREY, linewidth=1.5)
    third = len(values) // 3
    crowded = null[third] < 0.25  # no room for words between a low curve and the axis
    ax.annotate(
        "permuted pairs (95 %)", (place[third], null[third]), xytext=(0, 44 if crowded else -12),
        textcoords="offset points", fontsize=8, color="#555555", ha="left" if crowded else "center",
        va="bottom" if crowded else "top",
        arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.8} if crowded else None,
    )  # fmt: skip
    ax.plot(place, values, "o-", color=BLUE, markersize=4)
    zero_line(ax, value=threshold, label="threshold", horizontal=True)
    ax.set(xlabel="canonical direction", ylabel="canonical correlation", ylim=(0, 1.02))
    return figure_of(ax)
