"""Run with `pytest benchmarks/test_pooling.py -s`: transcripts into tiles x patches x genes, against a pandas groupby.

The section is 10 x 10 mm with tiles of 256 um every 128 um, 14 x 14 patches a tile and 480 genes. The groupby takes the
same transcripts, names tile and patch of each for the four tiles that hold it, and counts by tile, patch and gene.
"""

import time

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from beyond_alignment.tokens.pooling import TileLattice, pool_transcripts, tile_lattice

SIDE_UM, TILE_UM, STRIDE_UM, GRID, N_GENES = 10_000.0, 256.0, 128.0, 14, 480
PROMISED = 3.0


def draw(n: int, *, seed: int = 0):
    """Return positions in microns and gene numbers, as a reader gives them."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, SIDE_UM, (2, n))
    return x, y, rng.integers(0, N_GENES, n)


def by_groupby(x, y, gene, lattice: TileLattice) -> sparse.csr_matrix:
    """Count with pandas."""
    parts = []
    for across in range(2):
        for down in range(2):
            table = pd.DataFrame({"x": x, "y": y, "gene": gene})
            table["column"], table["row"] = table["x"] // STRIDE_UM - across, table["y"] // STRIDE_UM - down
            table = table[
                table["column"].between(0, lattice.n_across - 1) & table["row"].between(0, lattice.n_down - 1)
            ]
            patch_x = (table["x"] - table["column"] * STRIDE_UM) // (TILE_UM / GRID)
            patch_y = (table["y"] - table["row"] * STRIDE_UM) // (TILE_UM / GRID)
            tile = table["row"] * lattice.n_across + table["column"]
            parts.append(table.assign(token=(tile * GRID + patch_y) * GRID + patch_x)[["token", "gene"]])
    counts = pd.concat(parts).astype({"token": "int64"}).groupby(["token", "gene"]).size()
    token, column = (counts.index.get_level_values(level).to_numpy() for level in (0, 1))
    shape = (lattice.n_tiles * GRID**2, N_GENES)
    return sparse.csr_matrix((counts.to_numpy(dtype=np.float32), (token, column)), shape=shape)


@pytest.fixture(scope="module")
def lattice():
    """Lay the tiles of the section."""
    return tile_lattice(SIDE_UM, SIDE_UM, tile_um=TILE_UM, stride_um=STRIDE_UM, grid=GRID)


def test_ratio_to_a_groupby(lattice):
    """Processor seconds of the groupby over ours, two million transcripts, the same counts."""
    given = draw(2_000_000)
    seconds, counts = {}, {}
    for name, run in {"ours": pool, "groupby": by_groupby}.items():
        start = time.process_time()
        counts[name] = run(*given, lattice)
        seconds[name] = time.process_time() - start
    assert abs(counts["ours"] - counts["groupby"]).sum() == 0
    ratio = seconds["groupby"] / seconds["ours"]
    print(f"\n2 million transcripts: groupby {seconds['groupby']:.1f} s, ours {seconds['ours']:.1f} s, {ratio:.1f}")
    assert ratio >= PROMISED


def test_ten_million(benchmark, lattice):
    """Ten million transcripts of a section, once."""
    given = draw(10_000_000)
    start = time.process_time()
    counts = benchmark.pedantic(pool, args=(*given, lattice), rounds=1, iterations=1)
    seconds = time.process_time() - start
    print(
        f"\n10 million transcripts: {seconds:.1f} s of the processor, {counts.nnz:,} counts in {lattice.n_tiles} tiles"
    )
    assert 3.8e7 < counts.sum() <= 4e7  # in four tiles each, in fewer at the rim


def pool(x, y, gene, lattice: TileLattice) -> sparse.csr_matrix:
    """Count as the package does."""
    return pool_transcripts(x, y, gene, lattice=lattice, n_genes=N_GENES)
