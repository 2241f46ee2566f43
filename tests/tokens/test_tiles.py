import numpy as np
import pytest

from beyond_alignment.datasets.patches import crop_square
from beyond_alignment.datasets.transcripts import TranscriptsOnImage
from beyond_alignment.errors import InputError
from beyond_alignment.tokens.tiles import make_tiles
from tests.tokens.fields import SMALL, field


def test_counts_targets_and_totals_are_those_of_the_transcripts():
    one = field()
    tiles = make_tiles([one], groups=["p"], **SMALL)
    table = one.transcripts.assign(x=one.transcripts["x"] * 0.5, y=one.transcripts["y"] * 0.5)
    assert len(tiles) == 7 * 5
    assert tiles.core.shape == (35 * 16, 4)
    for tile, (x, y) in enumerate(tiles.centre_um):
        held = table[table["x"].between(x - 20, x + 20) & table["y"].between(y - 20, y + 20)]
        counts = held["gene"].value_counts()
        assert tiles.n_transcripts[tile] == len(held)
        np.testing.assert_array_equal(tiles.core_per_tile()[tile], counts[list("ABCD")])
        np.testing.assert_allclose(tiles.targets[tile], np.log1p(counts[list("EF")]), rtol=1e-6)
        corner = held[(held["x"] < x - 10) & (held["y"] >= y + 10)]  # lower left of 4 x 4 patches
        assert tiles.core[tile * 16 + 12].sum() == corner["gene"].isin(list("ABCD")).sum()


def test_pixels_are_those_of_every_other_patch_of_the_package():
    one = field()
    tiles = make_tiles([one], groups=["p"], **SMALL)
    x, y = tiles.centre_um[9] / 0.5
    np.testing.assert_array_equal(tiles.pixels[9], crop_square(one.image, x, y, 40.0, 32, (0, 0, 0)))


def test_a_patch_of_the_image_holds_the_transcripts_of_its_row():
    image = np.zeros((64, 64, 3), dtype=np.uint8)
    image[8:16, 40:48] = 255  # patch 1 * 8 + 5 of 8 x 8
    table = {"gene": ["A", "B"], "x": [44.0, 1.0], "y": [12.0, 1.0]}
    one = TranscriptsOnImage(image, field().transcripts.iloc[:2].assign(**table), 1.0)
    tiles = make_tiles(
        [one], core_genes=["A"], addon_genes=["B"], groups=["p"], tile_um=64.0, stride_um=64.0, input_px=64, patch_px=8,
        min_transcripts=1,
    )  # fmt: skip
    bright = tiles.pixels[0].reshape(8, 8, 8, 8, 3).mean(axis=(1, 3, 4)).ravel()  # (patch,)
    assert bright.argmax() == tiles.core.toarray().argmax() == 13


def test_fields_follow_each_other_and_sparse_tiles_are_dropped():
    few, many = field(n=40, seed=1), field(n=9000, seed=2)
    tiles = make_tiles([few, many], groups=["p", "q"], **SMALL | {"min_transcripts": 300})
    assert set(tiles.group) == {"q"}
    assert tiles.n_transcripts.min() >= 300
    both = make_tiles([few, many], groups=["p", "q"], **SMALL)
    alone = make_tiles([many], groups=["q"], **SMALL)
    last = both.take(both.group == "q")
    np.testing.assert_array_equal(last.pixels, alone.pixels)
    np.testing.assert_array_equal(last.core.toarray(), alone.core.toarray())
    np.testing.assert_array_equal(last.targets, alone.targets)
    np.testing.assert_array_equal(last.centre_um, alone.centre_um)


def test_tiles_are_taken_by_position():
    tiles = make_tiles([field()], groups=["p"], **SMALL)
    some = tiles.take([4, 0, -1])
    np.testing.assert_array_equal(some.core_per_tile(), tiles.core_per_tile()[[4, 0, -1]])
    np.testing.assert_array_equal(some.core.toarray()[16:32], tiles.core.toarray()[:16])
    np.testing.assert_array_equal(some.pixels[0], tiles.pixels[4])
    assert len(some) == 3
    assert some.n_patches == 16


class Stripes:
    """An image of 6,000 x 6,000 pixels that is never whole in memory: a chequerboard of squares of 20 pixels."""

    shape = (6000, 6000, 3)
    largest = 0

    def __getitem__(self, window):
        rows, columns = (np.arange(part.start, part.stop) // 20 for part in window)
        self.largest = max(self.largest, len(rows) * len(columns))
        bright = ((rows[:, None] + columns) % 2 * 200).astype(np.uint8)
        return np.repeat(bright[..., None], 3, axis=2)


def test_a_section_is_read_window_by_window():
    table = field(n=40_000, height=6000, width=6000).transcripts
    section = TranscriptsOnImage(Stripes(), table, 0.5)
    tiles = make_tiles(
        [section], core_genes=["A"], addon_genes=["B"], groups=["p"], tile_um=100.0, stride_um=400.0, input_px=20,
        patch_px=10, min_transcripts=1,
    )  # fmt: skip
    assert len(tiles) == 64
    assert section.image.largest < 250**2  # a tile is 200 pixels wide
    inner = tiles.pixels[12].reshape(10, 2, 10, 2, 3)[:, 0, :, 0, 0]  # a pixel of each square
    np.testing.assert_array_equal(inner > 100, np.add.outer(np.arange(10), np.arange(10)) % 2 == 1)


def test_no_tile_with_enough_transcripts_names_the_fullest():
    fullest = make_tiles([field()], groups=["p"], **SMALL).n_transcripts.max()
    with pytest.raises(InputError, match=f"None of 35 tiles has 5000 transcripts, the fullest has {fullest}"):
        make_tiles([field()], groups=["p"], **SMALL | {"min_transcripts": 5000})
    with pytest.raises(InputError, match="does not divide"):
        make_tiles([field()], groups=["p"], **SMALL | {"patch_px": 7})
