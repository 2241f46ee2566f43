"""The alignment methods as linear heads, each with what theory says about the subspace that it finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from beyond_alignment.alignment import linear_heads as heads

Theory = Literal["proved", "measured", "other"]


@dataclass(frozen=True)
class LinearMethod:
    """One alignment objective on linear heads.

    Attributes
    ----------
    name
        Of the method; with its setting where it has several.
    label
        In figures and tables.
    network
        The two maps and the objective; None for the closed form.
    theory
        ``proved``: its optimum is the canonical subspace; ``measured``: no proof is known to us, and it is found;
        ``other``: its optimum is another subspace where correlations differ.
    reason
        Why, in a sentence.
    options
        Hyper-parameters of the network.
    whitened
        Whether views are whitened before training. It changes nothing but the speed for an objective that sees the
        projections alone; a regression on the other view depends on it.
    """

    name: str
    label: str
    network: type[heads.LinearHeads] | None
    theory: Theory
    reason: str
    options: Mapping[str, Any] = field(default_factory=dict)
    whitened: bool = True


_ALL = (
    LinearMethod("cca", "CCA", None, "proved", "It is the closed form."),
    LinearMethod(
        "second_order", "InfoNCE, second order", heads.SecondOrderNce, "proved",
        "It is the squared distance of the critic from the cross-covariance, both whitened.",
    ),
    LinearMethod(
        "info_nce", "InfoNCE, inner product", heads.InnerProductNce, "proved",
        "For Gaussian views it equals its second order; elsewhere the optimum departs by higher moments.",
    ),
    LinearMethod(
        "clip", "CLIP", heads.LinearClip, "measured",
        "The cosine bounds the critic, so that the second order is an approximation.",
    ),
    LinearMethod(
        "deep_cca", "deep CCA, linear", heads.LinearDeepCca, "proved",
        "It maximises the canonical correlations of a batch, which are too high by chance.",
    ),
    LinearMethod(
        "projection", "projection (MSE)", heads.Regression, "proved",
        "Reduced-rank regression of a whitened view is canonical correlation analysis.",
    ),
    LinearMethod(
        "projection_raw", "projection (MSE), raw views", heads.Regression, "other",
        "An unwhitened target weighs a direction by its variance: the optimum is that of reduced-rank regression.",
        whitened=False,
    ),
    LinearMethod(
        "barlow_twins", "Barlow Twins", heads.LinearBarlowTwins, "other",
        "Its published weight makes it cheaper to find the strongest direction twice than a weaker one.",
    ),
    LinearMethod(
        "barlow_twins_strong", "Barlow Twins, weight 1", heads.LinearBarlowTwins, "measured",
        "Proved for whitened heads alone; it fixes their variances only, and gives weak directions up.",
        options=MappingProxyType({"redundancy": 1.0}),
    ),
    LinearMethod(
        "vicreg", "VICReg", heads.LinearVicReg, "other",
        "Its published weights make it cheaper to find the strongest direction twice than a weaker one.",
    ),
    LinearMethod(
        "vicreg_strong", "VICReg, covariance 25", heads.LinearVicReg, "measured",
        "Proved for a covariance term without bound; this one is large.",
        options=MappingProxyType({"covariance": 25.0}),
    ),
    LinearMethod(
        "byol", "BYOL", heads.LinearByol, "measured",
        "It follows no gradient of one objective; its fixed points are known for simpler dynamics alone.",
    ),
    LinearMethod(
        "simsiam", "SimSiam", heads.LinearSimSiam, "measured",
        "It follows no gradient of one objective; its fixed points are known for simpler dynamics alone.",
    ),
)  # fmt: skip

LINEAR_METHODS: Mapping[str, LinearMethod] = MappingProxyType({method.name: method for method in _ALL})
"""Name -> alignment method with linear heads."""
