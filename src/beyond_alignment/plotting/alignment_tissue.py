"""Figures of alignment on real tissue: ceilings by pair of experts, and the terms that alignment keeps."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from beyond_alignment.plotting.scores import task_label
from beyond_alignment.plotting.style import (
    BLUE,
    BROWN,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PARTS,
    TERM_COLOURS,
    TERM_NAMES,
    panels,
    readable,
    zero_line,
)

EXPERT_COLOURS = {"pca": BLUE, "hallmark": ORANGE, "gene_transformer": GREEN, "random_gene_transformer": GREY}
TITLES = {"her2st": "HER2ST", "mob": "MOB", "crc_visium": "CRC"}
LANE, HEADER, NAME_WIDTH = 0.17, 0.32, 0.19
"""Inches of a pair and of the names above the first; width of a name as a share of the panel."""
HEIGHT = 0.36


def plot_tissue_ceilings(table: pd.DataFrame) -> Figure:
    """Draw the ceiling of every pair of experts with its nulls and with what of it holds in units never seen.

    Marks are named in the first row. The thick line is the 95 % interval of the ceiling, the thin one from the permuted
    pairs on is what exceeds them, and the line behind a hollow mark reaches from the smallest to the largest unit.

    Parameters
    ----------
    table
        Of :func:`beyond_alignment.pages.alignment.ceilings.ceiling`; a panel a data set, a row a morphology expert and
        field of view, a colour an expression expert.
    """
    names = list(dict.fromkeys(table["data_set"]))
    readers = list(dict.fromkeys(table["expression"]))
    rows = [list(_rows(table, name)) for name in names]
    inches = [len(found) * (LANE * len(readers) + 0.14) + 0.55 for found in rows]
    inches[0] += HEADER
    figure, axes = plt.subplots(
        len(names), 1, figsize=(7.6, sum(inches) + 0.5), height_ratios=inches, sharex=True, layout="constrained",
        squeeze=False,
    )  # fmt: skip
    for ax, name, found in zip(axes[:, 0], names, rows, strict=True):
        own = table[table["data_set"] == name]
        _ceilings(ax, own, found, readers)
        ax.set_title(f"{TITLES.get(name, readable(name))}: units never seen are {own['unit'].iloc[0]}s")
    first = axes[0, 0]
    first.set_ylim(first.get_ylim()[0], -0.5 - HEADER / (LANE * len(readers) + 0.14))
    _name_marks(first, table.iloc[0], _height(0, 0, len(readers)))
    axes[-1, 0].set_xlabel("sum of squared canonical correlations")
    if len(readers) > 1:
        handles = [Line2D([], [], marker="o", linewidth=2.4, color=_colour(r), label=readable(r)) for r in readers]
        figure.legend(handles=handles, loc="outside upper center", ncols=len(readers), title="expression expert",
                      title_fontsize=9)  # fmt: skip
    return figure


def _height(position: int, number: int, n_readers: int) -> float:
    """Return where a pair is drawn: the row of its morphology expert, the lane of its expression expert."""
    return position + (number - (n_readers - 1) / 2) * 0.8 / n_readers


def _name_marks(ax: Axes, row: pd.Series, y: float) -> None:
    """Write what each mark is above the first pair, apart from each other."""
    names = {"transferred": f"{row['unit']}s never seen", "null": "pairs permuted", "null_spatial": "pairs shifted",
             "ceiling": "ceiling"}  # fmt: skip
    places = sorted((float(row[key]), text) for key, text in names.items())
    left, right = ax.get_xlim()
    apart = NAME_WIDTH * (right - left)
    at = [max(places[0][0], left + apart / 2)]
    for value, _ in places[1:]:
        at.append(max(value, at[-1] + apart))
    last = len(at) - 1
    at = [min(x, right - apart * (last - i + 0.5)) for i, x in enumerate(at)]  # none is cut by the right edge
    top = ax.get_ylim()[1]
    for x, (value, text) in zip(at, places, strict=True):
        ax.annotate(text, (value, y), xytext=(x, top), ha="center", va="top", fontsize=8, color=INK,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
                    arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.7, "shrinkB": 4})  # fmt: skip


def _rows(table: pd.DataFrame, name: str) -> dict[tuple[str, int], None]:
    """Return the morphology experts and fields of view of a data set, in order."""
    own = table[table["data_set"] == name]
    return dict.fromkeys(zip(own["morphology"], own["field_um"], strict=True))


def _ceilings(ax: Axes, own: pd.DataFrame, rows: Sequence[tuple[str, int]], readers: Sequence[str]) -> None:
    """Draw the pairs of one data set."""
    for position, (expert, field) in enumerate(rows):
        here = own[(own["morphology"] == expert) & (own["field_um"] == field)].set_index("expression")
        if position % 2:
            ax.axhspan(position - 0.5, position + 0.5, color="#F4F4F4", linewidth=0, zorder=0)
        for number, reader in enumerate(readers):
            if reader not in here.index:
                continue
            row, colour = here.loc[reader], _colour(reader)
            y = _height(position, number, len(readers))
            ax.hlines(y, row["null"], row["ceiling"], color=colour, linewidth=0.7, alpha=0.6)
            low, high = (row["ceiling"] + row[end] - row["excess"] for end in ("excess_low", "excess_high"))
            ax.hlines(y, low, high, color=colour, linewidth=2.4)
            ax.plot(row["ceiling"], y, "o", color=colour, markersize=4.5)
            ax.plot(row["null"], y, "|", color=colour, markersize=7, markeredgewidth=1.6)
            ax.plot(row["null_spatial"], y, "x", color=colour, markersize=4.5, markeredgewidth=1.4)
            ax.hlines(y, row["transferred_low"], row["transferred_high"], color=colour, linewidth=0.9)
            ax.plot(row["transferred"], y, "D", color=colour, markerfacecolor="white", markersize=4)
    zero_line(ax)
    ax.set_yticks(range(len(rows)), [f"{readable(expert)}, {field} µm" for expert, field in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)


def _colour(reader: str) -> str:
    """Return the colour of an expression expert."""
    return EXPERT_COLOURS.get(reader, BROWN)


def plot_terms_retained(table: pd.DataFrame, *, columns: int = 3) -> Figure:
    """Draw each term before alignment (outlined) and after it (filled), a panel a task, with the share that is kept.

    Parameters
    ----------
    table
        Rows of one number of directions: task, made_from, term, and before, after and kept, each with ``_low`` and
        ``_high``; bits.
    columns
        Panels a row.
    """
    tasks = list(dict.fromkeys(table["task"]))
    origin = dict(zip(table["task"], table["made_from"], strict=True))
    figure, axes = panels(len(tasks), width=3.6, height=2.7, most=columns, x_label="bits", y_label="")
    place = np.arange(len(PARTS))
    for number, (ax, task) in enumerate(zip(axes, tasks, strict=True)):
        rows = table[table["task"] == task].set_index("term")
        top = float(rows.loc[list(PARTS), ["before_high", "after_high"]].to_numpy(dtype=float).max())
        for y, term in zip(place, PARTS, strict=True):
            row, colour = rows.loc[term], TERM_COLOURS[term]
            for side, shift, fill in (("before", -HEIGHT / 2, "white"), ("after", HEIGHT / 2, colour)):
                ax.barh(y + shift, row[side], HEIGHT, facecolor=fill, edgecolor=colour, linewidth=1.2)
                ax.hlines(y + shift, row[f"{side}_low"], row[f"{side}_high"], color=INK, linewidth=1)
            end = float(max(row["before_high"], row["after_high"], row["before"], row["after"]))
            faint = pd.isna(row["kept"])
            ax.annotate(_share(row), (end, y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=7.5,
                        color="#777777" if faint else INK)  # fmt: skip
        ax.set_yticks(place, [TERM_NAMES[term] for term in PARTS] if number % columns == 0 else [""] * len(PARTS))
        ax.set(ylim=(len(PARTS) - 0.45, -0.55), xlim=(0, 1.9 * max(top, 1e-3)))
        ax.set_title(task_label(task, origin[task]), fontsize=9)
    before = Patch(facecolor="white", edgecolor=INK, linewidth=1.2, label="before alignment")
    after = Patch(facecolor=INK, edgecolor=INK, label="after alignment")
    figure.legend(handles=[before, after], loc="outside upper center", ncols=2)
    return figure


def _share(row: pd.Series) -> str:
    """Return the share of a term that is kept with its interval, in words where there is none."""
    if pd.isna(row["kept"]):
        return "too little before"
    return f"kept {row['kept']:.2f} ({row['kept_low']:.2f} to {row['kept_high']:.2f})"
