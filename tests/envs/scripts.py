"""The extraction scripts, loaded by path, and small data that each of them can read."""

import importlib.util
from functools import cache

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from beyond_alignment.project import root

ENVS = root() / "envs"
NAMES = ("scgpt", "geneformer", "scfoundation", "scprint", "nicheformer", "uce")
SYMBOLS = tuple(f"GEN{number}" for number in range(620))
IDS = tuple(f"ENSG{number:011d}" for number in range(620))


@cache
def script(name):
    """Return the module ``envs/<name>/extract.py``."""
    spec = importlib.util.spec_from_file_location(f"extract_{name}", ENVS / name / "extract.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def genes_of(name):
    """Return genes in the way that a model wants them."""
    return IDS if script(name).MODEL.genes == "ensembl" else SYMBOLS


def make_counts(genes, *, n_spots=9, seed=0):
    """Return spots with raw counts whose names are in no order and whose lengths differ."""
    rng = np.random.default_rng(seed)
    values = rng.poisson(rng.uniform(0.3, 3, (n_spots, 1)), (n_spots, len(genes))).astype(np.float32)
    obs = pd.DataFrame(index=[f"S{number}" for number in rng.permutation(n_spots)])
    return AnnData(sparse.csr_matrix(values), obs=obs, var=pd.DataFrame(index=list(genes)))


def vector(counts, name):
    """Return what the stand-in of a model makes of counts (spot, gene in the order of the vocabulary)."""
    weights = np.random.default_rng(7).normal(size=(counts.shape[1], script(name).MODEL.dimension))
    return (np.asarray(counts, dtype=np.float64) @ weights / 100).astype(np.float32)
