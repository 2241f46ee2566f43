"""Frozen unimodal experts of morphology and expression."""

from beyond_alignment.experts.expression import FrozenPCA, fit_frozen_pca, hallmark_scores, log_normalised
from beyond_alignment.experts.morphology import (
    FrozenModel,
    embed_colour,
    embed_mobilenetv2,
    mobilenetv2,
    resolve_device,
)
from beyond_alignment.experts.registry import EXPERTS, Expert, get_expert

__all__ = [
    "EXPERTS",
    "Expert",
    "FrozenModel",
    "FrozenPCA",
    "embed_colour",
    "embed_mobilenetv2",
    "fit_frozen_pca",
    "get_expert",
    "hallmark_scores",
    "log_normalised",
    "mobilenetv2",
    "resolve_device",
]
