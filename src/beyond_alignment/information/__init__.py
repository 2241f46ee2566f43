"""Information in bits: exact tables, estimates from samples with their null, and the published synergy score."""

from beyond_alignment.information.advice import RULE, recommend_strategy
from beyond_alignment.information.estimate import PID_ESTIMATORS, PIDEstimate, estimate_pid
from beyond_alignment.information.exact import PID, broja, broja_batch
from beyond_alignment.information.gates import decompose_gates, published_score_of_gates
from beyond_alignment.information.power import smallest_effect
from beyond_alignment.information.sis import sis_gain

__all__ = [
    "PID",
    "PID_ESTIMATORS",
    "RULE",
    "PIDEstimate",
    "broja",
    "broja_batch",
    "decompose_gates",
    "estimate_pid",
    "published_score_of_gates",
    "recommend_strategy",
    "sis_gain",
    "smallest_effect",
]
