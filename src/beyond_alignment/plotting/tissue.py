"""Pictures that show whether spots, scale and patches sit right on the tissue."""

from collections.abc import Mapping, Sequence

import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from beyond_alignment import keys
from beyond_alignment.datasets.images import read_image
from beyond_alignment.errors import InputError

_LINE = "#00c2a8"
_MANY = 1000
PHOTO_DPI = 78  # photographs are large files
MOST_PX = 420  # of a panel of a row
_READABLE = [patheffects.withStroke(linewidth=2.5, foreground="white")]


def plot_overlay(
    adata: ad.AnnData,
    section: str,
    image: NDArray[np.uint8],
    *,
    ax: Axes | None = None,
    max_px: int = 1200,
    window_um: float | None = None,
) -> Figure:
    """Draw the spots of a section, in their true diameter, on its H&E image.

    Parameters
    ----------
    adata
        Reads ``obs["section"]``, ``obsm["spatial"]`` and ``uns["spatial"][section]["scalefactors"]``.
    section
        Name of the section.
    image
        uint8 (height, width, channel) image of the section; it is drawn reduced.
    ax
        Axes to draw in; a new figure without them.
    max_px
        Longer side of the reduced image in pixels.
    window_um
        Width of a square window around the middlemost spot in microns; the whole image without it.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, axes in full-resolution pixels; the bar is 1 mm where more than 4 mm are shown, 500 um, or 200 um
        where less than 1.5 mm are.

    Raises
    ------
    InputError
        If the section has no spot in ``adata``.
    """
    rows = (adata.obs[keys.SECTION] == section).to_numpy()
    if not rows.any():
        msg = f"There is no spot of section {section!r} in the data: choose one that was loaded."
        raise InputError(msg)
    scales = adata.uns[keys.SPATIAL][section]["scalefactors"]
    pitch, factor = float(scales[keys.MICRONS_PER_PIXEL]), float(scales[keys.IMAGE_SCALE])
    centres = adata.obsm[keys.SPATIAL][rows]
    left, top, right, bottom = _window(
        centres * factor, image, None if window_um is None else window_um / pitch * factor
    )
    height, width = bottom - top, right - left
    picture = Image.fromarray(np.ascontiguousarray(image[top:bottom, left:right]))
    # Reduced by whole factors first: a slide is drawn in a fraction of a second.
    picture.thumbnail((max_px, max_px), Image.Resampling.BILINEAR, reducing_gap=2.0)
    if ax is None:
        ax = Figure(figsize=(6.0, 6.0 * height / width), layout="constrained").add_subplot()
    limits = (left / factor, right / factor, bottom / factor, top / factor)
    ax.imshow(np.asarray(picture), extent=limits)
    diameters = np.full(int(rows.sum()), float(scales[keys.SPOT_DIAMETER]))
    circles = EllipseCollection(
        diameters,
        diameters,
        np.zeros_like(diameters),
        units="xy",
        offsets=centres,
        offset_transform=ax.transData,
        facecolors="none",
        edgecolors=_LINE,
        linewidths=0.4 if window_um is None and len(centres) < _MANY else 0.1 if window_um is None else 1.5,
    )
    ax.add_collection(circles)
    _scale_bar(ax, limits, pitch)
    title = f"{section}: {rows.sum()} spots\nimage {pitch / factor:.2f} um/px"
    ax.set_title(title if window_um is None else f"{section}, {window_um:g} um", fontsize=9)
    ax.set(xlim=limits[:2], ylim=limits[2:])
    ax.set_axis_off()
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def plot_sections(found: Sequence[tuple[ad.AnnData, str]], *, window_um: float = 1000.0) -> Figure:
    """Draw sections with their spots side by side, a window of each below it.

    Parameters
    ----------
    found
        Data and the name of one of their sections; the image of the section has to be at hand.
    window_um
        Width of the window, microns.
    """
    figure = plt.figure(figsize=(2.5 * len(found), 5.2), layout="constrained", dpi=PHOTO_DPI)
    axes = figure.subplots(2, len(found), squeeze=False)
    for column, (adata, section) in zip(axes.T, found, strict=True):
        image = read_image(adata, section)
        plot_overlay(adata, section, image, ax=column[0], max_px=MOST_PX)
        plot_overlay(adata, section, image, ax=column[1], max_px=MOST_PX, window_um=window_um)
    return figure


def plot_patches(patches_by_section: Mapping[str, Mapping[float, NDArray[np.uint8]]], *, n: int = 4) -> Figure:
    """Draw patches of the same spots at several fields of view, a block a section and a row a field of view.

    Parameters
    ----------
    patches_by_section
        Section -> field of view in microns -> uint8 (spot, height, width, channel), the same spots in each.
    n
        Number of spots of a section, taken evenly over all; no more than there are.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, with a bar of a quarter of the field of view in the first patch of each row.

    Raises
    ------
    InputError
        If there is no patch, or the fields of view hold different numbers of spots.
    """
    chosen = {section: _some(patches, n) for section, patches in patches_by_section.items()}
    rows = max(map(len, patches_by_section.values()))
    width = sum(1.3 * len(spots) + 0.3 for spots in chosen.values())
    figure = plt.figure(figsize=(width, 1.3 * rows + 0.3), layout="constrained", dpi=PHOTO_DPI)
    blocks = figure.subfigures(1, len(chosen), squeeze=False)[0]
    for block, (section, spots) in zip(blocks, chosen.items(), strict=True):
        axes = block.subplots(rows, len(spots), squeeze=False)
        block.suptitle(f"Section {section}", fontsize=11, fontweight="bold")
        for row, (field, patches) in zip(axes, patches_by_section[section].items(), strict=True):
            _patch_row(row, patches[spots], field)
    return figure


def _some(patches_by_field_of_view: Mapping[float, NDArray[np.uint8]], n: int) -> NDArray[np.intp]:
    """Choose the spots to draw."""
    counts = {len(patches) for patches in patches_by_field_of_view.values()}
    if len(counts) != 1 or counts == {0} or n < 1:
        msg = f"Patches of {sorted(counts)} spots, {n} to draw: give the patches of the same spots, at least one."
        raise InputError(msg)
    (count,) = counts
    return np.unique(np.linspace(0, count - 1, min(n, count) + 2)[1:-1].round().astype(int))


def _patch_row(axes: NDArray, patches: NDArray[np.uint8], field: float) -> None:
    """Draw the patches of one field of view, with a bar in the first."""
    for ax, patch in zip(axes, patches, strict=True):
        ax.imshow(patch, extent=(0.0, field, field, 0.0))
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    axes[0].set_ylabel(f"{field:g} um", fontsize=9)
    bar = ([0.06 * field, 0.31 * field], [0.93 * field] * 2)
    axes[0].plot(*bar, color="black", linewidth=2, path_effects=_READABLE)
    place = (0.185 * field, 0.9 * field)
    axes[0].text(*place, f"{field / 4:g}", ha="center", va="bottom", fontsize=7, path_effects=_READABLE)


def _window(centres: NDArray[np.float64], image: NDArray[np.uint8], side: float | None) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what is shown, in pixels of the image."""
    height, width = image.shape[:2]
    if side is None:
        return 0, 0, width, height
    distance = np.linalg.norm(centres - np.median(centres, axis=0), axis=1)
    x, y = centres[distance.argmin()]
    corners = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    left, top, right, bottom = (round(float(corner)) for corner in corners)
    return max(left, 0), max(top, 0), min(right, width), min(bottom, height)


def _scale_bar(ax: Axes, limits: tuple[float, float, float, float], microns_per_pixel: float) -> None:
    """Draw a labelled bar at the bottom left of (left, right, bottom, top)."""
    left, right, bottom, top = limits
    width, height = right - left, bottom - top
    shown = width * microns_per_pixel
    microns, label = (1000.0, "1 mm") if shown > 4000.0 else (500.0, "500 um") if shown > 1500.0 else (200.0, "200 um")
    start, level = left + 0.04 * width, top + 0.95 * height
    length = microns / microns_per_pixel
    ax.plot([start, start + length], [level, level], color="black", linewidth=3, path_effects=_READABLE)
    place = (start + length / 2.0, level - 0.012 * height)
    ax.text(*place, label, ha="center", va="bottom", fontsize=9, path_effects=_READABLE)
