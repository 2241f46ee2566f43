"""Measures when fusing histology with gene expression adds information about a task."""

import warnings

__version__ = "0.1.0"

# tqdm's advice to install widgets, which this book does not use, would stand on every page that imports scanpy
warnings.filterwarnings("ignore", message="IProgress not found")
