"""A field of simulated tissue: picture, compartments, genes in space, transcripts on cells."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from beyond_alignment.datasets.simulated_histology.field import SimulatedField
from beyond_alignment.errors import InputError
from beyond_alignment.plotting.maps import CLASS_COLOURS
from beyond_alignment.plotting.style import INK, SKY, YELLOW

_GENE_COLOURS = (SKY, YELLOW)
_BIN_UM = 25.0


def plot_simulated_field(
    field: SimulatedField,
    *,
    genes: Sequence[str] | None = None,
    zoom_um: float = 120.0,
    zoom_at: tuple[float, float] | None = None,
) -> Figure:
    """Draw a simulated field: its picture, its compartments, where two genes are, and their transcripts on cells.

    Parameters
    ----------
    field
        As ``simulate_field`` returns it.
    genes
        Two of its genes; without them the core and the add-on gene with most transcripts.
    zoom_um
        Side of the window that is drawn large, microns.
    zoom_at
        x and y of its centre in microns; without them the middle of the field.

    Raises
    ------
    InputError
        If there are not two genes of the field, or the window is not a part of it.
    """
    picture = field.on_image
    size = picture.image.shape[0] * picture.microns_per_pixel
    shown = _most_seen(field) if genes is None else tuple(genes)
    known = {*field.core_genes, *field.addon_genes}
    if len(shown) != 2 or not known.issuperset(shown):
        msg = f"The genes to draw are {', '.join(map(str, shown)) or '(none)'}: give two of core_genes and addon_genes."
        raise InputError(msg)
    x, y = zoom_at or (size / 2.0, size / 2.0)
    if not (0.0 < zoom_um <= size and 0.0 <= x <= size and 0.0 <= y <= size):
        msg = f"A window of {zoom_um:g} um at ({x:g}, {y:g}) is asked for: give one in the field of {size:g} um."
        raise InputError(msg)
    corner = [float(np.clip(centre - zoom_um / 2.0, 0.0, size - zoom_um)) for centre in (x, y)]
    figure = plt.figure(figsize=(11.4, 8.0), layout="constrained")
    axes = figure.subplots(2, 3)
    _picture(axes[0, 0], field, size)
    axes[0, 0].add_patch(Rectangle((corner[0], corner[1]), zoom_um, zoom_um, fill=False, edgecolor=INK, linewidth=1.6))
    axes[0, 0].set_title("simulated H&E")
    _niches(axes[0, 1], field, size)
    for ax, gene in zip(axes[1], shown, strict=False):
        _density(ax, field, gene, size)
    for ax, title in ((axes[0, 2], "simulated H&E, window"), (axes[1, 2], "simulated transcripts on cells")):
        _picture(ax, field, size)
        ax.set(xlim=(corner[0], corner[0] + zoom_um), ylim=(corner[1] + zoom_um, corner[1]), title=title)
    _on_cells(axes[1, 2], field, shown, corner, zoom_um)
    for ax in axes.flat:
        ax.set(xlabel="µm" if ax in axes[1] else "", ylabel="µm" if ax in axes[:, 0] else "", aspect="equal")
    figure.suptitle(f"{field.name}: {len(field.cells)} cells, {len(picture.transcripts)} transcripts", fontsize=11)
    return figure


def _most_seen(field: SimulatedField) -> tuple[str, str]:
    """Return the core and the add-on gene with most transcripts."""
    seen = field.on_image.transcripts["gene"].value_counts()
    return str(seen[list(field.core_genes)].idxmax()), str(seen[list(field.addon_genes)].idxmax())


def _picture(ax: Axes, field: SimulatedField, size: float) -> None:
    """Draw the picture in microns; a window is cut out by the limits of the axes."""
    ax.imshow(np.asarray(field.on_image.image), extent=(0.0, size, size, 0.0), interpolation="antialiased")


def _niches(ax: Axes, field: SimulatedField, size: float) -> None:
    """Draw every cell in the colour of its compartment."""
    area = 1.6e5 / size**2 * 60.0
    for name, colour in zip(field.cells["niche"].cat.categories, CLASS_COLOURS, strict=False):
        cells = field.cells[field.cells["niche"] == name]
        ax.scatter(cells["x_um"], cells["y_um"], s=area, color=colour, linewidths=0, label=f"{name} ({len(cells)})")
    ax.set(xlim=(0.0, size), ylim=(size, 0.0), title="simulated cells by compartment")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.06), ncols=2, markerscale=(30.0 / area) ** 0.5)


def _density(ax: Axes, field: SimulatedField, gene: str, size: float) -> None:
    """Draw the transcripts of a gene in bins."""
    places = _places(field, gene)
    edges = np.linspace(0.0, size, max(4, round(size / _BIN_UM)) + 1)
    counts, _, _ = np.histogram2d(places[:, 1], places[:, 0], bins=(edges, edges))
    image = ax.imshow(counts, extent=(0.0, size, size, 0.0), cmap="viridis", vmax=max(1.0, np.quantile(counts, 0.995)))
    figure = ax.get_figure(root=True)
    assert figure is not None
    side = edges[1]
    figure.colorbar(image, ax=ax, shrink=0.75, label=f"transcripts in {side:.0f} × {side:.0f} µm")
    ax.set_title(gene)


def _on_cells(ax: Axes, field: SimulatedField, genes: Sequence[str], corner: Sequence[float], zoom_um: float) -> None:
    """Draw the transcripts of genes that lie in the window."""
    for gene, colour in zip(genes, _GENE_COLOURS, strict=True):
        places = _places(field, gene)
        inside = ((places >= corner) & (places < np.add(corner, zoom_um))).all(axis=1)
        label = f"{gene} ({inside.sum()})"
        x, y = places[inside].T
        ax.scatter(x, y, s=16, color=colour, edgecolors=INK, linewidths=0.5, label=label)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=1)


def _places(field: SimulatedField, gene: str) -> NDArray[np.float64]:
    """Return x and y of the transcripts of a gene in microns (transcript, 2)."""
    table = field.on_image.transcripts
    return table.loc[table["gene"] == gene, ["x", "y"]].to_numpy() * field.on_image.microns_per_pixel
