"""One style for every figure: the same colour for the same method, modality and information term on every page."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe & Ito's palette, which colour-blind readers can tell apart
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, YELLOW, GREY, INK = "#56B4E9", "#E69F00", "#8C8C8C", "#222222"
BROWN = "#7A4A2B"
NULL_GREY, SOFT = "#BDBDBD", "#555555"  # what shuffled labels leave; words beside a mark

METHOD_COLOURS = {
    "expression_only": BLUE,
    "morphology_only": ORANGE,
    "concat": GREEN,
    "late_average": PURPLE,
    "surrogate_expression": "#003F66",
    "surrogate_morphology": "#7A3300",
    "finetuned_expression": "#003F66",
    "finetuned_morphology": "#7A3300",
}
METHOD_MARKERS = {
    "expression_only": "o",
    "morphology_only": "s",
    "concat": "D",
    "late_average": "^",
    "surrogate_expression": "d",
    "surrogate_morphology": "p",
    "finetuned_expression": "8",
    "finetuned_morphology": "h",
}
LIGHT_GREEN, DARK_GREEN = "#8FD6BE", "#00664B"  # the two parts of GREEN: apart in lightness, so also in grey
TERM_COLOURS = {
    "redundancy": GREY,
    "unique1": BLUE,
    "unique2": ORANGE,
    "synergy": GREEN,
    "synergy_additive": LIGHT_GREEN,
    "synergy_interaction": DARK_GREEN,
}
TERM_NAMES = {
    "redundancy": "redundancy R",
    "unique1": "unique U1",
    "unique2": "unique U2",
    "synergy": "synergy S",
    "synergy_additive": "synergy, additive",
    "synergy_interaction": "synergy, interaction",
}
METRIC_NAMES = {"macro_f1": "macro-F1", "r2": "R²", "pearson": "Pearson r", "bits": "bits"}
PARTS = ("redundancy", "unique1", "unique2", "synergy_additive", "synergy_interaction")
ESTIMATOR_COLOURS = {"posterior": BLUE, "cvx": ORANGE, "batch": PURPLE, "gaussian": GREY}
ESTIMATOR_MARKERS = {"posterior": "o", "cvx": "s", "batch": "^", "gaussian": "D"}


def use_style() -> None:
    """Set seaborn's ticks style with this project's sizes; figures keep a white ground in light and dark pages."""
    sns.set_theme(context="notebook", style="ticks", palette=[BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW])
    mpl.rcParams.update(
        {
            "figure.dpi": 110,
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 11,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.labelsize": 10,
            "xtick.labelsize": 9,
            "ytick.labelsize": 9,
            "legend.frameon": False,
            "legend.fontsize": 9,
            "svg.hashsalt": "beyond-alignment",
        }
    )


def readable(name: str) -> str:
    """Return a task's or method's name as words."""
    return name.replace("_", " ")


def zero_line(ax: Axes, *, value: float = 0.0, label: str = "", horizontal: bool = False) -> None:
    """Draw the line of no effect, or of chance, with its label beside it."""
    draw = ax.axhline if horizontal else ax.axvline
    draw(value, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    if label and horizontal:
        ax.annotate(
            label, (1, value), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8, color=INK
        )
    elif label:
        ax.annotate(
            label, (value, 1), xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=8, color=INK
        )


def panels(
    n: int, *, width: float = 3.1, height: float = 2.7, most: int = 3, x_label: str, y_label: str
) -> tuple[Figure, list[Axes]]:
    """Return a figure of ``n`` panels, labelled at its outer axes only.

    Parameters
    ----------
    n
        Number of panels.
    width
        Of a panel, inches.
    height
        Of a panel, inches.
    most
        Panels a row.
    x_label
        Below the lowest panel of each column.
    y_label
        Left of the first column.
    """
    columns = min(most, n)
    rows = -(-n // columns)
    size = (width * columns, height * rows)
    figure, grid = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    axes = list(grid.flat)
    for spare in axes[n:]:
        spare.set_axis_off()
    for number, ax in enumerate(axes[:n]):
        if number + columns >= n:
            ax.set_xlabel(x_label)
        if number % columns == 0:
            ax.set_ylabel(y_label)
    return figure, axes[:n]


def legend_above(figure: Figure, ax: Axes, *, columns: int) -> None:
    """Put the legend of one panel above all of them."""
    handles, names = ax.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=columns)


def new_axes(*, width: float = 7.0, height: float = 4.0) -> Axes:
    """Return the axes of a new figure, in inches."""
    _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    return ax


def figure_of(ax: Axes) -> Figure:
    """Return the figure that axes are drawn on."""
    figure = ax.get_figure()
    assert isinstance(figure, Figure)
    return figure
