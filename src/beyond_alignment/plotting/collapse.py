"""Figures of the collapse: how training reaches the canonical subspace, and what is held by size and along the dial."""

from collections.abc import Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from beyond_alignment.pages.alignment.representations import CONTENDERS
from beyond_alignment.plotting.style import (
    BLUE,
    BROWN,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    YELLOW,
    zero_line,
)
from beyond_alignment.simulate import N_SHARED

THEORIES = {"proved": "theory: found", "measured": "no proof", "other": "theory: another subspace"}
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW, BROWN, INK)
HEADS = {
    "linear": ("alignment, linear heads", BLUE, "o"),
    "nonlinear": ("alignment, nonlinear heads", PURPLE, "s"),
    "interaction": ("interaction", GREEN, "D"),
}
LABELS = {
    "redundant": "redundant label",
    "unique1": "unique label",
    "and": "AND",
    "xor": "exclusive or (synergy)",
}
CLOSE = 5.0
LEAST = 0.05
APART = 0.1


def plot_descent(angles: pd.DataFrame, found: pd.DataFrame) -> Figure:
    """Draw the angle to the canonical subspace, a column a verdict of the theory.

    Above it is drawn against the length of training, with the most samples; below against the number of samples, after
    the longest training.

    Parameters
    ----------
    angles
        One row a method, n, seed and number of steps.
    found
        From :func:`beyond_alignment.alignment.found_subspaces`.
    """
    trained = angles[angles["steps"] > 0]
    named = found.drop_duplicates("method").set_index("method")
    theories = [name for name in THEORIES if (named.loc[trained["method"].unique(), "theory"] == name).any()]
    figure, axes = plt.subplots(
        2, len(theories), figsize=(3.6 * len(theories), 6.4), sharey=True, layout="constrained", squeeze=False
    )
    n, steps = trained["n"].max(), trained["steps"].max()
    by_steps, by_size = trained[trained["n"] == n], trained[trained["steps"] == steps]
    for column, theory in enumerate(theories):
        methods = [m for m in trained["method"].unique() if named.loc[m, "theory"] == theory]
        names = [str(named.loc[m, "label"]) for m in methods]
        above, below = axes[:, column]
        ends = _angle_lines(above, by_steps[by_steps["method"].isin(methods)], "steps")
        _name_ends(above, [(end, name, colour) for (end, colour), name in zip(ends, names, strict=True)])
        above.set(title=THEORIES[theory], xlabel=f"training steps, {n:,} samples")
        _angle_lines(below, by_size[by_size["method"].isin(methods)], "n")
        below.set_xlabel(f"paired samples, {steps:,} steps")
    axes[0, 0].set_yticks((0.1, 1, 5, 20, 90), ("0.1°", "1°", "5°", "20°", "90°"))
    axes[0, 0].set_ylim(LEAST, 120)
    for ax in axes[:, 0]:
        ax.set_ylabel("largest principal angle")
    return figure


def _angle_lines(ax: Axes, rows: pd.DataFrame, x: str) -> list[tuple[float, str]]:
    """Draw mean and range of the angle over seeds, a line a method, and return where each ends with its colour."""
    ends = []
    for method, colour in zip(rows["method"].unique(), cycle(COLOURS), strict=False):
        line = rows[rows["method"] == method].groupby(x)["angle"].agg(["mean", "min", "max"]).clip(lower=LEAST)
        ax.fill_between(line.index, line["min"], line["max"], color=colour, alpha=0.15, linewidth=0)
        ax.plot(line.index, line["mean"], "o-", color=colour, markersize=3.5)
        ends.append((float(line["mean"].iloc[-1]), colour))
    ax.set(xscale="log", yscale="log")
    ax.set_xticks(sorted(rows[x].unique()), [f"{int(value):,}" for value in sorted(rows[x].unique())])
    ax.minorticks_off()
    zero_line(ax, value=CLOSE, horizontal=True)
    return ends


def _name_ends(ax: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write the names of lines inside the panel, in the order of their ends."""
    for place, (_, name, colour) in enumerate(sorted(ends, key=lambda end: -end[0])):
        ax.text(
            0.02, 0.02 + 0.068 * (len(ends) - 1 - place), name, transform=ax.transAxes, color=colour, fontsize=7.5,
            va="bottom",
        )  # fmt: skip


def plot_shares_by_size(shares: pd.DataFrame, *, labels: Sequence[str]) -> Figure:
    """Draw the share of labels' information that representations hold against the number of pairs, a panel a label.

    Parameters
    ----------
    shares
        Of :func:`beyond_alignment.pages.alignment.shares.share`.
    labels
        Panels, from the left.
    """
    return _by_head(shares[shares["probe"] == "mlp"], labels, x="n", x_label="paired samples", log=True)


def plot_shares_by_directions(shares: pd.DataFrame, *, labels: Sequence[str]) -> Figure:
    """Draw the share of labels' information that aligned representations hold against the directions that they keep.

    Parameters
    ----------
    shares
        Of :func:`beyond_alignment.pages.alignment.shares.share`.
    labels
        Panels, from the left.
    """
    figure = _by_head(
        shares[shares["probe"] == "mlp"], labels, x="n_directions", x_label="directions kept a side", log=False
    )
    for ax in figure.axes:
        zero_line(ax, value=N_SHARED + 0.5)
    figure.axes[0].annotate(
        "shared", (N_SHARED + 0.3, 0.5), ha="right", va="center", fontsize=8, color=INK, rotation=90
    )
    return figure


def _by_head(shares: pd.DataFrame, labels: Sequence[str], *, x: str, x_label: str, log: bool) -> Figure:
    """Draw one line a contender with its range over seeds, coloured by kind of head, a panel a label."""
    figure, axes = plt.subplots(
        1, len(labels), figsize=(3.0 * len(labels), 3.4), sharey=True, layout="constrained", squeeze=False
    )
    for ax, label in zip(axes.flat, labels, strict=True):
        here = shares[shares["label"] == label]
        for contender in here["contender"].unique():
            rows = here[here["contender"] == contender]
            name, colour, marker = HEADS[rows["head"].iloc[0]]
            line = rows.groupby(x)["share"].agg(["mean", "min", "max"])
            ax.fill_between(line.index, line["min"], line["max"], color=colour, alpha=0.12, linewidth=0)
            ax.plot(line.index, line["mean"], marker=marker, color=colour, markersize=4, linewidth=1.3, label=name)
        ax.set(xlabel=x_label, title=LABELS.get(label, label), ylim=(-0.06, 1.06))
        ax.axhline(0, color=INK, linewidth=0.6, zorder=0)
        if log:
            ax.set_xscale("log")
        else:
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        if label == labels[-1]:
            _name_apart(ax, here, x)
    axes.flat[0].set_ylabel("share of the label's information")
    _head_legend(figure, shares)
    return figure


def _name_apart(ax: Axes, here: pd.DataFrame, x: str) -> None:
    """Name the lines of a kind of head that end apart from each other, beside their ends."""
    last = here[here[x] == here[x].max()].groupby(["head", "contender"])["share"].mean()
    for head, ends in last.groupby(level="head"):
        if ends.max() - ends.min() > APART:
            for (_, contender), end in ends.items():
                ax.annotate(
                    CONTENDERS[str(contender)].label, (1.01, end), xycoords=("axes fraction", "data"),
                    color=HEADS[str(head)][1], fontsize=7.5, va="center", annotation_clip=False,
                )  # fmt: skip


def _head_legend(figure: Figure, table: pd.DataFrame, extra: Sequence[Line2D] = ()) -> None:
    """Name the kinds of heads above the panels."""
    handles = [
        Line2D([], [], marker=marker, color=colour, label=name, markersize=5)
        for head, (name, colour, marker) in HEADS.items()
        if (table["head"] == head).any()
    ]
    figure.legend(handles=[*handles, *extra], loc="outside upper center", ncols=3, fontsize=8)


def plot_dial(dial: pd.DataFrame) -> Figure:
    """Draw accuracy and bits along the dial, measured points over the curves that theory predicts.

    Parameters
    ----------
    dial
        From :func:`beyond_alignment.pages.alignment.shares.with_theory`.
    """
    rows = dial[dial["probe"] == "mlp"]
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.8), layout="constrained")
    for ax, score, label in zip(axes, ("accuracy", "bits"), ("accuracy", "bits about the label"), strict=True):
        theory = rows.drop_duplicates("synergy_share").sort_values("synergy_share")
        for kind, colour in (("aligned", BLUE), ("joint", GREEN)):
            ax.plot(theory["synergy_share"], theory[f"{kind}_{score}"], color=colour, alpha=0.25, linewidth=7, zorder=0)
        names = list(rows["contender"].unique())
        for number, contender in enumerate(names):
            part = rows[rows["contender"] == contender]
            _, colour, marker = HEADS[part["head"].iloc[0]]
            line = part.groupby("synergy_share")[score].agg(["mean", "min", "max"])
            place = line.index + 0.012 * (number - (len(names) - 1) / 2)  # side by side, not one over the other
            ax.vlines(place, line["min"], line["max"], color=colour, linewidth=1)
            ax.plot(place, line["mean"], marker, color=colour, markersize=4.5, markerfacecolor="white")
        ax.set(xlabel="synergy S of one bit (= SIS)", ylabel=label)
    bands = [
        Line2D([], [], color=colour, alpha=0.25, linewidth=7, label=f"theory: {words}")
        for colour, words in ((BLUE, "shared directions"), (GREEN, "everything"))
    ]
    _head_legend(figure, rows, bands)
    return figure
