"""Figure of every fusion on every task at once: how far above or below the better expert it is."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.plotting.methods import FAMILIES, family_of, method_colour, method_label
from beyond_alignment.plotting.style import INK, readable

ORIGINS = ("independent", "neighbours", "morphology", "expression", "simulated")
CELL_INCHES = (0.27, 0.22)
LIMIT = 0.2
"""Difference from which on the colour does not change, in units of each task's score."""


def plot_lead_map(comparisons: pd.DataFrame) -> Figure:
    """Draw the difference of each fusion to the better expert as a colour, a row a task and a column a method.

    Rows are grouped by what the labels were made from, and each task is named in the colour of its better expert;
    columns are grouped by family, in which those of the higher mean difference come first. A dot marks what is told
    apart from the better expert after correction for all tests; a method without an answer is left white.

    Parameters
    ----------
    comparisons
        From :func:`beyond_alignment.benchmark.compare_with_experts`: task, made_from, metric, method, expert,
        difference, verdict; one row a task and method.
    """
    tasks, methods = _rows(comparisons), _columns(comparisons)
    wide = comparisons.pivot_table(index="task", columns="method", values="difference").loc[tasks["task"], methods]
    told = comparisons.assign(told=comparisons["verdict"] != "not told apart")
    told = told.pivot_table(index="task", columns="method", values="told", aggfunc="any").loc[wide.index, methods]
    width, height = CELL_INCHES[0] * len(methods) + 3.0, CELL_INCHES[1] * len(tasks) + 2.4
    figure, ax = plt.subplots(figsize=(width, height), layout="constrained")
    sns.heatmap(
        wide,
        ax=ax,
        cmap="BrBG",
        vmin=-LIMIT,
        vmax=LIMIT,
        linewidths=0.5,
        cbar_kws={
            "label": "score less that of the better expert",
            "location": "bottom",
            "extend": "both",
            "shrink": 0.5,
            "aspect": 40,
            "pad": 0.04,
        },
    )
    rows, columns = np.nonzero(told.eq(True).to_numpy())
    dark = np.abs(wide.to_numpy()[rows, columns]) > 0.65 * LIMIT
    ax.scatter(columns + 0.5, rows + 0.5, s=9, c=np.where(dark, "white", INK), linewidths=0)
    names = [
        f"{readable(task)}{' (R²)' if metric == 'r2' else ''}" for task, metric in tasks[["task", "metric"]].values
    ]
    ax.set_yticks(np.arange(len(names)) + 0.5, names, rotation=0)
    for label, expert in zip(ax.get_yticklabels(), tasks["expert"], strict=True):
        label.set_color(method_colour(str(expert)))
    ax.xaxis.tick_top()
    ax.set_xticks(np.arange(len(methods)) + 0.5, [method_label(method) for method in methods], rotation=90)
    ax.tick_params(length=0)
    ax.set(xlabel="", ylabel="")
    _separate(ax, [str(origin) for origin in tasks["made_from"]], [family_of(method) for method in methods])
    return figure


def _rows(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return one row a task, grouped by the origin of its labels."""
    tasks = comparisons.drop_duplicates("task")[["task", "made_from", "metric", "expert"]]
    order = tasks["made_from"].map({name: place for place, name in enumerate(ORIGINS)})
    return tasks.assign(order=order).sort_values("order", kind="stable", ignore_index=True)


def _columns(comparisons: pd.DataFrame) -> list[str]:
    """Return the methods by family, the higher mean difference on real tissue first."""
    real = comparisons[comparisons["made_from"] != "simulated"]
    mean = (real if len(real) else comparisons).groupby("method")["difference"].mean()
    known = [name for name in FUSION_METHODS if name in set(comparisons["method"])]
    return sorted(known, key=lambda name: (FAMILIES.index(family_of(name)), -mean.get(name, 0.0)))


def _separate(ax: Axes, origins: list[str], families: list[str]) -> None:
    """Draw a line between groups, and name those of rows on the right and those of columns below."""
    for start, end in _runs(origins):
        words = "independent" if origins[start] == "independent" else f"from {origins[start]}"
        words = "simulated" if origins[start] == "simulated" else words
        place = (1.01, (start + end) / 2)
        ax.annotate(words, place, xycoords=ax.get_yaxis_transform(), va="center", fontsize=8, color=INK)
        if start:
            ax.axhline(start, color=INK, linewidth=1)
    for start, end in _runs(families):
        place = ((start + end) / 2, -0.01)
        ax.annotate(families[start], place, xycoords=ax.get_xaxis_transform(), ha="center", va="top", fontsize=8)
        if start:
            ax.axvline(start, color=INK, linewidth=1)


def _runs(names: list[str]) -> list[tuple[int, int]]:
    """Return where each run of one name starts and ends."""
    starts = [i for i, name in enumerate(names) if i == 0 or names[i - 1] != name]
    return list(zip(starts, [*starts[1:], len(names)], strict=True))
