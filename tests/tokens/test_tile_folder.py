import numpy as np
import pytest

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.tile_folder import open_tiles, write_tiles
from beyond_alignment.tokens.tiles import make_tiles
from tests.tokens.fields import SMALL, field


@pytest.mark.parametrize("in_place", [True, False])
def test_tiles_are_opened_as_they_were_written(tmp_path, in_place):
    place = tmp_path / "tiles" / "pixels.npy"
    tiles = make_tiles([field()], groups=["p"], pixels_file=place if in_place else None, **SMALL)
    for _ in range(2):
        write_tiles(tiles, tmp_path / "tiles")
    again = open_tiles(tmp_path / "tiles")
    assert isinstance(again.pixels, np.memmap)
    for name in ("pixels", "targets", "n_transcripts", "centre_um", "group"):
        np.testing.assert_array_equal(getattr(again, name), getattr(tiles, name))
    np.testing.assert_array_equal(again.core.toarray(), tiles.core.toarray())
    assert (again.core_genes, again.addon_genes, again.grid, again.tile_um) == (
        tiles.core_genes, tiles.addon_genes, tiles.grid, tiles.tile_um,
    )  # fmt: skip
    assert sorted(file.name for file in (tmp_path / "tiles").iterdir()) == [
        "core.npz", "names.json", "pixels.npy", "table.npz",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["names.json", "core.npz", "table.npz", "pixels.npy"])
def test_half_a_folder_is_refused(tmp_path, name):
    write_tiles(make_tiles([field()], groups=["p"], **SMALL), tmp_path)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="holds no whole set of tiles"):
        open_tiles(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(InputError, match="holds no whole set of tiles"):
        open_tiles(tmp_path)


def test_files_of_different_tiles_are_refused(tmp_path):
    write_tiles(make_tiles([field()], groups=["p"], **SMALL), tmp_path)
    write_tiles(make_tiles([field(width=400)], groups=["p"], **SMALL), tmp_path / "other")
    (tmp_path / "other" / "pixels.npy").replace(tmp_path / "pixels.npy")
    with pytest.raises(InputError, match="of different tiles"):
        open_tiles(tmp_path)
