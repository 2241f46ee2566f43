"""Small synthetic tissue for tests: a regular array of spots in sections of donors."""

import anndata
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

TYPES = ("B-cells", "CAFs", "Endothelial", "Epithelial", "Myeloid", "Plasma Cells", "PVL", "T-cells")


def make_tissue(
    *, side: int = 8, sections: tuple[str, ...] = ("A1", "A2", "B1"), pitch_um: float = 200.0, seed: int = 0
):
    """Return spots on a square grid with a composition; every section has another resolution."""
    rng = np.random.default_rng(seed)
    parts, spatial = [], {}
    for number, section in enumerate(sections):
        microns_per_pixel = (0.7, 0.9, 3.2)[number % 3]
        y, x = np.divmod(np.arange(side * side), side)
        composition = rng.dirichlet(np.ones(len(TYPES)), size=side * side)
        obs = pd.DataFrame(
            {"section": section, "donor": section[0], "array_x": x, "array_y": y},
            index=[f"{section}_{i}x{j}" for i, j in zip(x, y, strict=True)],
        )
        part = AnnData(X=sparse.csr_matrix(rng.poisson(2, (side * side, 30)).astype(np.float32)), obs=obs)
        part.obsm["spatial"] = np.column_stack([x, y]) * pitch_um / microns_per_pixel
        part.obsm["composition"] = pd.DataFrame(composition, index=obs.index, columns=list(TYPES))
        spatial[section] = {"scalefactors": {"microns_per_pixel": microns_per_pixel}}
        parts.append(part)
    whole = anndata.concat(parts)
    whole.obs["section"] = whole.obs["section"].astype("category")
    whole.obs["donor"] = whole.obs["donor"].astype("category")
    whole.uns["spatial"] = spatial
    return whole
