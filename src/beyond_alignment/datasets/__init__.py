"""Tissue: getting it, verifying it, reading it."""

from beyond_alignment.datasets.fetch import fetch
from beyond_alignment.datasets.genesets import hallmark_sets
from beyond_alignment.datasets.loading import at_hand, load
from beyond_alignment.datasets.registry import DataFile, DataSet, data_set, data_sets, registry
from beyond_alignment.datasets.scale import measured_microns_per_pixel
from beyond_alignment.datasets.weights import weights_path

__all__ = [
    "DataFile",
    "DataSet",
    "at_hand",
    "data_set",
    "data_sets",
    "fetch",
    "hallmark_sets",
    "load",
    "measured_microns_per_pixel",
    "registry",
    "weights_path",
]
