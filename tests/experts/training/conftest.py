import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from beyond_alignment.experts.training.tissue_images import TissueImage


def tissue(section, donor, *, field_um=100.0, size=120, seed=0):
    """A section of drawn colours at 1 um per pixel, with tissue in its middle."""
    rng = np.random.default_rng(seed)
    pixels = torch.from_numpy(rng.integers(0, 256, (size, size, 3), dtype=np.uint8))
    x, y = np.meshgrid(np.arange(50.0, 71.0, 10.0), np.arange(50.0, 71.0, 10.0))
    centres = np.column_stack([x.ravel(), y.ravel()]).astype(np.float32)
    return TissueImage("her2st", section, donor, field_um, 1.0, pixels, centres, (250, 240, 250))


@pytest.fixture
def images():
    return [tissue("A1", "A", seed=1), tissue("B4", "B", seed=2, field_um=40.0)]


@pytest.fixture(scope="session")
def counts():
    """Spots of two programmes of genes, three sections: within a programme genes rise and fall together."""
    rng = np.random.default_rng(0)
    n, half = 180, 20
    state = rng.uniform(0.05, 0.95, n)
    rates = np.concatenate([np.outer(state, np.full(half, 6.0)), np.outer(1.0 - state, np.full(half, 6.0))], axis=1)
    section = np.repeat(["D1", "E1", "E3"], n // 3)
    obs = pd.DataFrame({"section": section, "donor": [name[0] for name in section]}, index=[f"s{i}" for i in range(n)])
    names = [f"G{i}" for i in range(2 * half)]
    adata = ad.AnnData(sparse.csr_matrix(rng.poisson(rates).astype(np.float32)), obs=obs, var=pd.DataFrame(index=names))
    adata.obs["state"] = state
    return adata
