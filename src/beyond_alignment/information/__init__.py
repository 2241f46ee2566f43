"""Information in bits: exact tables, known-truth generators and the published synergy score."""

from beyond_alignment.information.broja import PIDBatch, broja, broja_batch
from beyond_alignment.information.discrete import JointInformations, joint_informations, mutual_information
from beyond_alignment.information.estimators import PID_ESTIMATORS, PIDEstimator, estimate_pid
from beyond_alignment.information.gate_table import decompose_gates
from beyond_alignment.information.gates import FURTHER_GATES, GATES, gate
from beyond_alignment.information.generators import KINDS, LinearEmbeddingTask, linear_embedding_task
from beyond_alignment.information.imin import IminDecomposition, imin
from beyond_alignment.information.known_truth import SCENARIOS, KnownTruthSample, Scenario, draw, mixture, truth
from beyond_alignment.information.known_truth.dial import N_SHARED, DialTheory, dial_table, dial_theory, dialled_task
from beyond_alignment.information.pairwise import PairwiseInformation, pairwise_information
from beyond_alignment.information.pid import PID
from beyond_alignment.information.published import published_score_of_gates
from beyond_alignment.information.recommendation import RULE, Recommendation, RuleRow, recommend
from beyond_alignment.information.resampling import Units, bootstrap_weights, default_units, percentile_interval
from beyond_alignment.information.samples import Samples, check_samples
from beyond_alignment.information.sis import SisGain, sis_gain, sis_gain_interval, verbal_level
from beyond_alignment.information.strategy import Strategy, recommend_strategy
from beyond_alignment.information.union import UnionInformation, union_information

__all__ = [
    "FURTHER_GATES",
    "GATES",
    "KINDS",
    "N_SHARED",
    "PID",
    "PID_ESTIMATORS",
    "RULE",
    "SCENARIOS",
    "DialTheory",
    "IminDecomposition",
    "JointInformations",
    "KnownTruthSample",
    "LinearEmbeddingTask",
    "PIDBatch",
    "PIDEstimator",
    "PairwiseInformation",
    "Recommendation",
    "RuleRow",
    "Samples",
    "Scenario",
    "SisGain",
    "Strategy",
    "UnionInformation",
    "Units",
    "bootstrap_weights",
    "broja",
    "broja_batch",
    "check_samples",
    "decompose_gates",
    "default_units",
    "dial_table",
    "dial_theory",
    "dialled_task",
    "draw",
    "estimate_pid",
    "gate",
    "imin",
    "joint_informations",
    "linear_embedding_task",
    "mixture",
    "mutual_information",
    "pairwise_information",
    "percentile_interval",
    "published_score_of_gates",
    "recommend",
    "recommend_strategy",
    "sis_gain",
    "sis_gain_interval",
    "truth",
    "union_information",
    "verbal_level",
]
