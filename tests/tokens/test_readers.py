import json

import numpy as np
import pandas as pd
import pytest
import zarr

from beyond_alignment.datasets import transcripts_on_image
from beyond_alignment.errors import InputError
from beyond_alignment.tokens.readers import read_xenium_field
from beyond_alignment.tokens.tiles import make_tiles
from tests.datasets.test_folders import AFFINE, write_xenium
from tests.experts.slide_images import tissue, write_pyramid

PIXEL_UM, N = 0.2125, 400
NAMES = ["EPCAM", "CD4", "NegControlProbe_00042", "BLANK_0069", "antisense_TRMU", "UnassignedCodeword_0001"]


def table_of_transcripts(seed=0):
    """Transcripts with their place in the H&E image (320 x 240 pixels)."""
    rng = np.random.default_rng(seed)
    he = rng.uniform((0, 0), (320, 240), (N, 2))
    morphology = np.column_stack([he, np.ones(N)]) @ AFFINE.T * PIXEL_UM
    table = pd.DataFrame(
        {
            "transcript_id": np.arange(N, dtype=np.uint64), "cell_id": "AAA-1", "overlaps_nucleus": np.uint8(0),
            "feature_name": rng.choice(NAMES, N, p=[0.4, 0.3, 0.1, 0.1, 0.05, 0.05]),
            "x_location": morphology[:, 0].astype(np.float32), "y_location": morphology[:, 1].astype(np.float32),
            "z_location": np.float32(10), "qv": rng.choice([12.5, 20.0, 40.0], N).astype(np.float32),
        }
    )  # fmt: skip
    return table, he


def folder_of_xenium(path, *, decoded=True, n_levels=2):
    """As Xenium Onboard Analysis writes a section."""
    folder = write_xenium(path)
    write_pyramid(folder / "s_he_image.ome.tif", tissue(240, 320), n_levels=n_levels)
    table, he = table_of_transcripts()
    if not decoded:
        table["feature_name"] = table["feature_name"].str.encode("utf-8")
    table.to_parquet(folder / "transcripts.parquet", index=False)
    return folder, table, he


@pytest.mark.parametrize("decoded", [True, False])
def test_a_xenium_folder_is_read_in_pixels_of_its_histology(tmp_path, decoded):
    folder, _, he = folder_of_xenium(tmp_path / "x", decoded=decoded)
    table, _ = table_of_transcripts()
    field = read_xenium_field(folder)
    kept = (table["qv"] >= 20) & table["feature_name"].isin(["EPCAM", "CD4"])
    assert field.transcripts["gene"].tolist() == table["feature_name"][kept].tolist()
    assert list(field.transcripts["gene"].cat.categories) == ["CD4", "EPCAM"]
    np.testing.assert_allclose(field.transcripts[["x", "y"]], he[kept], atol=1e-3)
    assert field.microns_per_pixel == pytest.approx(PIXEL_UM * 1.7)
    np.testing.assert_array_equal(field.image[0:240, 0:320], tissue(240, 320))
    every = read_xenium_field(folder, min_quality=0.0)
    assert len(every.transcripts) == table["feature_name"].isin(["EPCAM", "CD4"]).sum()


def test_tiles_are_cut_from_a_xenium_folder(tmp_path):
    folder, table, he = folder_of_xenium(tmp_path / "x")
    side = 80 * PIXEL_UM * 1.7
    tiles = make_tiles(
        [read_xenium_field(folder)], core_genes=["CD4"], addon_genes=["EPCAM"], groups=["x"], tile_um=side,
        stride_um=side, input_px=32, patch_px=16, min_transcripts=1,
    )  # fmt: skip
    assert len(tiles) == 12
    good = (table["qv"] >= 20).to_numpy()
    cd4 = he[good & (table["feature_name"] == "CD4").to_numpy()]
    expected = np.histogram2d(cd4[:, 1], cd4[:, 0], bins=[np.arange(0, 241, 80), np.arange(0, 321, 80)])[0]
    np.testing.assert_array_equal(tiles.core_per_tile()[:, 0].reshape(3, 4), expected)


def test_the_column_of_newer_versions_tells_genes(tmp_path):
    folder, table, _ = folder_of_xenium(tmp_path / "x")
    table.assign(is_gene=table["feature_name"] == "CD4").to_parquet(folder / "transcripts.parquet")
    assert set(read_xenium_field(folder).transcripts["gene"]) == {"CD4"}


@pytest.mark.filterwarnings("ignore")
def test_a_xenium_folder_is_read_to_what_spatialdata_io_makes_of_it(tmp_path):
    peer = pytest.importorskip("spatialdata_io", reason="spatialdata-io is not installed")
    folder, _, _ = folder_of_xenium(tmp_path / "x", n_levels=1)
    said = json.loads((folder / "experiment.xenium").read_text())
    (folder / "experiment.xenium").write_text(json.dumps(said | {"analysis_sw_version": "xenium-1.0.2"}))
    with zarr.storage.ZipStore(folder / "cells.zarr.zip", mode="w") as store:
        zarr.create_group(store, zarr_format=2).create_array("cell_id", data=np.arange(1, 5, dtype=np.uint32))
    cells = pd.read_parquet(folder / "cells.parquet").set_index("cell_id").loc[[b"AAA-1", b"CCC-1", b"GGG-1", b"TTT-1"]]
    cells.assign(cell_area=80.0, nucleus_area=20.0).reset_index().to_parquet(folder / "cells.parquet")
    parts = ("cells_boundaries", "nucleus_boundaries", "cells_as_circles", "cells_labels", "nucleus_labels",
             "morphology_mip", "morphology_focus")  # fmt: skip
    store = peer.xenium(folder, **dict.fromkeys(parts, False))
    theirs, ours = transcripts_on_image(store, min_quality=20.0), read_xenium_field(folder)
    genes = theirs.transcripts[theirs.transcripts["gene"].isin(["CD4", "EPCAM"])]
    order = [frame.sort_values(["x", "y"]).reset_index(drop=True) for frame in (genes, ours.transcripts)]
    np.testing.assert_allclose(order[0][["x", "y"]], order[1][["x", "y"]], atol=1e-3)
    assert order[0]["gene"].tolist() == order[1]["gene"].tolist()
    assert ours.microns_per_pixel == pytest.approx(theirs.microns_per_pixel)
    np.testing.assert_array_equal(ours.image[0:240, 0:320], theirs.image)


def test_what_is_missing_of_a_xenium_folder_is_named(tmp_path):
    def fails(words, change):
        folder, _, _ = folder_of_xenium(tmp_path / str(len(list(tmp_path.iterdir()))))
        change(folder)
        with pytest.raises(InputError, match=words):
            read_xenium_field(folder)

    fails("lacks .*he_imagealignment.csv", lambda f: (f / "s_he_imagealignment.csv").unlink())
    fails("lacks .*he_image.ome.tif", lambda f: (f / "s_he_image.ome.tif").unlink())
    fails("lacks .*transcripts.parquet", lambda f: (f / "transcripts.parquet").unlink())
    fails("pixel_size", lambda f: (f / "experiment.xenium").write_text("{}"))
    fails("cannot be read as a table", lambda f: (f / "transcripts.parquet").write_bytes(b"PAR1"))
    fails("lacks the columns x_location", lambda f: pd.DataFrame({"a": [1]}).to_parquet(f / "transcripts.parquet"))
    fails("score of 20 or more", lambda f: _all_poor(f / "transcripts.parquet"))


def _all_poor(path):
    pd.read_parquet(path).assign(qv=np.float32(3)).to_parquet(path)
