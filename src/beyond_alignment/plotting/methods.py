"""How a fusion method is drawn: its own colour where it has one, else that of its family, on every page."""

from collections.abc import Iterable

from matplotlib.lines import Line2D

from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.plotting.style import BROWN, INK, METHOD_COLOURS, METHOD_MARKERS, SKY, YELLOW, readable

FAMILIES = ("unimodal", "baseline", "alignment", "interaction", "pattern", "own")
FAMILY_COLOURS = {"alignment": SKY, "interaction": YELLOW, "pattern": BROWN, "own": INK}
FAMILY_MARKERS = {"alignment": "v", "interaction": "P", "pattern": "X", "own": "*"}


def family_of(method: str) -> str:
    """Return a method's family; nothing for one that is not registered."""
    return FUSION_METHODS[method].family if method in FUSION_METHODS else ""


def method_label(method: str) -> str:
    """Return a method's name in figures."""
    return FUSION_METHODS[method].label if method in FUSION_METHODS else readable(method)


def method_colour(method: str) -> str:
    """Return a method's colour."""
    return METHOD_COLOURS.get(method, FAMILY_COLOURS.get(family_of(method), INK))


def method_marker(method: str) -> str:
    """Return a method's marker, apart from others in shape too."""
    return METHOD_MARKERS.get(method, FAMILY_MARKERS.get(family_of(method), "o"))


def family_handles(methods: Iterable[str]) -> list[Line2D]:
    """Return the keys of the families that share a colour and occur among some methods; the others are named by row."""
    present = {family_of(method) for method in methods}
    return [
        Line2D([], [], linestyle="", marker=FAMILY_MARKERS[family], color=colour, markersize=6, label=family)
        for family, colour in FAMILY_COLOURS.items()
        if family in present
    ]
