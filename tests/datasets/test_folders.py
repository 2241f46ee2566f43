import contextlib
import json

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import sparse

from beyond_alignment.datasets.folders import read_folder
from beyond_alignment.errors import InputError

BARCODES = ["AAA-1", "CCC-1", "GGG-1", "TTT-1"]
COUNTS = np.array([[1, 0, 2], [0, 3, 0], [0, 0, 4], [5, 5, 5]])  # spot, gene


def write_counts(path, barcodes=BARCODES, counts=COUNTS):
    """As Space Ranger and Xenium write their counts: compressed by cell, feature x barcode."""
    rows, columns = np.nonzero(counts)
    with h5py.File(path, "w") as store:
        group = store.create_group("matrix")
        group["barcodes"] = np.array(barcodes, dtype="S")
        group["data"] = counts[rows, columns].astype("i4")
        group["indices"] = columns.astype("i8")
        group["indptr"] = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(barcodes)))]).astype("i8")
        group["shape"] = np.array([3, len(barcodes)], dtype="i4")
        for name, values in {
            "id": ["E1", "E2", "E3"], "name": ["TP53", "PTGS2", "TP53"],
            "feature_type": ["Gene Expression"] * 3, "genome": ["GRCh38"] * 3,
        }.items():  # fmt: skip
            group[f"features/{name}"] = np.array(values, dtype="S")


def write_visium(folder, *, version=2, full=False, scales=None):
    """As Space Ranger 1 (list, no header), 2 (csv, header) or HD (parquet) writes a section at 0.5 um/px."""
    spatial = folder / "spatial"
    spatial.mkdir(parents=True)
    write_counts(folder / "filtered_feature_bc_matrix.h5")
    rows, columns = np.array([0, 0, 1, 2]), np.array([0, 2, 1, 4])
    table = pd.DataFrame({
        "barcode": BARCODES, "in_tissue": [1, 1, 1, 0], "array_row": rows, "array_col": columns,
        "pxl_row_in_fullres": 300 + rows * 50 * np.sqrt(3) / 0.5, "pxl_col_in_fullres": 400 + columns * 50 / 0.5,
    }).sample(frac=1, random_state=0)  # fmt: skip
    if version == 1:
        table.to_csv(spatial / "tissue_positions_list.csv", header=False, index=False)
    elif version == 2:
        table.to_csv(spatial / "tissue_positions.csv", index=False)
    else:
        table.to_parquet(spatial / "tissue_positions.parquet")
    found = {"tissue_hires_scalef": 0.1, "tissue_lowres_scalef": 0.03, "spot_diameter_fullres": 110.0} | (scales or {})
    (spatial / "scalefactors_json.json").write_text(json.dumps(found))
    Image.new("RGB", (200, 150), (230, 200, 220)).save(spatial / "tissue_hires_image.png")
    Image.new("RGB", (60, 45), (230, 200, 220)).save(spatial / "tissue_lowres_image.png")
    if full:
        Image.new("RGB", (2000, 1500), (230, 200, 220)).save(folder / "sample_image.tif")
    return folder


@pytest.mark.parametrize("version", [1, 2, 3])
def test_visium_is_read_as_space_ranger_writes_it(tmp_path, version):
    adata = read_folder(write_visium(tmp_path / "breast" / "outs", version=version))
    assert list(adata.obs_names) == BARCODES[:3]
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS[:3])
    assert list(adata.var_names) == ["TP53", "PTGS2", "TP53-1"]
    assert list(adata.var["ensembl_id"]) == ["E1", "E2", "E3"]
    np.testing.assert_allclose(adata.obsm["spatial"][:2], [[400, 300], [600, 300]])
    record = adata.uns["spatial"]["breast"]
    assert record["scalefactors"]["microns_per_pixel"] == pytest.approx(0.5)
    assert record["scalefactors"]["tissue_image_scalef"] == 0.1
    assert record["metadata"]["image"].endswith("tissue_hires_image.png")
    assert set(adata.obs["section"]) == {"breast"}


def test_the_full_image_and_the_stated_scale_win(tmp_path):
    folder = write_visium(tmp_path / "s", full=True, scales={"microns_per_pixel": 0.27})
    record = read_folder(folder).uns["spatial"]["s"]
    assert record["scalefactors"]["microns_per_pixel"] == 0.27
    assert record["scalefactors"]["tissue_image_scalef"] == 1.0
    assert record["metadata"]["image"].endswith("sample_image.tif")


def test_visium_without_its_own_subfolder_is_read(tmp_path):
    folder = write_visium(tmp_path / "s")
    for file in (folder / "spatial").iterdir():
        file.rename(folder / file.name)
    (folder / "spatial").rmdir()
    assert read_folder(folder).n_obs == 3


def test_what_is_missing_of_visium_is_named(tmp_path):
    def fails(words, change):
        folder = write_visium(tmp_path / str(len(list(tmp_path.iterdir()))))
        change(folder)
        with pytest.raises(InputError, match=words):
            read_folder(folder)

    fails("lacks scalefactors_json", lambda f: (f / "spatial" / "scalefactors_json.json").unlink())
    fails("cannot be read as JSON", lambda f: (f / "spatial" / "scalefactors_json.json").write_text("{"))
    fails("lacks tissue_positions.parquet or", lambda f: (f / "spatial" / "tissue_positions.csv").unlink())
    fails("lacks the columns", lambda f: (f / "spatial" / "tissue_positions.csv").write_text("a,b\n1,2\n"))
    fails("such as TTT-9", lambda f: write_counts(f / "filtered_feature_bc_matrix.h5", ["AAA-1", "TTT-9"], COUNTS[:2]))
    fails("10x counts", lambda f: (f / "filtered_feature_bc_matrix.h5").write_bytes(b"nothing"))


AFFINE = np.array([[0.0, -1.7, 900.0], [1.7, 0.0, 20.0], [0.0, 0.0, 1.0]])  # H&E pixel -> morphology pixel
HE_PIXELS = np.array([[100.0, 200.0], [30.0, 40.0], [111.5, 7.25], [0.0, 300.0]])


def write_xenium(folder, *, image=True, parquet=True):
    """As Xenium Onboard Analysis writes a section, at 0.2125 um/px."""
    folder.mkdir(parents=True)
    (folder / "experiment.xenium").write_text(json.dumps({"pixel_size": 0.2125, "run_name": "r"}))
    write_counts(folder / "cell_feature_matrix.h5")
    morphology = np.column_stack([HE_PIXELS, np.ones(4)]) @ AFFINE.T
    cells = pd.DataFrame(
        {"cell_id": BARCODES, "x_centroid": morphology[:, 0] * 0.2125, "y_centroid": morphology[:, 1] * 0.2125}
    ).iloc[::-1]
    if parquet:
        cells.assign(cell_id=[name.encode() for name in cells["cell_id"]]).to_parquet(folder / "cells.parquet")
    else:
        cells.to_csv(folder / "cells.csv.gz", index=False)
    if image:
        Image.new("RGB", (400, 400)).save(folder / "s_he_image.ome.tif", format="TIFF")
        pd.DataFrame(AFFINE).to_csv(folder / "s_he_imagealignment.csv", header=False, index=False)
    return folder


@pytest.mark.parametrize("parquet", [True, False])
def test_xenium_is_read_in_pixels_of_its_histology(tmp_path, parquet):
    adata = read_folder(write_xenium(tmp_path / "x", parquet=parquet))
    assert list(adata.obs_names) == BARCODES
    np.testing.assert_allclose(adata.obsm["spatial"], HE_PIXELS, atol=1e-9)
    record = adata.uns["spatial"]["x"]
    assert record["scalefactors"]["microns_per_pixel"] == pytest.approx(0.2125 * 1.7)
    assert record["metadata"]["image"].endswith("s_he_image.ome.tif")


def test_xenium_without_histology_keeps_the_morphology_image(tmp_path):
    adata = read_folder(write_xenium(tmp_path / "x", image=False))
    np.testing.assert_allclose(adata.obsm["spatial"][0], [900 - 340, 190])
    assert adata.uns["spatial"]["x"]["scalefactors"] == {"microns_per_pixel": 0.2125}
    assert adata.uns["spatial"]["x"]["metadata"] == {}


def test_what_is_missing_of_xenium_is_named(tmp_path):
    def fails(words, change):
        folder = write_xenium(tmp_path / str(len(list(tmp_path.iterdir()))))
        change(folder)
        with pytest.raises(InputError, match=words):
            read_folder(folder)

    fails("lacks .*he_imagealignment.csv", lambda f: (f / "s_he_imagealignment.csv").unlink())
    fails("no invertible", lambda f: (f / "s_he_imagealignment.csv").write_text("1,0,0\n2,0,0\n0,0,1\n"))
    fails("no invertible", lambda f: (f / "s_he_imagealignment.csv").write_text("a,b\n"))
    fails("pixel_size", lambda f: (f / "experiment.xenium").write_text("{}"))
    fails("lacks .*cells.parquet", lambda f: (f / "cells.parquet").unlink())
    fails("cannot be read as a table", lambda f: (f / "cells.parquet").write_bytes(b"PAR1"))
    fails("lacks .*cell_feature_matrix", lambda f: (f / "cell_feature_matrix.h5").unlink())


def write_hest(folder, samples=("TENX1", "NCBI2"), *, slides=True, patches=True):
    """As HEST-1k lays out its samples."""
    for part in ("st", "wsis", "patches", "metadata"):
        (folder / part).mkdir(parents=True)
    for number, name in enumerate(samples):
        adata = ad.AnnData(sparse.csr_matrix(COUNTS[:, : 3 - number].astype("f4")))
        adata.obs_names, adata.var_names = BARCODES, ["A", "B", "C"][: 3 - number]
        adata.obs["in_tissue"] = 1
        adata.obsm["spatial"] = np.array([[40, 50], [90, 50], [140, 50], [90, 100]])
        adata.uns["spatial"] = {"ST": {"images": {}, "scalefactors": {"spot_diameter_fullres": 30.0}}}
        adata.write_h5ad(folder / "st" / f"{name}.h5ad")
        (folder / "metadata" / f"{name}.json").write_text(json.dumps({"pixel_size_um_estimated": 0.5 + number}))
        if slides:
            noise = np.random.default_rng(number).integers(0, 256, (160, 200, 3), dtype=np.uint8)
            Image.fromarray(noise).save(folder / "wsis" / f"{name}.tif")
        if patches:
            with h5py.File(folder / "patches" / f"{name}.h5", "w") as file:
                file["img"] = np.random.default_rng(number).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
                file["barcode"] = np.array(BARCODES[2::-1], dtype="S")[:, None]
    return folder


def test_hest_is_read_with_a_section_a_sample(tmp_path):
    adata = read_folder(write_hest(tmp_path / "hest"))
    assert list(adata.obs["section"].cat.categories) == ["NCBI2", "TENX1"]
    assert adata.obs_names[0] == "NCBI2_AAA-1"
    assert adata.shape == (8, 3)
    np.testing.assert_array_equal(adata[adata.obs["section"] == "TENX1"].X.toarray(), COUNTS)
    np.testing.assert_array_equal(adata[adata.obs["section"] == "NCBI2", "C"].X.toarray(), 0)
    record = adata.uns["spatial"]["NCBI2"]
    assert record["scalefactors"] == {
        "microns_per_pixel": 1.5,
        "spot_diameter_fullres": 30.0,
        "tissue_image_scalef": 1.0,
    }
    assert record["metadata"]["image"].endswith("wsis/NCBI2.tif")
    assert record["metadata"]["patches"].endswith("patches/NCBI2.h5")
    single = read_folder(write_hest(tmp_path / "one", ("TENX1",), slides=False))
    assert list(single.obs_names) == BARCODES
    assert "image" not in single.uns["spatial"]["TENX1"]["metadata"]


def test_what_is_missing_of_hest_is_named(tmp_path):
    with pytest.raises(InputError, match=r"neither wsis/TENX1\.tif nor patches/TENX1\.h5"):
        read_folder(write_hest(tmp_path / "a", ("TENX1",), slides=False, patches=False))
    (write_hest(tmp_path / "b", ("TENX1",)) / "st" / "TENX1.h5ad").write_bytes(b"no")
    with pytest.raises(InputError, match=r"TENX1\.h5ad cannot be read"):
        read_folder(tmp_path / "b")


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="laid out like none"):
        read_folder(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        read_folder(tmp_path / "none")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    file=st.sampled_from(
        ["spatial/tissue_positions.csv", "spatial/scalefactors_json.json", "filtered_feature_bc_matrix.h5"]
    ),
    cut=st.floats(0.0, 1.0), junk=st.binary(max_size=8),
)  # fmt: skip
def test_a_damaged_folder_gives_data_or_a_sentence(tmp_path_factory, file, cut, junk):
    folder = write_visium(tmp_path_factory.mktemp("v") / "s")
    content = (folder / file).read_bytes()
    place = int(cut * len(content))
    (folder / file).write_bytes(content[:place] + junk + content[place + len(junk) :])
    with contextlib.suppress(InputError):
        assert read_folder(folder).obsm["spatial"].shape[1] == 2
