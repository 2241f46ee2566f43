"""Tiles of 2 x 2 patches, a vision transformer of one block, and plans of a few epochs."""

import numpy as np
from scipy import sparse

from beyond_alignment.tokens.folds import TileFold
from beyond_alignment.tokens.plan import TokenPlan
from beyond_alignment.tokens.tiles import Tiles
from beyond_alignment.tokens.vision_weights import VITS, VitDefinition, build_vit

TINY = "vit_tiny_of_the_tests"
VITS[TINY] = VitDefinition("vit_tiny_patch16_224", {"embed_dim": 16, "depth": 1, "num_heads": 2})
PIXELS = 8


def tiles(n=30, *, grid=2, genes=5, targets=3, seed=0, counts=None, pixels=None, y=None):
    """Drawn tiles; counts (tile, patch, gene), pixels and targets may be given."""
    rng = np.random.default_rng(seed)
    side = grid * PIXELS
    drawn = rng.poisson(0.7, (n, grid**2, genes)) if counts is None else counts
    y = rng.normal(1.0, 0.5, (n, targets)) if y is None else y
    return Tiles(
        pixels=rng.integers(0, 256, (n, side, side, 3), dtype=np.uint8) if pixels is None else pixels,
        core=sparse.csr_matrix(drawn.reshape(n * grid**2, -1), dtype=np.float32),
        targets=np.asarray(y, dtype=np.float32),
        n_transcripts=np.full(n, 1000),
        centre_um=np.zeros((n, 2)),
        group=np.full(n, "p"),
        core_genes=tuple(f"C{i}" for i in range(drawn.shape[-1])),
        addon_genes=tuple(f"T{i}" for i in range(np.shape(y)[1])),
        grid=grid,
        tile_um=32.0,
    )


def plan(**changes):
    """A short training."""
    settings = {"vit": TINY, "epochs": 3, "warmup_epochs": 1, "batch_size": 7, "head_rate": 3e-3, "backbone_rate": 1e-3}
    return TokenPlan(**(settings | changes))


def vit(grid=2, seed=0):
    """The tiny network for such tiles."""
    return build_vit(TINY, input_px=grid * PIXELS, patch_px=PIXELS, seed=seed)


def folds(n=30, k=2):
    """Each part of the tiles tested once, a sixth of the rest to stop by."""
    parts = np.array_split(np.arange(n), k)
    made = []
    for number, part in enumerate(parts):
        rest = np.setdiff1d(np.arange(n), part)
        made.append(TileFold(f"fold {number}", rest[len(rest) // 6 :], rest[: len(rest) // 6], part))
    return tuple(made)
