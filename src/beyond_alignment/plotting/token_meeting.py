"""Figure of how fine the two modalities have to meet for an exclusive or to be read."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from beyond_alignment.benchmark.leads import mean_interval
from beyond_alignment.plotting.style import BLUE, GREEN, GREY, INK
from beyond_alignment.tokens.drawn_nuclei import BOTH, IN_PATCH, IN_TILE

_READERS = {
    IN_PATCH: ("met in each patch", GREEN, "D"),
    IN_TILE: ("met in the tile", BLUE, "o"),
    BOTH: ("side by side", GREY, "x"),
}


def plot_meeting(scores: pd.DataFrame, *, tile_um: float, patch_um: float) -> Figure:
    """Draw Spearman of perfect readers over the distance between changes of the pair: means, 95 % intervals over folds.

    Parameters
    ----------
    scores
        From :func:`beyond_alignment.tokens.score_perfect_readers`, with a column co_location_um.
    tile_um, patch_um
        Widths, microns; drawn as lines.
    """
    figure = plt.figure(figsize=(6.4, 3.8), layout="constrained")
    ax = figure.subplots()
    for number, (reader, (label, colour, marker)) in enumerate(_READERS.items()):
        folds = scores[scores["arm"] == reader].groupby(["co_location_um", "fold"])["spearman"].mean().unstack("fold")
        found = [mean_interval(row) for _, row in folds.iterrows()]
        mean, low, high = (list(values) for values in zip(*found, strict=True))
        x = folds.index.to_numpy() * 1.03 ** (number - 1)  # side by side, so that intervals can be told apart
        ax.vlines(x, low, high, color=colour, linewidth=1.4)
        ax.plot(x, mean, marker + "-", color=colour, markersize=6)
        ax.annotate(label, (x[-1], mean[-1]), xytext=(8, 0), textcoords="offset points", color=colour, va="center")
    for width, name in ((patch_um, "patch"), (tile_um, "tile")):
        ax.axvline(width, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
        ax.text(width, 1.0, f" {name}", transform=ax.get_xaxis_transform(), va="top", fontsize=9, color=INK)
    ax.set(xscale="log", xlabel="distance between changes of the pair, µm", ylabel="Spearman, mean over genes")
    ax.set_xticks(sorted(scores["co_location_um"].unique()))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(right=ax.get_xlim()[1] * 1.9)
    return figure
