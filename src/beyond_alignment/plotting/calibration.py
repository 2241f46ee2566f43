"""Figure of the calibration of estimators against known truth."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from beyond_alignment.plotting.style import ESTIMATOR_COLOURS, ESTIMATOR_MARKERS, INK, SOFT


def plot_calibration(table: pd.DataFrame, *, settings: tuple[str, ...]) -> Figure:
    """Draw the estimated against the true score, a point a scenario, a column an estimator and a row a setting.

    Parameters
    ----------
    table
        Rows with estimator, setting, scenario, noise, true_sis, sis, sis_low, sis_high and largest (error of a term in
        bits); means over seeds. Scenarios of nothing but noise have no score and count in the error alone.
    settings
        Settings to draw, from the top.
    """
    names = list(dict.fromkeys(table["estimator"]))
    size = (2.45 * len(names), 2.5 * len(settings))
    figure, grid = plt.subplots(
        len(settings), len(names), figsize=size, sharex=True, sharey=True, layout="constrained", squeeze=False
    )
    bounds = table.loc[~table["noise"].astype(bool), ["sis", "sis_low", "sis_high"]]
    for axes, setting in zip(grid, settings, strict=True):
        for ax, name in zip(axes, names, strict=True):
            own = table[(table["estimator"] == name) & (table["setting"] == setting)]
            rows, colour = own[~own["noise"].astype(bool)], ESTIMATOR_COLOURS[name]
            ax.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
            ax.vlines(rows["true_sis"], rows["sis_low"], rows["sis_high"], color=colour, linewidth=1.2)
            ax.plot(rows["true_sis"], rows["sis"], ESTIMATOR_MARKERS[name], color=colour, markersize=4.5)
            ax.set(xlim=(-0.04, 1.04), ylim=(min(-0.04, bounds.min(axis=None)), max(1.04, bounds.max(axis=None))))
            told = f"off by {own['largest'].mean():.3f} bits" if len(own) else "not run yet"
            ax.annotate(told, (0.04, 0.97), xycoords="axes fraction", va="top", fontsize=8, color=SOFT)
        axes[0].set_ylabel(f"{setting}\nestimated SIS")
    for ax, name in zip(grid[0], names, strict=True):
        ax.set_title(name)
    for ax in grid[-1]:
        ax.set_xlabel("true SIS")
    return figure
