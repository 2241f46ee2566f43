"""Transcripts on the patch grid of a vision transformer: tiles, arms, training and scores."""

from beyond_alignment.tokens.arm_scores import best_arm, fusion_and_rival, gain, predictability
from beyond_alignment.tokens.arms import ARMS, OWN_ARMS, Arm, get_arm
from beyond_alignment.tokens.baseline import MinMAE, fit_min_mae
from beyond_alignment.tokens.breast_crop import breast_crop_tiles
from beyond_alignment.tokens.clip_scores import score_clips
from beyond_alignment.tokens.clusters import N_COMPONENTS, TileClusters, cluster_tiles, compare_clusters
from beyond_alignment.tokens.contrastive import ClipResult, run_clip
from beyond_alignment.tokens.drawn_nuclei import PERFECT_READERS, gain_of_perfect_readers, score_perfect_readers
from beyond_alignment.tokens.folds import TileFold, disjoint_tiles, outer_folds
from beyond_alignment.tokens.nucleus_vit import NUCLEUS_VIT_PROFILES, NucleusVitProfile, train_nucleus_vit
from beyond_alignment.tokens.panel import Panel, split_panel
from beyond_alignment.tokens.plan import TokenPlan
from beyond_alignment.tokens.redundancy import redundancy_with_core
from beyond_alignment.tokens.retrieval import Retrieval, recall_at
from beyond_alignment.tokens.run import ArmResult, ArmRuns, run_arm, run_arms
from beyond_alignment.tokens.scores import METRICS, GeneScores, score_genes
from beyond_alignment.tokens.simulated import SimulatedTiles, only, simulated_tiles
from beyond_alignment.tokens.study import TOKEN_CODE, Comparison, compare_arms, run_clips
from beyond_alignment.tokens.tile_folder import open_tiles, write_tiles
from beyond_alignment.tokens.tiles import Tiles, make_tiles
from beyond_alignment.tokens.token_claims import retrieval_table, token_claims

__all__ = [
    "ARMS",
    "METRICS",
    "NUCLEUS_VIT_PROFILES",
    "N_COMPONENTS",
    "OWN_ARMS",
    "PERFECT_READERS",
    "TOKEN_CODE",
    "Arm",
    "ArmResult",
    "ArmRuns",
    "ClipResult",
    "Comparison",
    "GeneScores",
    "MinMAE",
    "NucleusVitProfile",
    "Panel",
    "Retrieval",
    "SimulatedTiles",
    "TileClusters",
    "TileFold",
    "Tiles",
    "TokenPlan",
    "best_arm",
    "breast_crop_tiles",
    "cluster_tiles",
    "compare_arms",
    "compare_clusters",
    "disjoint_tiles",
    "fit_min_mae",
    "fusion_and_rival",
    "gain",
    "gain_of_perfect_readers",
    "get_arm",
    "make_tiles",
    "only",
    "open_tiles",
    "outer_folds",
    "predictability",
    "recall_at",
    "redundancy_with_core",
    "retrieval_table",
    "run_arm",
    "run_arms",
    "run_clip",
    "run_clips",
    "score_clips",
    "score_genes",
    "score_perfect_readers",
    "simulated_tiles",
    "split_panel",
    "token_claims",
    "train_nucleus_vit",
    "write_tiles",
]
