"""Fusion methods behind one scikit-learn interface."""

from beyond_alignment.fusion.base import Fusion
from beyond_alignment.fusion.record import FusionMethod
from beyond_alignment.fusion.registry import CORE_METHODS, FUSION_METHODS, make_fusion

__all__ = ["CORE_METHODS", "FUSION_METHODS", "Fusion", "FusionMethod", "make_fusion"]
