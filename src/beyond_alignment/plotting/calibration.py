"""Figures of the calibration of estimators against known truth."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from beyond_alignment.plotting.style import ESTIMATOR_COLOURS, ESTIMATOR_MARKERS, INK, legend_above, panels

ALLOWED_ERROR = 0.03
ALLOWED_COVERAGE = (0.90, 0.99)


def plot_calibration(table: pd.DataFrame) -> Figure:
    """Draw the estimated against the true score, a point a scenario and a panel an estimator.

    Parameters
    ----------
    table
        Rows with estimator, scenario, true_sis, sis, sis_low and sis_high, of one sample size; means over seeds.
    """
    names = list(dict.fromkeys(table["estimator"]))
    figure, axes = panels(len(names), width=2.5, height=2.6, most=4, x_label="true SIS", y_label="estimated SIS")
    bottom = min(-0.04, float(table[["sis", "sis_low"]].min(axis=None)) - 0.02)
    top = max(1.04, float(table[["sis", "sis_high"]].max(axis=None)) + 0.02)
    for ax, name in zip(axes, names, strict=True):
        rows = table[table["estimator"] == name]
        ax.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
        ax.vlines(rows["true_sis"], rows["sis_low"], rows["sis_high"], color=ESTIMATOR_COLOURS[name], linewidth=1.2)
        ax.plot(rows["true_sis"], rows["sis"], ESTIMATOR_MARKERS[name], color=ESTIMATOR_COLOURS[name], markersize=4.5)
        error = float((rows["sis"] - rows["true_sis"]).abs().mean())
        ax.set(title=f"{name}: error {error:.3f}", xlim=(-0.04, 1.04), ylim=(bottom, top))
    return figure


def plot_error_by_n(table: pd.DataFrame) -> Figure:
    """Draw the mean absolute error of the score and the coverage of its interval against the number of samples.

    Parameters
    ----------
    table
        Rows with estimator, n, error_sis and coverage_sis.
    """
    figure, axes = plt.subplots(1, 2, figsize=(8.0, 3.3), layout="constrained")
    error, coverage = axes
    for name in dict.fromkeys(table["estimator"]):
        rows = table[table["estimator"] == name].sort_values("n")
        style = {"color": ESTIMATOR_COLOURS[name], "marker": ESTIMATOR_MARKERS[name], "markersize": 5}
        error.plot(rows["n"], rows["error_sis"], label=name, **style)
        coverage.plot(rows["n"], rows["coverage_sis"], label=name, **style)
    error.axhline(ALLOWED_ERROR, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    error.annotate(f"allowed: {ALLOWED_ERROR}", (1, ALLOWED_ERROR), xycoords=("axes fraction", "data"), ha="right",
                   va="bottom", fontsize=8)  # fmt: skip
    error.set(ylabel="mean absolute error of SIS", ylim=(0, None))
    coverage.axhspan(*ALLOWED_COVERAGE, color="#DDDDDD", zorder=0, linewidth=0)
    coverage.annotate("allowed", (1, ALLOWED_COVERAGE[0]), xycoords=("axes fraction", "data"), ha="right", va="top",
                      fontsize=8)  # fmt: skip
    coverage.set(ylabel="coverage of the 95 % interval", ylim=(0, 1.03))
    for ax in axes:
        _sizes(ax, sorted(table["n"].unique()))
    legend_above(figure, error, columns=4)
    return figure


def _sizes(ax: Axes, sizes: list[int]) -> None:
    """Label the axis of sample sizes with those that were run."""
    ax.set(xscale="log", xlabel="paired samples")
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes], minor=False)
    ax.minorticks_off()
