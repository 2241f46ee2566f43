import anndata as ad
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from skimage import color

from beyond_alignment.datasets import images
from beyond_alignment.datasets.images import (
    GLASS,
    background_colour,
    clear_overview,
    combine,
    image_provenance,
    open_image,
    read_image,
)
from beyond_alignment.errors import InputError


def tissue(dataset, image):
    adata = ad.AnnData(obs=pd.DataFrame({"section": ["S"]}, index=["s"]))
    adata.uns["dataset"] = {"name": dataset}
    adata.uns["spatial"] = {"S": {"metadata": {"image": image} if image else {}}}
    return adata


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "fetch", lambda dataset, path, **_: tmp_path / path)
    return tmp_path


def blacked_out():
    frame = np.zeros((60, 80, 3), dtype=np.uint8)
    frame[20:50, 10:60] = (180, 100, 160)
    frame[30:32, 30:32] = 3
    frame[:12, 65:] = (250, 0, 0)
    return frame


def test_overview_keeps_the_tissue_and_its_dark_nuclei_and_nothing_else(files):
    Image.fromarray(blacked_out()).save(files / "frame.png")
    image = read_image(tissue("her2st", "frame.png"), "S")
    expected = np.full((60, 80, 3), GLASS, dtype=np.uint8)
    expected[22:48, 12:58] = (180, 100, 160)
    expected[30:32, 30:32] = 3
    np.testing.assert_array_equal(image, expected)
    assert "glass" in image_provenance(tissue("her2st", "frame.png"), "S")


def test_frame_without_tissue_is_all_glass():
    assert (clear_overview(np.zeros((5, 6, 3), dtype=np.uint8)) == GLASS).all()


def test_other_images_are_returned_as_published(files):
    published = np.random.default_rng(0).integers(0, 256, (9, 7, 3)).astype(np.uint8)
    Image.fromarray(published).save(files / "a.png")
    np.testing.assert_array_equal(read_image(tissue("mob", "a.png"), "S"), published)
    assert image_provenance(tissue("mob", "a.png"), "S") == "a.png, as published."


def test_grey_png_has_three_channels(tmp_path):
    Image.fromarray(np.full((4, 5), 9, dtype=np.uint8)).save(tmp_path / "g.png")
    assert open_image(tmp_path / "g.png").shape == (4, 5, 3)


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_truncated_image_is_named(tmp_path, ending):
    path = tmp_path / f"cut.{ending}"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=f"cut.{ending} cannot be read as an image"):
        open_image(path)


def test_no_image_at_all_and_too_large_a_one_are_named(tmp_path, monkeypatch):
    (tmp_path / "t.jpg").write_text("not an image")
    with pytest.raises(InputError, match=r"t\.jpg"):
        open_image(tmp_path / "t.jpg")
    Image.fromarray(np.zeros((9, 9, 3), dtype=np.uint8)).save(tmp_path / "big.png")
    monkeypatch.setattr(images, "_MAX_PIXELS", 80)
    with pytest.raises(InputError, match="9 x 9 pixels"):
        open_image(tmp_path / "big.png")


def test_pixel_limit_of_pillow_is_lifted_and_restored(tmp_path, monkeypatch):
    Image.fromarray(np.zeros((9, 9, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert open_image(tmp_path / "a.png").shape == (9, 9, 3)
    assert Image.MAX_IMAGE_PIXELS == 10


def test_combining_an_image_with_its_own_enlarged_lightness_gives_it_back():
    ramp = np.linspace(0.3, 0.9, 40)
    colour = (np.stack(np.broadcast_arrays(ramp[:, None], 0.6, ramp[None, :]), axis=-1) * 255).astype(np.uint8)
    large = np.kron(colour, np.ones((3, 3, 1), dtype=np.uint8))
    lightness = color.rgb2lab(large)
    lightness[..., 1:] = 0.0
    grey = np.rint(color.lab2rgb(lightness) * 255).astype(np.uint8)
    combined = combine(colour, grey)
    assert combined.shape == large.shape
    assert np.abs(combined.astype(int) - large).mean() < 4.0


def test_combination_has_detail_of_the_grey_frame_and_no_colour_of_its_marks(files):
    colour = np.full((20, 20, 3), (150, 110, 170), dtype=np.uint8)
    colour[5:15, 5:15] = (120, 80, 150)
    detail = np.full((60, 60, 3), 180, dtype=np.uint8)
    detail[15:45, 15:45] = 120
    detail[30, 20:40] = 40
    detail[:6, :6] = (255, 0, 0)
    Image.fromarray(colour).save(files / "tissue_lowres_image.png")
    Image.fromarray(detail).save(files / "aligned_fiducials.jpg", quality=100, subsampling=0)
    adata = tissue("crc_visium", "aligned_fiducials.jpg")
    image = read_image(adata, "S").astype(int)
    assert image.shape == (60, 60, 3)
    assert image[30, 30].sum() < image[33, 30].sum() - 60
    assert np.abs(image[50, 10] - (150, 110, 170)).max() < 12
    assert image[1, 1, 0] < 200
    assert image_provenance(adata, "S").startswith("Combined")


def test_images_of_different_fields_are_not_combined():
    with pytest.raises(InputError, match="same field"):
        combine(np.zeros((10, 10, 3), dtype=np.uint8), np.zeros((10, 20, 3), dtype=np.uint8))


def test_background_is_the_colour_of_the_rim():
    image = np.full((100, 100, 3), (240, 230, 235), dtype=np.uint8)
    image[5:95, 5:95] = 20
    assert background_colour(image) == (240, 230, 235)


def test_unknown_section_and_section_without_image_are_named():
    with pytest.raises(InputError, match="no section 'Z'"):
        read_image(tissue("mob", "a.png"), "Z")
    with pytest.raises(InputError, match="without its image"):
        read_image(tissue("mob", None), "S")
