"""Every fusion method by name."""

from typing import Any

from beyond_alignment.errors import InputError
from beyond_alignment.fusion import baselines, unimodal
from beyond_alignment.fusion.aligning import cca
from beyond_alignment.fusion.base import Fusion
from beyond_alignment.fusion.probe import Kind
from beyond_alignment.fusion.record import FusionMethod

FAMILIES = (unimodal, baselines, cca)
FUSION_METHODS: dict[str, FusionMethod] = {method.name: method for family in FAMILIES for method in family.METHODS}


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
    estimator = FUSION_METHODS[name].estimator
    assert estimator is not None
    try:
        return estimator(kind=kind, seed=seed, **options)
    except TypeError as error:
        msg = f"{name} does not take these options ({error}); see its parameters."
        raise InputError(msg) from error
