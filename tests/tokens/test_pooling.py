import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.pooling import pool_transcripts, sum_patches, tile_lattice


def slow(x, y, gene, lattice, n_genes):
    """Count every transcript in every tile, one after the other."""
    counts = np.zeros((lattice.n_tiles, lattice.grid, lattice.grid, n_genes))
    patch = lattice.tile_um / lattice.grid
    for tile, (cx, cy) in enumerate(lattice.centres_um()):
        left, top = cx - lattice.tile_um / 2, cy - lattice.tile_um / 2
        for a, b, g in zip(x, y, gene, strict=True):
            if left <= a < left + lattice.tile_um and top <= b < top + lattice.tile_um:
                counts[tile, int((b - top) // patch), int((a - left) // patch), g] += 1
    return counts.reshape(-1, n_genes)


@pytest.mark.parametrize(
    ("tile_um", "stride_um", "grid"),
    [(32.0, 16.0, 4), (32.0, 32.0, 2), (32.0, 8.0, 3), (30.0, 12.5, 5), (20.0, 27.0, 4), (32.0, 16.0, 1)],
)
def test_counts_are_those_of_a_plain_loop(tile_um, stride_um, grid):
    rng = np.random.default_rng(1)
    x, y, gene = rng.uniform(-10, 130, 400), rng.uniform(-10, 110, 400), rng.integers(0, 3, 400)
    lattice = tile_lattice(100.0, 120.0, tile_um=tile_um, stride_um=stride_um, grid=grid)
    counts = pool_transcripts(x, y, gene, lattice=lattice, n_genes=3)
    assert counts.has_canonical_format
    np.testing.assert_array_equal(counts.toarray(), slow(x, y, gene, lattice, 3))


@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(0, 200), grid=st.integers(1, 5), across=st.integers(1, 4), down=st.integers(1, 4),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_nothing_is_lost_or_counted_twice_where_tiles_do_not_overlap(n, grid, across, down, seed):
    rng = np.random.default_rng(seed)
    x, y, gene = rng.uniform(0, 7 * across, n), rng.uniform(0, 7 * down, n), rng.integers(0, 4, n)
    lattice = tile_lattice(7.0 * down, 7.0 * across, tile_um=7.0, stride_um=7.0, grid=grid)
    assert (lattice.n_down, lattice.n_across) == (down, across)
    counts = pool_transcripts(x, y, gene, lattice=lattice, n_genes=4)
    np.testing.assert_array_equal(np.asarray(counts.sum(axis=0)).ravel(), np.bincount(gene, minlength=4))


def test_patches_add_up_to_the_tile():
    rng = np.random.default_rng(2)
    x, y, gene = rng.uniform(0, 200, 5000), rng.uniform(0, 150, 5000), rng.integers(0, 7, 5000)
    shape = {"tile_um": 64.0, "stride_um": 32.0}
    by_patch = pool_transcripts(x, y, gene, lattice=tile_lattice(150.0, 200.0, grid=7, **shape), n_genes=7)
    by_tile = pool_transcripts(x, y, gene, lattice=tile_lattice(150.0, 200.0, **shape), n_genes=7)
    before = by_patch.toarray()
    np.testing.assert_array_equal(sum_patches(by_patch, 49).toarray(), by_tile.toarray())
    np.testing.assert_array_equal(by_patch.toarray(), before)


def test_the_lattice_fills_a_field_and_not_more():
    lattice = tile_lattice(100.0, 130.0, tile_um=40.0, stride_um=30.0)
    assert (lattice.n_down, lattice.n_across) == (3, 4)
    np.testing.assert_allclose(lattice.centres_um()[[0, 1, 4, -1]], [[20, 20], [50, 20], [20, 50], [110, 80]])
    exact = tile_lattice(0.7, 0.7, tile_um=0.1, stride_um=0.1)  # 0.7 / 0.1 is a little less than 7
    assert exact.n_tiles == 49


def test_tiles_that_cannot_be_laid_are_refused():
    with pytest.raises(InputError, match="holds no tile of 50 um"):
        tile_lattice(40.0, 100.0, tile_um=50.0, stride_um=10.0)
    for wrong in ({"tile_um": 0.0}, {"stride_um": np.nan}, {"grid": 0}):
        with pytest.raises(InputError, match="give positive numbers"):
            tile_lattice(100.0, 100.0, **{"tile_um": 10.0, "stride_um": 5.0} | wrong)
