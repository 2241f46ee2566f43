"""What alignment of frozen embeddings can find, and what it keeps."""

from beyond_alignment.alignment.angles import principal_angles
from beyond_alignment.alignment.demonstration import (
    ALIGNED,
    RAW,
    average_over_seeds,
    held_out_correlations,
    retained_by_size,
    retained_on_tissue,
    spectrum_by_size,
)
from beyond_alignment.alignment.reduced import ReducedPair
from beyond_alignment.alignment.spectral import SpectralCeiling, spectral_ceiling
from beyond_alignment.alignment.told import information_told
from beyond_alignment.fusion.canonical import CanonicalCorrelation

__all__ = [
    "ALIGNED",
    "RAW",
    "CanonicalCorrelation",
    "ReducedPair",
    "SpectralCeiling",
    "average_over_seeds",
    "held_out_correlations",
    "information_told",
    "principal_angles",
    "retained_by_size",
    "retained_on_tissue",
    "spectral_ceiling",
    "spectrum_by_size",
]
