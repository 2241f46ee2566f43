"""Small fields with transcripts."""

import numpy as np
import pandas as pd
from scipy import sparse

from beyond_alignment.datasets.transcripts import TranscriptsOnImage
from beyond_alignment.tokens.tiles import Tiles

GENES = tuple("ABCDEF")


def field(*, n=3000, height=240, width=320, microns_per_pixel=0.5, seed=0, genes=GENES):
    """A field of noise with transcripts all over it, as many of each gene as chance gives."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"gene": rng.choice(genes, n), "x": rng.uniform(0, width, n), "y": rng.uniform(0, height, n)})
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return TranscriptsOnImage(image, table.astype({"gene": "category"}), microns_per_pixel)


SMALL = {"core_genes": GENES[:4], "addon_genes": GENES[4:], "tile_um": 40.0, "stride_um": 20.0, "input_px": 32,
         "patch_px": 8, "min_transcripts": 1}  # fmt: skip


def tiles_at(centre_um, *, group="p", tile_um=32.0, core=None, targets=None):
    """Tiles without pixels, of one patch each: for what looks at counts or places alone."""
    n = len(centre_um)
    core = np.ones((n, 2)) if core is None else core
    targets = np.ones((n, 2)) if targets is None else targets
    return Tiles(
        pixels=np.zeros((n, 1, 1, 3), dtype=np.uint8),
        core=sparse.csr_matrix(core, dtype=np.float32),
        targets=np.asarray(targets, dtype=np.float32),
        n_transcripts=np.full(n, 1000),
        centre_um=np.asarray(centre_um, dtype=np.float64),
        group=np.broadcast_to(np.asarray(group, dtype=str), n),
        core_genes=tuple(f"C{number}" for number in range(core.shape[1])),
        addon_genes=tuple(f"T{number}" for number in range(targets.shape[1])),
        grid=1,
        tile_um=tile_um,
    )


def lattice(across, down, step):
    """Centres of a lattice in microns (tile, axis)."""
    return np.stack(np.meshgrid(np.arange(across), np.arange(down)), axis=-1).reshape(-1, 2) * float(step)
