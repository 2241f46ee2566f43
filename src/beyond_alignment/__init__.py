"""Measures when fusing histology with gene expression adds information about a task."""

__version__ = "0.1.0"
