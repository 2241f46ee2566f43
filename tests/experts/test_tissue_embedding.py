import anndata as ad
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from beyond_alignment.datasets.folders import read_folder
from beyond_alignment.errors import InputError
from beyond_alignment.experts.extraction import embed_slide
from beyond_alignment.experts.slides import open_slide
from beyond_alignment.experts.tissue_embedding import embed_tissue
from tests.datasets.test_folders import BARCODES, write_hest, write_visium, write_xenium
from tests.experts.slide_images import MPP, small_model, tissue, write_pyramid

IMAGE = tissue()
CENTRES = np.array([[200.0, 200.0], [400.0, 300.0], [10.0, 300.0], [600.0, 400.0]])


@pytest.fixture
def model():
    return small_model()


def spots(section=None, **library):
    adata = ad.AnnData(np.ones((4, 2), np.float32), obs=pd.DataFrame(index=BARCODES))
    adata.obsm["spatial"] = CENTRES.copy()
    if section:
        adata.obs["section"] = section
    if library:
        adata.uns["spatial"] = {"S": {"scalefactors": {}, "metadata": {}} | library}
    return adata


def embed(adata, model, **options):
    return embed_tissue(adata, model=model, device="cpu", progress=False, **options)


def wanted(model, **options):
    return embed_slide(open_slide(IMAGE, microns_per_pixel=MPP), CENTRES, model=model, device="cpu", **options).values


def test_a_file_beside_the_data_is_embedded_with_its_provenance(model, tmp_path):
    write_pyramid(tmp_path / "s.tif", IMAGE)
    adata = spots(metadata={"image": "s.tif"})
    found = embed(adata, model, base=tmp_path)
    assert found.name == "means"
    np.testing.assert_allclose(adata.obsm[f"X_{found.name}"], wanted(model), atol=0.02)  # of level 1
    params = adata.uns[found.name]["params"]
    assert list(params["sections"]) == ["S"]
    assert list(params["n_padded"]) == [1]
    assert params["weights_sha256"] == ""
    assert len(params["state_sha256"]) == 64
    assert len(params["image_sha256"][0]) == 64
    assert params["field_of_view_um"] == 16.0
    assert params["slide_microns_per_pixel"][0] == pytest.approx(MPP, rel=1e-4)
    assert params["precision"] == "float32"
    adata.write_h5ad(tmp_path / "out.h5ad")


def test_a_given_image_scale_and_field_win(model, tmp_path):
    Image.fromarray(IMAGE).save(tmp_path / "given.png")
    adata = spots(scalefactors={"microns_per_pixel": 9.0})
    found = embed(adata, model, image=tmp_path / "given.png", microns_per_pixel=MPP, field_of_view_um=24.0)
    assert found.name.endswith("_24um")
    np.testing.assert_array_equal(adata.obsm[f"X_{found.name}"], wanted(model, field_of_view_um=24.0))


def test_copies_within_the_data_are_used_at_their_scale(model):
    adata = spots(
        images={"hires": (IMAGE / 255).astype(np.float32), "lowres": IMAGE[:10]},
        scalefactors={"microns_per_pixel": MPP / 2, "tissue_hires_scalef": 0.5, "tissue_lowres_scalef": 0.1},
    )
    adata.obsm["spatial"] *= 2
    found = embed(adata, model)
    np.testing.assert_array_equal(adata.obsm[f"X_{found.name}"], wanted(model))


def test_spots_over_the_edge_are_dropped_when_told(model):
    library = {"images": {"hires": IMAGE}, "scalefactors": {"microns_per_pixel": MPP, "tissue_hires_scalef": 1.0}}
    adata = spots(**library)
    found = embed(adata, model, edge="drop")
    assert (found.n_dropped, found.adata.n_obs, adata.n_obs) == (1, 3, 4)
    assert list(found.adata.obs_names) == ["AAA-1", "CCC-1", "TTT-1"]
    np.testing.assert_allclose(found.adata.obsm[f"X_{found.name}"], wanted(model)[[0, 1, 3]], rtol=1e-5)


def test_the_projects_own_data_are_read_through_the_registry(model, monkeypatch):
    adata = spots("S", metadata={"image": "x.jpg"}, scalefactors={"microns_per_pixel": MPP, "tissue_image_scalef": 1.0})
    adata.uns["dataset"] = {"name": "her2st"}
    monkeypatch.setattr("beyond_alignment.experts.section_images.read_image", lambda adata, section: IMAGE)
    found = embed(adata, model)
    np.testing.assert_array_equal(adata.obsm[f"X_{found.name}"], wanted(model))


def test_what_is_missing_is_named(model, tmp_path):
    Image.fromarray(IMAGE).save(tmp_path / "i.png")
    with pytest.raises(InputError, match="'all' has no image"):
        embed(spots(), model)
    with pytest.raises(InputError, match="There is no image"):
        embed(spots(metadata={"image": "gone.tif"}), model, base=tmp_path)
    with pytest.raises(InputError, match="give its microns per pixel"):
        embed(spots(), model, image=tmp_path / "i.png")
    with pytest.raises(InputError, match="2 sections"):
        embed(spots(["S", "S", "T", "T"]), model, image=tmp_path / "i.png")
    lost = spots()
    del lost.obsm["spatial"]
    with pytest.raises(InputError, match=r"no obsm\['spatial'\]"):
        embed(lost, model)
    with pytest.raises(InputError, match="No spot is left"):
        embed(spots(), model, image=tmp_path / "i.png", microns_per_pixel=0.001, edge="drop")


def test_folders_go_from_image_and_coordinates_to_embeddings(model, tmp_path):
    for folder in (
        write_visium(tmp_path / "visium", full=True),
        write_xenium(tmp_path / "xenium"),
        write_hest(tmp_path / "hest"),
    ):
        adata = read_folder(folder)
        found = embed(adata, model)
        assert np.isfinite(found.adata.obsm[f"X_{found.name}"]).all()
        found.adata.write_h5ad(tmp_path / "out.h5ad")


def test_stored_patches_are_joined_by_barcode(model, tmp_path):
    adata = read_folder(write_hest(tmp_path / "hest", slides=False))
    found = embed(adata, model, cache_dir=tmp_path / "cache")
    assert (found.n_dropped, found.adata.n_obs) == (2, 6)
    assert "NCBI2_TTT-1" not in found.adata.obs_names
    values = pd.DataFrame(found.adata.obsm[f"X_{found.name}"], index=found.adata.obs_names)
    image = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)[2]  # of AAA-1, stored last
    big = np.asarray(Image.fromarray(image).resize((32, 32), Image.Resampling.BILINEAR))
    mean, sd = np.array(model.expert.mean), np.array(model.expert.sd)
    quarter = ((big[:16, :16] / 255 - mean) / sd).mean(axis=(0, 1))
    weight = np.linspace(0.5, 1.5, 12)
    np.testing.assert_allclose(values.loc["TENX1_AAA-1"].to_numpy()[[0, 4, 8]], quarter * weight[[0, 4, 8]], rtol=1e-4)
    with pytest.raises(InputError, match="are 4 um wide, not 100 um"):
        embed(read_folder(tmp_path / "hest"), model, field_of_view_um=100.0)
