"""Every fusion method by name."""

from dataclasses import dataclass
from typing import Any

from beyond_alignment.errors import InputError
from beyond_alignment.fusion.base import Fusion
from beyond_alignment.fusion.baselines import Concatenation, LateAverage
from beyond_alignment.fusion.probe import Kind
from beyond_alignment.fusion.unimodal import ExpressionOnly, MorphologyOnly


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
        ``unimodal``, ``baseline``, ``alignment`` or ``interaction``.
    reaches
        The terms of the partial information decomposition that it can reach in theory.
    estimator
        The class.
    """

    name: str
    label: str
    family: str
    reaches: str
    estimator: type[Fusion]


FUSION_METHODS: dict[str, FusionMethod] = {
    method.name: method
    for method in (
        FusionMethod("expression_only", "expression only", "unimodal", "R + U1", ExpressionOnly),
        FusionMethod("morphology_only", "morphology only", "unimodal", "R + U2", MorphologyOnly),
        FusionMethod("concat", "concatenation", "baseline", "R + U1 + U2 + additive S", Concatenation),
        FusionMethod("late_average", "late average", "baseline", "R + part of U1, U2 and additive S", LateAverage),
    )
}


def make_fusion(name: str, *, kind: Kind = "classification", seed: int = 0, **options: Any) -> Fusion:
    """Return an unfitted fusion method.

    Parameters
    ----------
    name
        One of :data:`FUSION_METHODS`.
    kind
        ``classification`` or ``regression``.
    seed
        Of everything that draws.
    **options
        Hyper-parameters of the method.

    Raises
    ------
    InputError
        If the name, the kind or an option is unknown.
    """
    if name not in FUSION_METHODS:
        msg = f"There is no fusion method {name!r}; known are {', '.join(FUSION_METHODS)}."
        raise InputError(msg)
    if kind not in ("classification", "regression"):
        msg = f"Unknown kind {kind!r}: choose classification or regression."
        raise InputError(msg)
    try:
        return FUSION_METHODS[name].estimator(kind=kind, seed=seed, **options)
    except TypeError as error:
        msg = f"{name} does not take these options ({error}); see its parameters."
        raise InputError(msg) from error
