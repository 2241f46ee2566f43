"""Transcripts on the patch grid of a vision transformer: tiles, arms, training and scores."""

from beyond_alignment.tokens.arm_scores import best_arm, fusion_and_rival, gain
from beyond_alignment.tokens.arms import ARMS, Arm, get_arm
from beyond_alignment.tokens.clusters import N_COMPONENTS, cluster_tiles, compare_clusters
from beyond_alignment.tokens.comparison import Comparison, compare_arms
from beyond_alignment.tokens.folds import TileFold, disjoint_tiles, outer_folds
from beyond_alignment.tokens.nucleus_vit import train_nucleus_vit
from beyond_alignment.tokens.plan import TokenPlan
from beyond_alignment.tokens.simulated import SimulatedTiles, only, simulated_tiles
from beyond_alignment.tokens.tiles import Tiles, make_tiles

__all__ = [
    "ARMS",
    "N_COMPONENTS",
    "Arm",
    "Comparison",
    "SimulatedTiles",
    "TileFold",
    "Tiles",
    "TokenPlan",
    "best_arm",
    "cluster_tiles",
    "compare_arms",
    "compare_clusters",
    "disjoint_tiles",
    "fusion_and_rival",
    "gain",
    "get_arm",
    "make_tiles",
    "only",
    "outer_folds",
    "simulated_tiles",
    "train_nucleus_vit",
]
