"""Paired embeddings whose decomposition is known: discrete truth on curved manifolds behind random injective maps."""

from beyond_alignment.information.known_truth.draw import KnownTruthSample, draw
from beyond_alignment.information.known_truth.mixture import mixture
from beyond_alignment.information.known_truth.registry import SCENARIOS, truth
from beyond_alignment.information.known_truth.scenario import Scenario

__all__ = ["SCENARIOS", "KnownTruthSample", "Scenario", "draw", "mixture", "truth"]
