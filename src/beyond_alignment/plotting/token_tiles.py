"""Figures of tiles: transcripts and genes, source and target genes, maps and calibration of predictions."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from beyond_alignment.tokens.tiles import Tiles


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
