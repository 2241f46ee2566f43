"""What a survey says of patterns of integration, tested on tissue, on known truth and by count."""

from beyond_alignment.benchmark.patterns.claims import pattern_claims, token_claim
from beyond_alignment.benchmark.patterns.contrasts import CONTRASTS, pattern_contrasts
from beyond_alignment.benchmark.patterns.operations import growth_with_tokens, pattern_operations
from beyond_alignment.benchmark.patterns.relevance import POOLINGS, relevance_study, relevance_truth

__all__ = [
    "CONTRASTS",
    "POOLINGS",
    "growth_with_tokens",
    "pattern_claims",
    "pattern_contrasts",
    "pattern_operations",
    "relevance_study",
    "relevance_truth",
    "token_claim",
]
