"""Information in bits: exact tables, known-truth generators and the published synergy score."""

from beyond_alignment.information.discrete import JointInformations, joint_informations, mutual_information
from beyond_alignment.information.gates import GATES, gate
from beyond_alignment.information.generators import KINDS, LinearEmbeddingTask, linear_embedding_task
from beyond_alignment.information.known_truth import SCENARIOS, KnownTruthSample, Scenario, draw, mixture, truth
from beyond_alignment.information.published import published_score_of_gates
from beyond_alignment.information.samples import Samples, check_samples
from beyond_alignment.information.sis import SisGain, sis_gain, sis_gain_interval, verbal_level
from beyond_alignment.information.strategy import Strategy, recommend_strategy

__all__ = [
    "GATES",
    "KINDS",
    "SCENARIOS",
    "JointInformations",
    "KnownTruthSample",
    "LinearEmbeddingTask",
    "Samples",
    "Scenario",
    "SisGain",
    "Strategy",
    "check_samples",
    "draw",
    "gate",
    "joint_informations",
    "linear_embedding_task",
    "mixture",
    "mutual_information",
    "published_score_of_gates",
    "recommend_strategy",
    "sis_gain",
    "sis_gain_interval",
    "truth",
    "verbal_level",
]
