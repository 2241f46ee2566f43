"""What alignment of frozen embeddings can find, and what it keeps."""

from beyond_alignment.alignment.aligned_pair import AlignedPair
from beyond_alignment.alignment.angles import principal_angles
from beyond_alignment.alignment.ceiling_result import SpectralCeiling
from beyond_alignment.alignment.descent import UNEQUAL, canonical_angle, found_subspaces
from beyond_alignment.alignment.linear_methods import LINEAR_METHODS, LinearMethod
from beyond_alignment.alignment.reduced import ReducedPair
from beyond_alignment.alignment.retained_terms import InformationRetained, information_retained
from beyond_alignment.alignment.spectral import spectral_ceiling
from beyond_alignment.alignment.subspace import (
    AlignedSubspace,
    aligned_subspace,
    aligned_subspaces,
    n_distinct,
    variate_angles,
)
from beyond_alignment.alignment.told import information_told
from beyond_alignment.alignment.views import CorrelatedViews, correlated_views
from beyond_alignment.fusion.canonical import CanonicalCorrelation

__all__ = [
    "LINEAR_METHODS",
    "UNEQUAL",
    "AlignedPair",
    "AlignedSubspace",
    "CanonicalCorrelation",
    "CorrelatedViews",
    "InformationRetained",
    "LinearMethod",
    "ReducedPair",
    "SpectralCeiling",
    "aligned_subspace",
    "aligned_subspaces",
    "canonical_angle",
    "correlated_views",
    "found_subspaces",
    "information_retained",
    "information_told",
    "n_distinct",
    "principal_angles",
    "spectral_ceiling",
    "variate_angles",
]
