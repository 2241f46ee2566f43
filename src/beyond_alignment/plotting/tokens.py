"""Figures of token-level fusion: arms with their folds, along the dials, and what genes repeat."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from scipy.stats import spearmanr

from beyond_alignment.benchmark.leads import mean_interval
from beyond_alignment.errors import InputError
from beyond_alignment.plotting.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE
from beyond_alignment.tokens.arms import ARMS
from beyond_alignment.tokens.comparison import REFERENCES
from beyond_alignment.tokens.drawn_nuclei import PERFECT_READERS

KIND_COLOURS = {
    "expression": BLUE,
    "morphology": ORANGE,
    "late": GREEN,
    "early": PURPLE,
    "reference": GREY,
    "drawn": INK,
}
KIND_MARKERS = {"expression": "o", "morphology": "s", "late": "D", "early": "^", "reference": "x", "drawn": "*"}
KIND_NAMES = {
    "expression": "expression alone",
    "morphology": "morphology alone",
    "late": "late fusion",
    "early": "early fusion",
    "reference": "no network",
    "drawn": "reads nuclei as drawn",
}


def kind_of(arm: str) -> str:
    """Return what an arm counts as in figures.

    Raises
    ------
    InputError
        If it is neither an arm nor a reference nor a perfect reader.
    """
    if arm in REFERENCES:
        return "reference"
    if arm in PERFECT_READERS:
        return "drawn"
    if arm not in ARMS:
        raise InputError(f"There is no arm {arm!r} to draw: score arms of ARMS.")
    found = ARMS[arm]
    return str(found.stage or ("morphology" if found.vision else "expression"))


def plot_arms(scores: pd.DataFrame, *, metric: str = "spearman", label: str = "Spearman, mean over genes") -> Figure:
    """Draw the score of each arm: folds as points, their mean with a 95 % Student interval over folds.

    Parameters
    ----------
    scores
        Of a ``Comparison``; with a column ``setting``, one panel for each.
    metric
        Column.
    label
        Of the axis.
    """
    settings = list(dict.fromkeys(scores["setting"])) if "setting" in scores else [""]
    order = list(dict.fromkeys(scores["arm"]))
    if len(settings) == 1:
        order = list(scores.groupby("arm")[metric].mean().sort_values(ascending=False).index)
    width = 7.0 if len(settings) == 1 else 2.6 + 2.7 * len(settings)  # wider ones are shrunk to the page
    figure = plt.figure(figsize=(width, 0.34 * len(order) + 1.5), layout="constrained")
    axes = figure.subplots(1, len(settings), squeeze=False, sharex=True, sharey=True)[0]
    for ax, setting in zip(axes, settings, strict=True):
        rows = scores[scores["setting"] == setting] if setting else scores
        _rows(ax, rows, order, metric)
        ax.set(xlabel=label, title=setting)
        ax.xaxis.set_major_locator(MaxNLocator(4))
    names = scores.drop_duplicates("arm").set_index("arm")["label"]
    axes[0].set_yticks(range(len(order)), [names[arm] for arm in order])
    axes[0].set_ylim(len(order) - 0.4, -0.6)
    kinds = [kind for kind in KIND_NAMES if kind in {kind_of(arm) for arm in order}]
    handles = [
        Line2D([], [], linestyle="", marker=KIND_MARKERS[kind], color=KIND_COLOURS[kind], label=KIND_NAMES[kind])
        for kind in kinds
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(kinds), handletextpad=0.1, columnspacing=1.2)
    return figure


def _rows(ax: Axes, scores: pd.DataFrame, order: list[str], metric: str) -> None:
    """Draw one row an arm."""
    for place, arm in enumerate(order):
        folds = scores[scores["arm"] == arm].groupby("fold")[metric].mean()
        if folds.empty:
            continue
        colour, marker = KIND_COLOURS[kind_of(arm)], KIND_MARKERS[kind_of(arm)]
        mean, low, high = mean_interval(folds)
        ax.hlines(place, low, high, color=colour, linewidth=1.4, zorder=1)
        ax.plot(folds, np.full(len(folds), place + 0.22), ".", color=colour, alpha=0.6, markersize=5)
        ax.plot(mean, place, marker, color=colour, markersize=7, zorder=3)
    ax.grid(axis="x", color="0.92")
    ax.set_axisbelow(True)


def plot_predictability(table: pd.DataFrame, *, label: str) -> Figure:
    """Draw how well each gene is predicted over how redundant it is with the core panel, measured and true.

    Parameters
    ----------
    table
        From :func:`beyond_alignment.tokens.predictability`.
    label
        Of the arm.
    """
    columns = {
        "largest_r": "largest |Pearson r| with a core gene",
        "ridge_r2": "R² of a ridge on the core genes",
        "core_share": "true share that core genes show",
    }
    figure = plt.figure(figsize=(10.2, 3.5), layout="constrained")
    axes = figure.subplots(1, len(columns), sharey=True)
    for ax, (column, name) in zip(axes, columns.items(), strict=True):
        ax.scatter(table[column], table["spearman"], s=24, color=GREEN, edgecolors="white", linewidths=0.5)
        rho = spearmanr(table[column], table["spearman"]).statistic
        ax.set(xlabel=name, title=f"rank correlation {rho:.2f}")
    axes[0].set_ylabel(f"{label},\nSpearman of the gene")
    return figure
