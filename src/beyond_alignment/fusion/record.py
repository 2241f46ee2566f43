"""The record of a fusion method."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from beyond_alignment.fusion.base import Fusion
from beyond_alignment.fusion.network import FusionNetwork

Family = Literal["unimodal", "baseline", "alignment", "interaction", "pattern", "own"]
TrainedOn = Literal["nothing", "pairs", "labels"]


@dataclass(frozen=True)
class FusionMethod:
    """A fusion method's record.

    Attributes
    ----------
    name
        Its name everywhere.
    label
        Its name in figures.
    family
        ``unimodal``, ``baseline``, ``alignment``, ``interaction``, ``pattern`` (of the survey of integration
        patterns) or ``own``.
    reaches
        The terms of the partial information decomposition that it can reach in theory.
    estimator
        The class of a method that needs no gradient; None for a network.
    network
        The class of a method that is trained by gradient; None for the others.
    trained_on
        What its representation is fitted on besides the spread of each modality: ``nothing``, ``pairs`` (no label) or
        ``labels``.
    citation
        BibTeX keys of where it comes from.
    options
        Hyper-parameters at the common size, beside those that all networks share.
    published
        Hyper-parameters at its published size.
    reads_neighbours
        Whether it sees the spots around a spot.
    """

    name: str
    label: str
    family: Family
    reaches: str
    estimator: type[Fusion] | None = None
    network: type[FusionNetwork] | None = None
    trained_on: TrainedOn = "nothing"
    citation: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    published: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    reads_neighbours: bool = False
