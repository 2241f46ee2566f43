import anndata as ad
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from beyond_alignment.experts.embedding_file import write_embedding_file
from beyond_alignment.experts.registry import get_expert
from tests.datasets.test_folders import BARCODES, write_hest, write_visium
from tests.experts.slide_images import tissue

from .conftest import run


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("BEYOND_ALIGNMENT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def data(tmp_path):
    adata = ad.AnnData(np.ones((4, 3), np.float32), obs=pd.DataFrame({"a": 1}, index=BARCODES))
    adata.var_names = ["TP53", "PTGS2", "ERBB2"]
    adata.obsm["spatial"] = np.array([[200.0, 200.0], [400.0, 300.0], [10.0, 300.0], [600.0, 400.0]])
    adata.write_h5ad(tmp_path / "own.h5ad")
    Image.fromarray(tissue()).save(tmp_path / "he.png")
    return tmp_path / "own.h5ad"


def colour(data, *more):
    return run("embed", data, "--expert", "colour", "--device", "cpu", *more)


def test_an_embedding_is_added_in_place(data):
    scale = ("--image", data.with_name("he.png"), "--microns-per-pixel", "0.5")
    code, out, err = colour(data, *scale, "--field-of-view-um", "40")
    assert (code, err) == (0, "Note: he.png is coarser than what the expert reads: patches are enlarged 2.8 times.\n")
    assert "obsm['X_colour_40um'] 4 x 6, 1 padded at the edge" in out
    assert colour(data, *scale)[0] == 0
    code, out, _ = colour(data, *scale)
    assert "4 from the cache" in out
    adata = ad.read_h5ad(data)
    assert {"X_colour", "X_colour_40um", "spatial"} <= set(adata.obsm)
    patch = tissue()[160:240, 160:240].reshape(-1, 3) / 255
    found = adata.obsm["X_colour_40um"][0]
    np.testing.assert_allclose(found, np.concatenate([patch.mean(axis=0), patch.std(axis=0)]), atol=0.02)
    assert adata.uns["colour_40um"]["params"]["field_of_view_um"] == 40.0
    np.testing.assert_array_equal(adata.X, 1)


def test_spots_over_the_edge_can_be_dropped_into_another_file(data, tmp_path):
    before = data.read_bytes()
    code, out, _ = colour(
        data, "--image", tmp_path / "he.png", "--microns-per-pixel", "1", "--edge", "drop", "--no-cache",
        "--out", tmp_path / "new" / "out.h5ad",
    )  # fmt: skip
    assert (code, "1 dropped" in out) == (0, True)
    assert ad.read_h5ad(tmp_path / "new" / "out.h5ad").n_obs == 3
    assert data.read_bytes() == before
    assert not (tmp_path / "cache").exists()


def test_folders_become_files(tmp_path):
    for folder in (write_visium(tmp_path / "v", full=True), write_hest(tmp_path / "h")):
        code, _, err = colour(folder)
        assert code == 0, err
        adata = ad.read_h5ad(folder.with_suffix(".h5ad"))
        assert adata.obsm["X_colour"].shape == (adata.n_obs, 6)
        code, _, err = colour(folder)
        assert (code, "is there already" in err) == (2, True)


def test_what_cannot_be_done_is_one_sentence_and_changes_nothing(data, tmp_path):
    before = data.read_bytes()
    picture = ("--image", tmp_path / "he.png")
    (tmp_path / "broken.h5ad").write_bytes(b"no")
    (tmp_path / "cut.png").write_bytes((tmp_path / "he.png").read_bytes()[:3000])
    for arguments, words in (
        ((data, "--expert", "none"), "no expert 'none'"),
        ((tmp_path / "no.h5ad", "--expert", "colour"), "There is no"),
        ((tmp_path / "broken.h5ad", "--expert", "colour"), "cannot be read"),
        ((data, "--expert", "colour"), "has no image"),
        ((data, "--expert", "colour", *picture), "microns per pixel"),
        ((data, "--expert", "colour", *picture, "--microns-per-pixel", "-1"), "positive"),
        ((data, "--expert", "colour", "--image", tmp_path / "cut.png", "--microns-per-pixel", "1"), "cut.png"),
        ((data, "--expert", "colour", *picture, "--microns-per-pixel", "1", "--out", tmp_path), "is a folder"),
        ((data, "--expert", "scgpt"), "own environment"),
        ((data, "--expert", "pca"), "each fold"),
        ((data, "--expert", "hallmark", *picture), "leave them out"),
        ((data, "--expert", "scgpt", "--from-file", tmp_path / "none.h5"), "none.h5"),
        ((data, "--expert", "uni", "--weights", tmp_path / "none.bin", *picture), "none.bin"),
    ):
        code, _, err = run("embed", *arguments)
        assert code == 2, (arguments, err)
        assert words in err
        assert len(err.strip().splitlines()) == 1
    assert data.read_bytes() == before


def test_a_file_of_an_expert_that_runs_elsewhere_is_attached(data, tmp_path):
    values = np.random.default_rng(0).normal(size=(4, get_expert("scgpt").dimension)).astype(np.float32)
    write_embedding_file(tmp_path / "e.h5", values, BARCODES[::-1], expert="scgpt", provenance={"made": "for a test"})
    code, _, err = run("embed", data, "--expert", "scgpt", "--from-file", tmp_path / "e.h5")
    assert (code, err) == (0, "")
    np.testing.assert_array_equal(ad.read_h5ad(data).obsm["X_scgpt"], values[::-1])
    code, _, err = run("embed", data, "--expert", "uce", "--from-file", tmp_path / "e.h5")
    assert (code, "holds embeddings of scgpt" in err) == (2, True)
