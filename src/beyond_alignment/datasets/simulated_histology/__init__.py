"""Simulated tissue: an H&E-like picture with transcripts, where what each shows of the other is set by dials."""

from beyond_alignment.datasets.simulated_histology.bits import LABEL_BITS
from beyond_alignment.datasets.simulated_histology.dials import Dials
from beyond_alignment.datasets.simulated_histology.field import simulate_field
from beyond_alignment.datasets.simulated_histology.study import simulate_fields

__all__ = ["LABEL_BITS", "Dials", "simulate_field", "simulate_fields"]
