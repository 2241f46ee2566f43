"""Labels and transcripts where they lie in the tissue."""

from collections.abc import Sequence

import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from beyond_alignment import keys
from beyond_alignment.errors import InputError
from beyond_alignment.plotting.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, YELLOW, readable

CLASS_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW)
UNLABELLED = "#dddddd"


def plot_labels(adata: ad.AnnData, task: str, *, sections: Sequence[str]) -> Figure:
    """Draw the labels of a task on the tissue, a panel a section, spots in their true place and diameter.

    Parameters
    ----------
    adata
        Reads ``obs["task_<task>"]``, ``uns["task_<task>"]["made_from"]``, ``obs["section"]``, ``obsm["spatial"]`` and
        ``uns["spatial"]``.
    task
        Name of the task.
    sections
        Panels, in order.

    Raises
    ------
    InputError
        If there is no such label, it has more than six classes, or a section has no spot.
    """
    column = keys.task(task)
    if column not in adata.obs:
        msg = f"There is no label obs[{column!r}] in the data: choose a task that the release carries."
        raise InputError(msg)
    classes = sorted(adata.obs[column].dropna().astype(str).unique())
    if len(classes) > len(CLASS_COLOURS):
        msg = f"Task {task} has {len(classes)} classes: at most {len(CLASS_COLOURS)} can be told apart by colour."
        raise InputError(msg)
    colours = dict(zip(classes, CLASS_COLOURS, strict=False))
    figure, axes = plt.subplots(
        1,
        len(sections),
        figsize=(max(4.6, 3.4 * len(sections)), 4.0),
        layout="constrained",
        squeeze=False,
        sharex=True,
        sharey=True,
    )
    sizes = [_label_panel(ax, adata, s, column, colours) for ax, s in zip(axes[0], sections, strict=True)]
    width, height = np.max(sizes, axis=0)
    axes[0, 0].set(xlim=(-0.2, width + 0.2), ylim=(height + 0.2, -0.2), ylabel="mm")
    handles = [Line2D([], [], marker="o", linestyle="", color=colours[name], label=name) for name in classes]
    if adata.obs.loc[adata.obs[keys.SECTION].isin(list(sections)), column].isna().any():
        handles.append(Line2D([], [], marker="o", linestyle="", color=UNLABELLED, label="no label"))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)))
    made_from = adata.uns[column]["made_from"]
    figure.suptitle(f"{readable(task)}, made from: {made_from}", fontsize=11, fontweight="bold")
    return figure


def _label_panel(
    ax: Axes, adata: ad.AnnData, section: str, column: str, colours: dict[str, str]
) -> tuple[float, float]:
    """Draw one section in millimetres and return its width and height."""
    rows = (adata.obs[keys.SECTION] == section).to_numpy()
    if not rows.any():
        msg = f"There is no spot of section {section!r} in the data: choose one that it holds."
        raise InputError(msg)
    factors = adata.uns[keys.SPATIAL][section]["scalefactors"]
    scale = float(factors[keys.MICRONS_PER_PIXEL]) / 1000.0
    place = adata.obsm[keys.SPATIAL][rows] * scale
    place = place - place.min(axis=0)
    diameter = np.full(len(place), float(factors[keys.SPOT_DIAMETER]) * scale)
    shown = adata.obs.loc[rows, column].astype(object).map(colours).fillna(UNLABELLED).tolist()
    spots = EllipseCollection(
        diameter,
        diameter,
        np.zeros(len(place)),
        units="xy",
        offsets=place,
        offset_transform=ax.transData,
        facecolors=shown,
        linewidths=0,
    )
    ax.add_collection(spots)
    ax.set(title=section, xlabel="mm", aspect="equal")
    return float(place[:, 0].max()), float(place[:, 1].max())


def plot_transcripts(
    image: NDArray[np.uint8], transcripts: pd.DataFrame, *, genes: Sequence[str], microns_per_pixel: float
) -> Figure:
    """Draw H&E alone and with the transcripts of some genes on it.

    Parameters
    ----------
    image
        uint8 (height, width, channel).
    transcripts
        Columns gene, x, y; x and y in pixels of the image.
    genes
        At most six, each in a colour of its own.
    microns_per_pixel
        Of the image.

    Raises
    ------
    InputError
        If more than six genes are asked for, or one has no transcript.
    """
    if absent := [gene for gene in genes if gene not in set(transcripts["gene"])]:
        msg = f"There is no transcript of {', '.join(absent)}: choose genes of the panel."
        raise InputError(msg)
    if not 1 <= len(genes) <= len(CLASS_COLOURS):
        msg = f"{len(genes)} genes were asked for: choose 1 to {len(CLASS_COLOURS)}."
        raise InputError(msg)
    height, width = (size * microns_per_pixel for size in image.shape[:2])
    figure, axes = plt.subplots(1, 2, figsize=(9.0, 4.4), dpi=75, layout="constrained", sharex=True, sharey=True)
    for ax, title in zip(axes, ("H&E", "H&E and transcripts"), strict=True):
        ax.imshow(image, extent=(0.0, width, height, 0.0))
        ax.set(title=title, xlabel="µm")
    axes[0].set_ylabel("µm")
    for gene, colour in zip(genes, CLASS_COLOURS, strict=False):
        rows = transcripts[transcripts["gene"] == gene]
        place = rows[["x", "y"]].to_numpy() * microns_per_pixel
        axes[1].scatter(*place.T, s=5, color=colour, linewidths=0.2, edgecolors="white", label=f"{gene} ({len(rows)})")
    axes[1].set(xlim=(0.0, width), ylim=(height, 0.0))
    handles, names = axes[1].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(genes), markerscale=2.5)
    return figure


def group_colours(groups: Sequence[str]) -> dict[str, str]:
    """Return a colour for each group, in their order; grey beyond six."""
    names = list(dict.fromkeys(groups))
    return {name: CLASS_COLOURS[i] if i < len(CLASS_COLOURS) else GREY for i, name in enumerate(names)}
