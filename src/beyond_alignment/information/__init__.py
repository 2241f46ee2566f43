"""Information in bits: exact tables, known-truth generators and the published synergy score."""

from beyond_alignment.information.advice import RULE, recommend_strategy
from beyond_alignment.information.broja import broja, broja_batch
from beyond_alignment.information.estimate import PID_ESTIMATORS, PIDEstimate, estimate_pid
from beyond_alignment.information.gate_table import decompose_gates
from beyond_alignment.information.known_truth.dial import N_SHARED, dialled_task
from beyond_alignment.information.pid import PID
from beyond_alignment.information.published import published_score_of_gates
from beyond_alignment.information.sis import sis_gain

__all__ = [
    "N_SHARED",
    "PID",
    "PID_ESTIMATORS",
    "RULE",
    "PIDEstimate",
    "broja",
    "broja_batch",
    "decompose_gates",
    "dialled_task",
    "estimate_pid",
    "published_score_of_gates",
    "recommend_strategy",
    "sis_gain",
]
