"""Every fusion method by name."""

from dataclasses import replace
from inspect import signature
from typing import Any, Literal

from beyond_alignment.errors import InputError
from beyond_alignment.fusion import (
    baselines,
    comm,
    interaction_attention,
    interaction_products,
    patterns_neighbourhood,
    patterns_spot,
    synergy_max,
    unimodal,
)
from beyond_alignment.fusion.aligning import cca, contrastive, decorrelating, predictive
from beyond_alignment.fusion.base import Fusion
from beyond_alignment.fusion.network import Shape
from beyond_alignment.fusion.neural import NeuralFusion
from beyond_alignment.fusion.probe import Kind
from beyond_alignment.fusion.record import FusionMethod
from beyond_alignment.fusion.width import size_at, widest

Size = Literal["common", "published"]

FAMILIES = (
    unimodal,
    baselines,
    contrastive,
    decorrelating,
    predictive,
    cca,
    comm,
    interaction_products,
    interaction_attention,
    patterns_spot,
    patterns_neighbourhood,
    synergy_max,
)
FUSION_METHODS: dict[str, FusionMethod] = {method.name: method for family in FAMILIES for method in family.METHODS}
CORE_METHODS = tuple(method.name for family in (unimodal, baselines) for method in family.METHODS)
"""Each expert alone and the two baselines: what is trained in seconds, and what every other method has to beat."""


def make_fusion(
    name: str, *, kind: Kind = "classification", seed: int = 0, size: Size = "common", **options: Any
) -> Fusion:
    """Return an unfitted fusion method.

    Parameters
    ----------
    name
        One of :data:`FUSION_METHODS`.
    kind
        ``classification`` or ``regression``.
    seed
        Of everything that draws.
    size
        ``common``, one dimension and budget for all, or ``published``.
    **options
        Parameters of the estimator, or hyper-parameters of its network.

    Raises
    ------
    InputError
        If the name, the kind, the size or an option is unknown.
    """
    if name not in FUSION_METHODS:
        msg = f"There is no fusion method {name!r}; known are {', '.join(FUSION_METHODS)}."
        raise InputError(msg)
    if kind not in ("classification", "regression"):
        msg = f"Unknown kind {kind!r}: choose classification or regression."
        raise InputError(msg)
    if size not in ("common", "published"):
        msg = f"Unknown size {size!r}: choose common or published."
        raise InputError(msg)
    return from_record(FUSION_METHODS[name], kind=kind, seed=seed, size=size, **options)


def from_record(
    method: FusionMethod, *, kind: Kind = "classification", seed: int = 0, size: Size = "common", **options: Any
) -> Fusion:
    """Return an unfitted fusion method by its record; the parameters are those of :func:`make_fusion`."""
    values = {**method.options, **(method.published if size == "published" else {}), **options}
    if method.estimator is not None:
        try:
            return method.estimator(kind=kind, seed=seed, **values)
        except TypeError as error:
            msg = f"{method.name} does not take these options ({error}); see its parameters."
            raise InputError(msg) from error
    assert method.network is not None
    own = set(signature(NeuralFusion).parameters) - {"network", "kind", "seed", "reads_neighbours", "options"}
    taken = set(signature(method.network).parameters) - {"shape"}
    unknown = set(values) - own - taken
    if unknown:
        known = ", ".join(sorted(own | taken))
        msg = f"{method.name} does not take {', '.join(sorted(unknown))}; it takes {known}."
        raise InputError(msg)
    return NeuralFusion(
        method.network,
        kind=kind,
        seed=seed,
        reads_neighbours=method.reads_neighbours,
        options={name: value for name, value in values.items() if name not in own},
        **{name: value for name, value in values.items() if name in own},
    )


def trained_parameters(name: str, shape: Shape, *, size: Size = "common") -> int:
    """Return how many parameters of a method are trained by gradient; 0 for one that has no network.

    Nothing is allocated, so that sizes which do not fit into memory are counted too.

    Parameters
    ----------
    name
        One of :data:`FUSION_METHODS`.
    shape
        Features of both reduced embeddings, outputs and kind; the dimension is that of the method.
    size
        ``common`` or ``published``.
    """
    estimator = make_fusion(name, kind=shape.kind, size=size)
    if not isinstance(estimator, NeuralFusion):
        return 0
    shape, options = replace(shape, dimension=estimator.dimension), dict(estimator.options or {})
    width = estimator.width or widest(estimator.network, shape, budget=estimator.budget, options=options)
    return size_at(estimator.network, shape, width=width, options=options)
