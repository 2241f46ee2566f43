"""Small fields with transcripts."""

import numpy as np
import pandas as pd

from beyond_alignment.datasets import TranscriptsOnImage

GENES = tuple("ABCDEF")


def field(*, n=3000, height=240, width=320, microns_per_pixel=0.5, seed=0, genes=GENES):
    """A field of noise with transcripts all over it, as many of each gene as chance gives."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"gene": rng.choice(genes, n), "x": rng.uniform(0, width, n), "y": rng.uniform(0, height, n)})
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return TranscriptsOnImage(image, table.astype({"gene": "category"}), microns_per_pixel)


SMALL = {"core_genes": GENES[:4], "addon_genes": GENES[4:], "tile_um": 40.0, "stride_um": 20.0, "input_px": 32,
         "patch_px": 8, "min_transcripts": 1}  # fmt: skip
