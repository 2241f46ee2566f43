"""No spot, no neighbour within the buffer and no fitted statistic crosses a split."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from beyond_alignment.errors import InputError
from beyond_alignment.tasks.splits import leave_one_group_out, make_splits, microns, spatial_blocks, tiles
from tests.tissue import make_tissue


def test_every_spot_is_tested_once_and_never_by_its_own_donor():
    adata = make_tissue()
    splits = make_splits(adata, "donor")
    assert sorted(np.concatenate([split.test for split in splits])) == list(range(adata.n_obs))
    donors = adata.obs["donor"].to_numpy()
    for split in splits:
        assert not set(donors[split.train]) & set(donors[split.test])


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_blocks=st.integers(2, 5),
    buffer_um=st.floats(0, 700),
    n=st.integers(40, 150),
)
def test_no_training_spot_lies_within_the_buffer_of_a_test_spot(seed, n_blocks, buffer_um, n):
    points = np.random.default_rng(seed).uniform(0, 6000, (n, 2))
    try:
        splits = spatial_blocks(points, n_blocks=n_blocks, buffer_um=buffer_um, seed=seed)
    except InputError:  # two blocks so near that the buffer eats a whole training part
        assume(False)
    assert sorted(np.concatenate([split.test for split in splits])) == list(range(n))
    for split in splits:
        assert not set(split.train) & set(split.test)
        assert cdist(points[split.train], points[split.test], "chebyshev").min() > buffer_um


def test_patches_on_both_sides_of_a_block_share_no_pixel():
    adata = make_tissue(side=20, sections=("A1",))
    field_um = 600.0
    for split in make_splits(adata, "block", n_blocks=4, buffer_um=field_um):
        points = microns(adata)
        apart = np.abs(points[split.train][:, None] - points[split.test][None]).max(axis=2)
        assert (apart > field_um).all()  # two squares of that side, centred there, do not touch


def test_coordinates_become_microns_whatever_the_resolution():
    points = microns(make_tissue(pitch_um=200.0))
    assert np.allclose(np.unique(np.round(points, 6)), np.arange(8) * 200.0)


def test_tiles_are_squares_within_a_section():
    adata = make_tissue()
    names = tiles(adata, side_um=1000.0)
    assert len(np.unique(names)) == 3 * 4  # 1.4 mm a side: 2 x 2 tiles in each of three sections
    assert all(name.split(":")[0] == section for name, section in zip(names, adata.obs["section"], strict=True))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: leave_one_group_out(["a", "a"]), "Only one group"),
        (lambda: spatial_blocks(np.full((10, 2), np.nan), n_blocks=2, buffer_um=1), "finite"),
        (lambda: spatial_blocks(np.zeros((10, 3)), n_blocks=2, buffer_um=1), "(spot, 2)"),
        (lambda: spatial_blocks(np.zeros((10, 2)), n_blocks=2, buffer_um=1), "2 or more blocks"),
        (lambda: spatial_blocks(np.random.default_rng(0).random((10, 2)), n_blocks=2, buffer_um=-1), "2 or more"),
        (lambda: spatial_blocks(np.random.default_rng(0).random((10, 2)), n_blocks=2, buffer_um=9), "narrower"),
        (lambda: make_splits(make_tissue(), "spot"), "Unknown split"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(InputError, match=said.replace("(", r"\(").replace(")", r"\)")):
        call()
