"""Figures of tiles: transcripts and genes, source and target genes, maps and calibration of predictions."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from beyond_alignment.correlations import cross_correlations
from beyond_alignment.errors import InputError
from beyond_alignment.plotting.style import BLUE, GREEN, INK, ORANGE, PURPLE, SKY, YELLOW
from beyond_alignment.tokens.tiles import Tiles

_GROUP_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW)


def plot_example_tiles(tiles: Tiles, *, n: int = 4, seed: int = 0) -> Figure:
    """Draw tiles of each group as the network sees them, with the patch grid and the core transcripts of each patch.

    Parameters
    ----------
    tiles
        The data set.
    n
        Columns; groups in turn.
    seed
        Of the draw.
    """
    rng, names = np.random.default_rng(seed), np.unique(tiles.group)
    chosen = [rng.choice(np.flatnonzero(tiles.group == names[i % len(names)])) for i in range(n)]
    figure = plt.figure(figsize=(2.5 * n, 5.2), layout="constrained")
    axes = figure.subplots(2, n, squeeze=False)
    counts = [
        np.asarray(tiles.core[i * tiles.n_patches : (i + 1) * tiles.n_patches].sum(axis=1)).reshape(tiles.grid, -1)
        for i in chosen
    ]
    most, side = max(values.max() for values in counts), tiles.tile_um
    image = None
    for column, (row, values) in enumerate(zip(chosen, counts, strict=True)):
        axes[0, column].imshow(tiles.pixels[row], extent=(0, side, side, 0))
        image = axes[1, column].imshow(values, extent=(0, side, side, 0), cmap="viridis", vmin=0, vmax=most)
        axes[0, column].set_title(str(tiles.group[row]))
        for ax in axes[:, column]:
            ax.set(xticks=[0, side], yticks=[0, side])
        for edge in np.linspace(0, side, tiles.grid + 1)[1:-1]:
            axes[0, column].axhline(edge, color="white", linewidth=0.6)
            axes[0, column].axvline(edge, color="white", linewidth=0.6)
    axes[0, 0].set_ylabel("µm")
    axes[1, 0].set(ylabel="µm", xlabel="µm")
    assert image is not None
    figure.colorbar(image, ax=axes[1, :], shrink=0.85, label="core transcripts\na patch")
    return figure


def plot_transcripts_per_tile(tiles: Tiles) -> Figure:
    """Draw how many genes of the panel were seen in a tile over how many transcripts it has, by group.

    Parameters
    ----------
    tiles
        The data set.
    """
    seen = (tiles.core_per_tile() > 0).sum(axis=1) + (tiles.targets > 0).sum(axis=1)
    figure = plt.figure(figsize=(5.6, 3.4), layout="constrained")
    ax = figure.subplots()
    for number, name in enumerate(np.unique(tiles.group)):
        rows = tiles.group == name
        colour = _GROUP_COLOURS[number % len(_GROUP_COLOURS)]
        ax.scatter(tiles.n_transcripts[rows], seen[rows], s=8, alpha=0.5, color=colour, linewidths=0, label=name)
    panel = len(tiles.core_genes) + len(tiles.addon_genes)
    ax.set(xlabel="transcripts in the tile", ylabel=f"genes seen, of {panel}", xscale="log")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.legend(markerscale=2, loc="lower right")
    return figure


def plot_gene_correlations(tiles: Tiles, *, rows: NDArray[np.intp] | None = None) -> Figure:
    """Draw the Pearson correlation over tiles of every add-on gene with every core gene, log1p counts in tiles.

    Genes are ordered by the first singular vectors of the matrix.

    Parameters
    ----------
    tiles
        The data set.
    rows
        Tiles that count; all when None.
    """
    chosen = tiles.positions(rows)
    core, addon = np.log1p(tiles.core_per_tile()[chosen]), tiles.targets[chosen]
    correlation = cross_correlations(addon, core)  # (add-on gene, core gene)
    left, _, right = np.linalg.svd(correlation, full_matrices=False)
    ordered = correlation[np.argsort(left[:, 0])][:, np.argsort(right[0])]
    figure = plt.figure(figsize=(7.0, 3.8), layout="constrained")
    ax = figure.subplots()
    image = ax.imshow(ordered, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
    ax.set(xlabel=f"{core.shape[1]} core genes", ylabel=f"{addon.shape[1]} add-on genes", xticks=[], yticks=[])
    figure.colorbar(image, ax=ax, label="Pearson r over tiles")
    return figure


def plot_gene_maps(tiles: Tiles, predictions: NDArray[np.floating], genes: Mapping[str, str], *, group: str) -> Figure:
    """Draw measured and predicted log1p counts of some genes over the field of one group.

    Parameters
    ----------
    tiles
        The data set.
    predictions
        log1p counts (tile, gene).
    genes
        What to call each gene, by its name.
    group
        One field's group.

    Raises
    ------
    InputError
        There is no such group.
    """
    rows = np.flatnonzero(tiles.group == group)
    if not len(rows):
        raise InputError(f"There is no group {group!r}: choose among {', '.join(np.unique(tiles.group))}.")
    figure = plt.figure(figsize=(3.2 * len(genes), 5.6), layout="constrained")
    axes = figure.subplots(2, len(genes), squeeze=False)
    for column, (gene, words) in enumerate(genes.items()):
        place = tiles.addon_genes.index(gene)
        values = tiles.targets[rows, place], predictions[rows, place]
        low, high = min(map(np.min, values)), max(map(np.max, values))
        for ax, shown in zip(axes[:, column], values, strict=True):
            points = _map(ax, tiles.centre_um[rows], shown, (low, high))
        axes[0, column].set_title(f"{words}\n{gene.removeprefix('simulated_')}")
        figure.colorbar(points, ax=axes[:, column], shrink=0.7, location="bottom", label="log1p counts in the tile")
    axes[0, 0].set_ylabel("measured")
    axes[1, 0].set_ylabel("predicted")
    return figure


def plot_gene_calibration(truth: NDArray[np.floating], predicted: NDArray[np.floating], *, n_bins: int = 12) -> Figure:
    """Draw measured over predicted values, both less the gene's mean: mean and middle half in bins of equal number.

    Parameters
    ----------
    truth, predicted
        log1p counts (tile, gene) of tiles that were held out.
    n_bins
        Number of bins.
    """
    centre = truth.mean(axis=0)
    x, y = (predicted - centre).ravel(), (truth - centre).ravel()
    parts = np.array_split(np.argsort(x), n_bins)
    figure = plt.figure(figsize=(4.4, 4.0), layout="constrained")
    ax = figure.subplots()
    middle = [x[part].mean() for part in parts]
    low, high = (np.array([np.quantile(y[part], q) for part in parts]) for q in (0.25, 0.75))
    ax.axline((0.0, 0.0), slope=1.0, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    ax.fill_between(middle, low, high, color=GREEN, alpha=0.25, linewidth=0, label="middle half")
    ax.plot(middle, [y[part].mean() for part in parts], "o-", color=GREEN, markersize=4, label="mean")
    ax.set(xlabel="predicted, less the gene's mean", ylabel="measured, less the gene's mean")
    reach = 1.15 * max(np.abs([*middle, *low, *high]))
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.legend(loc="upper left")
    return figure


def _map(
    ax: Axes, centres: NDArray[np.float64], values: NDArray[np.floating], limits: Sequence[float]
) -> PathCollection:
    """Draw values at the centres of tiles."""
    (x, y), (low, high) = centres.T, limits
    size = (150.0 / len(np.unique(x))) ** 2
    points = ax.scatter(x, y, c=values, s=size, marker="s", cmap="viridis", vmin=low, vmax=high, linewidths=0)
    ax.set(aspect="equal", xticks=[], yticks=[])
    ax.invert_yaxis()
    return points
