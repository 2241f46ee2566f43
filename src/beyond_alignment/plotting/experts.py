"""Figures of the experts: their scores, what they add to a reference, genes, neighbours, sections read."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from beyond_alignment.plotting.scores import task_label
from beyond_alignment.plotting.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, SKY, panels, readable, zero_line

READS_COLOURS = {"expression": BLUE, "morphology": ORANGE, "unknown": GREY}
VERDICT_MARKERS = {"better": (">", ORANGE), "worse": ("<", BLUE), "not told apart": ("o", GREY)}
DONOR_COLOURS, DONOR_MARKERS = (GREEN, PURPLE, INK, SKY), "osD^"  # apart from those of what is read


def plot_expert_scores(scores: pd.DataFrame, *, label: str, columns: int = 4) -> Figure:
    """Draw each expert's score with its interval, a panel a task, and the chance level.

    A hollow marker says that the labels were made from what the expert reads.

    Parameters
    ----------
    scores
        Rows of one metric and split a task: expert, reads, task, made_from, same_source, value, low, high, chance.
    label
        Of the axes, with the interval.
    columns
        Panels a row.
    """
    tasks, experts = (list(dict.fromkeys(scores[name])) for name in ("task", "expert"))
    origin = dict(zip(scores["task"], scores["made_from"], strict=True))
    reads = dict(zip(scores["expert"], scores["reads"], strict=True))
    figure, axes = _rows(len(tasks), experts, reads, columns=columns, x_label=label)
    for ax, task in zip(axes, tasks, strict=True):
        rows = scores[scores["task"] == task].set_index("expert").reindex(experts)
        for height, row in enumerate(rows.itertuples()):
            colour = READS_COLOURS.get(str(row.reads), GREY)
            inside = "white" if row.same_source is True else colour
            ax.hlines(height, row.low, row.high, color=colour, linewidth=1.6)
            ax.plot(row.value, height, "o", color=colour, markerfacecolor=inside, markersize=5)
        zero_line(ax, value=float(rows["chance"].dropna().iloc[0]))
        ax.set_title(task_label(task, origin[task]), fontsize=9)
    return figure


def plot_advantage(comparison: pd.DataFrame, *, label: str, columns: int = 6) -> Figure:
    """Draw what each expert scores above its reference, task by task, with the interval of the difference.

    Parameters
    ----------
    comparison
        Rows with expert, reference, task, difference, low, high, verdict; a panel an expert and reference.
    label
        Of the axes.
    columns
        Panels a row.
    """
    pairs = list(dict.fromkeys(zip(comparison["expert"], comparison["reference"], strict=True)))
    tasks = list(dict.fromkeys(comparison["task"]))
    figure, axes = _rows(len(pairs), tasks, {}, columns=columns, x_label=label, width=1.9)
    for ax, (expert, reference) in zip(axes, pairs, strict=True):
        chosen = (comparison["expert"] == expert) & (comparison["reference"] == reference)
        for row in comparison[chosen].itertuples():
            height, (marker, colour) = tasks.index(str(row.task)), VERDICT_MARKERS[str(row.verdict)]
            ax.hlines(height, row.low, row.high, color=colour, linewidth=1.6)
            ax.plot(row.difference, height, marker, color=colour, markersize=6)
        zero_line(ax)
        ax.set_title(f"{readable(expert)}\nless {readable(reference)}", fontsize=8)
    return figure


def plot_genes(genes: pd.DataFrame, folds: pd.DataFrame, *, label: str, n_named: int = 2) -> Figure:
    """Draw the correlation of every gene, the best of them named, and the mean with its interval; a panel a fold.

    Parameters
    ----------
    genes
        expert, fold, gene, r.
    folds
        expert, fold, r (mean over genes), low, high.
    label
        Of the axes.
    n_named
        Genes named in each row.
    """
    names, experts = (list(dict.fromkeys(folds[name])) for name in ("fold", "expert"))
    figure, axes = _rows(len(names), experts, {}, columns=len(names), x_label=label, width=3.4)
    for ax, fold in zip(axes, names, strict=True):
        for height, expert in enumerate(experts):
            own = genes[(genes["expert"] == expert) & (genes["fold"] == fold)].sort_values("r", ascending=False)
            mean = folds[(folds["expert"] == expert) & (folds["fold"] == fold)].iloc[0]
            ax.plot(own["r"], np.full(len(own), height), "|", color=GREY, markersize=8, alpha=0.6)
            ax.hlines(height, mean["low"], mean["high"], color=ORANGE, linewidth=3)
            ax.plot(mean["r"], height, "o", color=ORANGE, markersize=6)
            best = own.head(n_named)
            ax.annotate(", ".join(best["gene"]), (best["r"].iloc[0], height), xytext=(0, 6), fontsize=6.5, color=INK,
                        textcoords="offset points", ha="right")  # fmt: skip
        zero_line(ax)
        ax.set_title(f"held out: {fold}", fontsize=9)
    return figure


def plot_leakage(leakage: pd.DataFrame) -> Figure:
    """Draw how well the section is read from each expert within each donor: 0 at chance, 1 always read.

    Parameters
    ----------
    leakage
        expert, reads, donor, value, low, high, chance.
    """
    experts, donors = (list(dict.fromkeys(leakage[name])) for name in ("expert", "donor"))
    reads = dict(zip(leakage["expert"], leakage["reads"], strict=True))
    label = "balanced accuracy above chance, as a share of what is possible (95 %)"
    figure, axes = _rows(1, experts, reads, columns=1, x_label=label, width=7.0)
    ax = axes[0]
    for number, donor in enumerate(donors):
        rows = leakage[leakage["donor"] == donor].set_index("expert").reindex(experts)
        share = (rows[["value", "low", "high"]].sub(rows["chance"], axis=0)).div(1 - rows["chance"], axis=0)
        height = np.arange(len(experts)) + (number - (len(donors) - 1) / 2) * 0.26
        colour, marker = DONOR_COLOURS[number % 4], DONOR_MARKERS[number % 4]
        ax.hlines(height, share["low"], share["high"], color=colour, linewidth=1.6)
        ax.plot(share["value"], height, marker, color=colour, markersize=5)
        row, up = (0, 7) if number == 0 else (-1, -7)  # named above the first row, the others below the last
        place, words = (
            (share["value"].iloc[row], height[row]),
            f"donor {donor} ({rows['n_sections'].iloc[0]:.0f} sections)",
        )
        ax.annotate(words, place, xytext=(0, up), textcoords="offset points", ha="center",
                    va="bottom" if up > 0 else "top", fontsize=8, color=colour)  # fmt: skip
    zero_line(ax, label="chance")
    ax.set(xlim=(min(-0.05, ax.get_xlim()[0]), 1.0), ylim=(len(experts) - 0.1, -0.9))
    return figure


def plot_agreement(agreement: pd.DataFrame, *, chance: float, label: str) -> Figure:
    """Draw how far each pair of experts agrees, in multiples of chance, written into its square.

    Parameters
    ----------
    agreement
        (expert, expert), symmetric.
    chance
        Agreement of unrelated embeddings.
    label
        Of the colour bar.
    """
    names, times = [readable(str(name)) for name in agreement], agreement.to_numpy() / chance
    size = 0.55 * len(names)
    figure, ax = plt.subplots(figsize=(size + 2.6, size + 1.2), layout="constrained")
    upper = np.triu(np.ones_like(times, dtype=bool))
    above = np.vectorize(lambda ratio: f"{ratio:.2g}×")(times)
    sns.heatmap(
        times[1:, :-1],
        ax=ax,
        mask=upper[1:, :-1],
        annot=above[1:, :-1],
        fmt="",
        vmin=1.0,
        cmap="viridis",
        square=True,
        annot_kws={"fontsize": 8},
        xticklabels=names[:-1],
        yticklabels=names[1:],
        cbar_kws={"label": label, "shrink": 0.7},
    )
    ax.tick_params(length=0)
    return figure


def _rows(
    n: int, names: Sequence[str], reads: Mapping[str, str], *, columns: int, x_label: str, width: float = 2.6
) -> tuple[Figure, list[Axes]]:
    """Return panels with one named row each, the names in the colour of what is read."""
    height = 0.27 * len(names) + 0.9
    figure, axes = panels(n, width=width, height=height, most=columns, x_label="", y_label="")
    figure.supxlabel(x_label, fontsize=10)
    for number, ax in enumerate(axes):
        ax.set(ylim=(len(names) - 0.4, -0.6))
        ax.set_yticks(
            range(len(names)), [readable(name) for name in names] if number % columns == 0 else [""] * len(names)
        )
        for tick, name in zip(ax.get_yticklabels(), names, strict=True):
            tick.set_color(READS_COLOURS.get(reads.get(name, ""), INK))
    return figure, axes
