"""Figures of fitted learning curves with their crossovers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from beyond_alignment.benchmark.crossover import Crossover, Outcome
from beyond_alignment.benchmark.curve_fit import CurveFit
from beyond_alignment.benchmark.curve_grid import CONTESTANTS
from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.plotting.methods import family_of, method_colour, method_label, method_marker
from beyond_alignment.plotting.scores import with_origin
from beyond_alignment.plotting.style import GREY, INK, METHOD_COLOURS, panels, readable

Scale = Literal["score", "gap"]
DARKER = (0.0, 0.3, 0.52, 0.75)
MORE_MARKERS = ("P", "X", "d", "h", "p", "<", ">")
POINTS = 121
STEP = 0.075
"""Height of a crossover in its panel."""
LEAST_GAP = 1e-3
"""Least score missing to an asymptote that is drawn: a steep fit goes on for many decades below."""


def method_styles(methods: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return the colour and marker of each method, the same whichever others stand beside it.

    Methods that share a family's colour differ in shade and shape, by their place in the family: contestants of the
    curves come first, so that the shades of one figure are all different.
    """
    return {method: _style(method) for method in methods}


def contestants_first(methods: Iterable[str]) -> list[str]:
    """Return methods without repeats, those whose curves are drawn in front and in their order."""
    given = dict.fromkeys(methods)
    return [name for name in dict.fromkeys((*CONTESTANTS, *given)) if name in given]


def _style(method: str) -> tuple[str, str]:
    if method in METHOD_COLOURS or method not in FUSION_METHODS:
        return method_colour(method), method_marker(method)
    family = [name for name in FUSION_METHODS if family_of(name) == family_of(method)]
    place = contestants_first(family).index(method)
    mix = DARKER[place % len(DARKER)]
    red, green, blue = (1 - mix) * np.array(to_rgb(method_colour(method))) + mix * np.array(to_rgb(INK))
    marker = method_marker(method) if place == 0 else MORE_MARKERS[place % len(MORE_MARKERS)]
    return to_hex((red, green, blue)), marker


def plot_fitted_curves(
    fits: Mapping[tuple[str, str, str], CurveFit],
    *,
    panels_of: Sequence[tuple[str, str]],
    methods: Sequence[str],
    label: str,
    crossovers: Mapping[tuple[str, str, str], Mapping[str, Crossover]] | None = None,
    way: Literal["points", "fits"] = "points",
    horizon: float = 10.0,
    scale: Scale = "score",
) -> Figure:
    """Draw measured means, fitted curves with their bands, and the crossovers, a panel a task.

    The fit is solid where scores were measured and dashed beyond. Above the curves each fusion method has a line with
    its crossover (hollow where extrapolated) and the interval of it; an arrow where the interval ends in an outcome,
    and the outcome in words where the crossover is one.

    Parameters
    ----------
    fits
        From :func:`beyond_alignment.benchmark.scaling_tables.fit_curves`.
    panels_of
        Task and split of each panel, in order.
    methods
        What to draw, in order; a method that a task lacks is left out there.
    label
        Axis label with the metric.
    crossovers
        From :func:`beyond_alignment.benchmark.scaling_tables.find_crossovers`; none are drawn without.
    way
        Whether the crossovers of the points or of the fits are drawn.
    horizon
        How many times the largest size the curves are drawn up to; 1 draws no extrapolation.
    scale
        ``score`` against log n, or ``gap``: what is missing to each curve's own asymptote, on two log axes, where a
        power law is a straight line; means above the asymptote, and curves that do not rise, cannot be shown there, and
        gaps below ``LEAST_GAP`` are cut off.
    """
    y_label = label if scale == "score" else f"asymptote less {label}"
    height = 3.0 if crossovers is None else 2.8 + 0.12 * len(methods)
    figure, axes = panels(len(panels_of), width=3.3, height=height, x_label="paired training spots", y_label=y_label)
    styles = method_styles(methods)
    splits = {split for _, split in panels_of}
    for ax, (task, split) in zip(axes, panels_of, strict=True):
        present = [method for method in methods if (task, split, method) in fits]
        if scale == "gap":
            present = [method for method in present if fits[task, split, method].amplitude > 0]
        for method in present:
            _draw_fit(ax, fits[task, split, method], method, styles[method], horizon=horizon, scale=scale)
        ax.set(xscale="log", title=with_origin(task, name="" if len(splits) == 1 else f"{readable(task)} ({split})"))
        if scale == "gap" and present:
            ax.set_yscale("log")
            ax.set_ylim(bottom=max(ax.get_ylim()[0], LEAST_GAP))
        elif scale == "gap":
            ax.text(0.5, 0.5, "no curve rises", ha="center", va="center", transform=ax.transAxes, color=INK, fontsize=9)
            ax.set_yticks([])
        elif crossovers is not None:
            held = {method: crossovers[task, split, method][way]
                    for method in present if (task, split, method) in crossovers}  # fmt: skip
            _draw_crossovers(ax, held, styles)
    handles = {name: handle for ax in axes for handle, name in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(list(handles.values()), list(handles), loc="outside upper center", ncols=4)
    return figure


def _draw_fit(ax: Axes, fit: CurveFit, method: str, style: tuple[str, str], *, horizon: float, scale: Scale) -> None:
    """Draw one curve: means, fit and band."""
    colour, marker = style
    largest = float(fit.sizes[-1])
    inside = np.geomspace(fit.sizes[0], largest, POINTS)
    beyond = np.geomspace(largest, largest * horizon, POINTS) if horizon > 1 else inside[-1:]
    if scale == "gap":
        gap = fit.asymptote - fit.mean
        shown = gap > 0
        ax.plot(fit.sizes[shown], gap[shown], marker, color=colour, markersize=5, label=method_label(method))
        for sizes, dashes in ((inside, "-"), (beyond, "--")):
            ax.plot(sizes, fit.asymptote - fit.best.at(sizes)[0], dashes, color=colour, linewidth=1.3)
        return
    ax.plot(fit.sizes, fit.mean, marker, color=colour, markersize=5, label=method_label(method), zorder=3)
    for sizes, dashes, alpha in ((inside, "-", 0.20), (beyond, "--", 0.10)):
        low, high = np.quantile(fit.replicates.at(sizes), [0.025, 0.975], axis=0)
        ax.fill_between(sizes, low, high, color=colour, alpha=alpha, linewidth=0)
        ax.plot(sizes, fit.best.at(sizes)[0], dashes, color=colour, linewidth=1.3)


def _draw_crossovers(ax: Axes, held: Mapping[str, Crossover], styles: Mapping[str, tuple[str, str]]) -> None:
    """Draw a line a fusion method above the curves, with its crossover and interval."""
    bottom, top = ax.get_ylim()
    if not held:
        return
    share = STEP * (len(held) + 0.6)
    ticks = [tick for tick in ax.get_yticks() if bottom <= tick <= top]
    ax.set_ylim(bottom, bottom + (top - bottom) / (1 - share))
    ax.set_yticks(ticks)
    ax.axhline(top, color=GREY, linewidth=0.6)
    left, right = ax.get_xlim()
    for number, (method, found) in enumerate(held.items()):
        colour, marker = styles[method]
        height = 1 - STEP * (number + 0.6)
        low, high = (_end(place, left, right) for place in (found.low, found.high))
        place = ax.get_xaxis_transform()
        if isinstance(found.value, Outcome):
            never = found.value == Outcome.NEVER
            ax.text(
                0.99 if never else 0.01, height, str(found.value), ha="right" if never else "left", va="center",
                transform=ax.transAxes, color=colour, fontsize=7.5, fontweight="bold",
            )  # fmt: skip
            if found.low == found.high:
                continue
            words = 0.50 if never else 0.54  # of the panel, taken by the words
            edge = np.exp(np.log(left) + (np.log(right) - np.log(left)) * (1 - words if never else words))
            low, high = (low, max(edge, low)) if never else (min(edge, high), high)
        ax.plot([low, high], [height, height], color=colour, linewidth=1.5, transform=place)
        for edge, end, arrow in ((low, found.low, "<"), (high, found.high, ">")):
            if isinstance(end, Outcome) and not isinstance(found.value, Outcome):
                ax.plot([edge], [height], arrow, color=colour, markersize=5, transform=place, clip_on=False)
        if not isinstance(found.value, Outcome):
            face = "white" if found.extrapolated else colour
            ax.plot([found.value], [height], marker, color=colour, markerfacecolor=face, markersize=6, transform=place)
    ax.set_xlim(left, right)


def _end(place: float | Outcome, left: float, right: float) -> float:
    """Return where the end of an interval is drawn."""
    if isinstance(place, Outcome):
        return right if place == Outcome.NEVER else left
    return min(max(place, left), right)
