import imagecodecs
import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from beyond_alignment.datasets.images import background_colour
from beyond_alignment.errors import InputError
from beyond_alignment.experts.slide_levels import BlockStore, to_rgb
from beyond_alignment.experts.slides import open_slide
from tests.experts.slide_images import MPP, halved, tissue, write_pyramid

IMAGE = tissue()


@pytest.fixture(scope="module")
def pyramid(tmp_path_factory):
    return write_pyramid(tmp_path_factory.mktemp("slides") / "p.tif", IMAGE)


def write_ome_zarr(path, image, *, unit="micrometer", n_levels=2):
    group = zarr.open_group(path, mode="w", zarr_format=2)
    datasets = []
    for level in range(n_levels):
        data = np.moveaxis(image, 2, 0)
        array = group.create_array(str(level), shape=data.shape, chunks=(3, 100, 100), dtype="uint8")
        array[:] = data
        scale = {"type": "scale", "scale": [1.0, MPP * 2**level, MPP * 2**level]}
        datasets.append({"path": str(level), "coordinateTransformations": [scale]})
        image = halved(image)
    axes = [{"name": "c", "type": "channel"}, *({"name": n, "type": "space", "unit": unit} for n in "yx")]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]
    return path


def formats(folder):
    """The same pixels in every format that keeps them."""
    Image.fromarray(IMAGE).save(folder / "i.png")
    alpha = np.dstack([IMAGE, np.full(IMAGE.shape[:2], 255, np.uint8)])
    Image.fromarray(alpha, "RGBA").save(folder / "a.png")
    tifffile.imwrite(folder / "strips.tif", IMAGE, photometric="rgb", rowsperstrip=37, compression="zlib")
    tifffile.imwrite(folder / "plain.tif", IMAGE, photometric="rgb")
    tifffile.imwrite(folder / "alpha.tif", alpha, photometric="rgb", extrasamples=["unassalpha"], tile=(64, 64))
    tifffile.imwrite(folder / "planar.tif", np.moveaxis(IMAGE, 2, 0), photometric="rgb", planarconfig="separate")
    ome = {
        "axes": "YXS",
        "PhysicalSizeX": MPP,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": MPP,
        "PhysicalSizeYUnit": "µm",
    }
    tifffile.imwrite(folder / "o.ome.tif", IMAGE, photometric="rgb", tile=(128, 128), metadata=ome)
    write_ome_zarr(folder / "i.zarr", IMAGE)
    write_pyramid(folder / "pyramid.tif", IMAGE)
    return sorted(child for child in folder.iterdir())


def test_every_format_gives_the_same_pixels(tmp_path):
    for path in formats(tmp_path):
        with open_slide(path, microns_per_pixel=MPP) as slide:
            assert slide.size_px == (800, 600), path.name
            np.testing.assert_array_equal(slide.levels[0][100:333, 50:470], IMAGE[100:333, 50:470], err_msg=path.name)
            np.testing.assert_array_equal(slide.patch(232, 132, 64, 64), IMAGE[100:164, 200:264], err_msg=path.name)
            assert slide.background == background_colour(IMAGE), path.name


def test_jpeg_tiles_are_read_in_rgb(tmp_path):
    write_pyramid(tmp_path / "tiles.tif", IMAGE, compression="jpeg")
    tifffile.imwrite(tmp_path / "strips.tif", IMAGE, photometric="rgb", compression="jpeg", rowsperstrip=64)
    for name in ("tiles.tif", "strips.tif"):
        with open_slide(tmp_path / name) as slide:
            found = slide.levels[0][0:600, 0:800]
            np.testing.assert_array_equal(found, tifffile.imread(tmp_path / name))
            assert np.abs(found.astype(int) - IMAGE).mean() < 2.0


def test_scale_is_read_from_where_it_is_stated(tmp_path, pyramid):
    with open_slide(pyramid) as slide:
        assert slide.microns_per_pixel == pytest.approx(MPP, rel=1e-4)
    with open_slide(pyramid, microns_per_pixel=0.6) as slide:
        assert slide.microns_per_pixel == 0.6
    meta = {
        "axes": "YXS",
        "PhysicalSizeX": 250,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 250,
        "PhysicalSizeYUnit": "nm",
    }
    tifffile.imwrite(tmp_path / "nm.ome.tif", IMAGE, photometric="rgb", metadata=meta)
    tifffile.imwrite(
        tmp_path / "s.svs", IMAGE, photometric="rgb", tile=(128, 128), metadata=None,
        description="Aperio Image Library v11\r\n800x600|AppMag = 40|MPP = 0.2500",
    )  # fmt: skip
    write_ome_zarr(tmp_path / "z.zarr", IMAGE)
    for name in ("nm.ome.tif", "s.svs", "z.zarr"):
        with open_slide(tmp_path / name) as slide:
            assert slide.microns_per_pixel == pytest.approx(MPP), name


def test_a_screen_resolution_is_no_scale(tmp_path):
    tifffile.imwrite(tmp_path / "s.tif", IMAGE, photometric="rgb", resolution=(72, 72), resolutionunit="INCH")
    write_ome_zarr(tmp_path / "z.zarr", IMAGE, unit="pixel")
    for name in ("s.tif", "z.zarr"):
        with open_slide(tmp_path / name) as slide:
            assert slide.microns_per_pixel is None
            with pytest.raises(InputError, match="give its microns per pixel"):
                slide.scale()


def test_pixels_that_are_not_square_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "s.tif", IMAGE, photometric="rgb", resolution=(4e4, 2e4), resolutionunit="CENTIMETER")
    with pytest.raises(InputError, match="resample it to square"):
        open_slide(tmp_path / "s.tif")


def test_the_coarsest_level_that_is_fine_enough_is_read(pyramid):
    with open_slide(pyramid) as slide:
        assert slide.downsamples == (1.0, 2.0, 4.0)
        assert [slide.level_for(step) for step in (0.5, 1.0, 1.9, 2.0, 3.9, 4.0, 100.0)] == [0, 0, 0, 1, 1, 2, 2]
        half = slide.patch(164, 164, 128, 64)
        np.testing.assert_array_equal(half, halved(IMAGE)[50:114, 50:114])


def test_odd_sizes_have_whole_steps(tmp_path):
    image = tissue(601, 333)
    with open_slide(write_pyramid(tmp_path / "odd.tif", image)) as slide:
        assert slide.downsamples == (1.0, 2.0, 4.0)


@settings(max_examples=30, deadline=None)
@given(
    x=st.floats(-300, 1100), y=st.floats(-300, 900), field=st.floats(8, 300), size=st.integers(4, 64),
    number=st.integers(0, 2),
)  # fmt: skip
def test_any_patch_agrees_with_that_of_the_image_in_memory(pyramid, x, y, field, size, number):
    field = min(field, size * 1.99 * 2**number)
    with open_slide(pyramid) as slide:
        assert slide.level_for(field / size) <= number
        if slide.level_for(field / size) == 0:
            np.testing.assert_array_equal(slide.patch(x, y, field, size), open_slide(IMAGE).patch(x, y, field, size))


def test_what_is_transparent_is_white(tmp_path):
    alpha = np.full(IMAGE.shape[:2], 255, np.uint8)
    alpha[:300] = 0
    Image.fromarray(np.dstack([IMAGE, alpha]), "RGBA").save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.tif", np.dstack([IMAGE, alpha]), photometric="rgb", extrasamples=["unassalpha"])
    for name in ("a.png", "a.tif"):
        with open_slide(tmp_path / name) as slide:
            assert (slide.levels[0][0:300, 0:800] == 255).all()
            np.testing.assert_array_equal(slide.levels[0][300:600, 0:800], IMAGE[300:])
            assert "alpha" in slide.notes[0]
    half = to_rgb(np.array([[[100, 0, 200, 128]]], dtype=np.uint8))
    assert half.tolist() == [[[177, 127, 227]]]


def test_bad_pixels_are_refused_in_one_sentence(tmp_path):
    wide = IMAGE.astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "sixteen.tif", wide, photometric="rgb")
    tifffile.imwrite(tmp_path / "grey.tif", IMAGE[..., 0])
    tifffile.imwrite(tmp_path / "five.tif", np.zeros((5, 64, 64), np.uint8), photometric="minisblack")
    tifffile.imwrite(tmp_path / "cmyk.tif", np.zeros((64, 64, 4), np.uint8), photometric="separated")
    Image.fromarray(wide[..., 0]).save(tmp_path / "sixteen.png")
    Image.fromarray(IMAGE[..., 0]).save(tmp_path / "grey.png")
    (tmp_path / "rgb16.png").write_bytes(imagecodecs.png_encode(wide))
    for name, words in {
        "sixteen.tif": "uint16", "grey.tif": "1 channel,", "five.tif": "5 channels", "cmyk.tif": "SEPARATED",
        "sixteen.png": "uint16", "grey.png": "1 channel,", "rgb16.png": "uint16",
    }.items():  # fmt: skip
        with pytest.raises(InputError, match=words) as raised:
            open_slide(tmp_path / name)
        assert "\n" not in str(raised.value)
        assert name in str(raised.value)
    with pytest.raises(InputError, match="float64"):
        open_slide(np.zeros((5, 5, 3)))
    with pytest.raises(InputError, match="2 channels"):
        open_slide(np.zeros((5, 5, 2), np.uint8))
    with pytest.raises(InputError, match="no image"):
        open_slide(object())


def test_missing_and_truncated_files_are_named(tmp_path, pyramid):
    with pytest.raises(InputError, match="There is no image"):
        open_slide(tmp_path / "none.tif")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no OME-Zarr|holds no image"):
        open_slide(tmp_path / "empty")
    content = pyramid.read_bytes()
    cut = tmp_path / "cut.tif"
    cut.write_bytes(content[: int(len(content) * 0.95)])
    with pytest.raises(InputError, match=r"cut\.tif"):
        open_slide(cut)
    Image.fromarray(IMAGE).save(tmp_path / "i.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "i.png").read_bytes()[:2000])
    with pytest.raises(InputError, match=r"cut\.png cannot be read"):
        open_slide(tmp_path / "cut.png")


def test_a_damaged_tile_is_found_when_it_is_read(tmp_path, pyramid):
    content = bytearray(pyramid.read_bytes())
    with tifffile.TiffFile(pyramid) as file:
        offset = file.pages[0].dataoffsets[0]
    content[offset : offset + 50] = bytes(50)
    path = tmp_path / "damaged.tif"
    path.write_bytes(content)
    with open_slide(path) as slide:
        slide.levels[0][300:310, 300:310]
        with pytest.raises(InputError, match=r"damaged.tif cannot be decoded at pixel \(0, 0\)"):
            slide.patch(5, 5, 10, 10)


@settings(max_examples=60, deadline=None)
@given(
    content=st.binary(max_size=400),
    head=st.sampled_from([b"", b"II*\0", b"MM\0*", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]),
)
def test_any_bytes_are_an_image_or_a_sentence(tmp_path_factory, content, head):
    path = tmp_path_factory.mktemp("b") / "x.tif"
    path.write_bytes(head + content)
    with pytest.raises(InputError, match=r"x\.tif"):
        open_slide(path)


def test_images_of_spatialdata_are_read(tmp_path):
    models = pytest.importorskip("spatialdata.models")
    data = np.moveaxis(IMAGE, 2, 0)
    single = models.Image2DModel.parse(data, dims=("c", "y", "x"))
    tree = models.Image2DModel.parse(data, dims=("c", "y", "x"), scale_factors=[2])
    for element in (single, tree):
        slide = open_slide(element, microns_per_pixel=MPP)
        np.testing.assert_array_equal(slide.levels[0][10:30, 20:60], IMAGE[10:30, 20:60])
    assert len(open_slide(tree).levels) == 2
    assert open_slide(single).sha256 == open_slide(tree).sha256


def test_a_store_with_one_image_is_enough_and_several_are_named(tmp_path):
    write_ome_zarr(tmp_path / "s.zarr" / "images" / "he", IMAGE)
    zarr.open_group(tmp_path / "s.zarr", mode="a", zarr_format=2)
    with open_slide(tmp_path / "s.zarr") as slide:
        np.testing.assert_array_equal(slide.levels[0][10:30, 20:60], IMAGE[10:30, 20:60])
    write_ome_zarr(tmp_path / "s.zarr" / "images" / "dapi", IMAGE)
    with pytest.raises(InputError, match="images/dapi, images/he"):
        open_slide(tmp_path / "s.zarr")


def test_the_identity_is_that_of_the_content(tmp_path, pyramid):
    copy = tmp_path / "copy.tif"
    copy.write_bytes(pyramid.read_bytes())
    with open_slide(pyramid) as one, open_slide(copy) as other:
        assert one.sha256 == other.sha256
    changed = IMAGE.copy()
    changed[0, 0, 0] ^= 1
    assert open_slide(IMAGE).sha256 != open_slide(changed).sha256
    first, second = write_ome_zarr(tmp_path / "a.zarr", IMAGE), write_ome_zarr(tmp_path / "b.zarr", changed)
    assert open_slide(first).sha256 != open_slide(second).sha256


def test_the_store_of_blocks_keeps_its_bound():
    store = BlockStore(most_bytes=250)
    made = []

    def make(key):
        return lambda: made.append(key) or np.zeros(100, np.uint8)

    for key in (1, 2, 1, 3, 1, 2):
        store.get(key, make(key))
    assert made == [1, 2, 3, 2]


def test_a_strip_that_is_the_whole_image_is_refused_when_it_is_too_large(monkeypatch, tmp_path):
    monkeypatch.setattr("beyond_alignment.experts.slide_levels.MOST_BLOCK_BYTES", 1000)
    tifffile.imwrite(tmp_path / "s.tif", IMAGE, photometric="rgb", compression="zlib", rowsperstrip=600)
    with pytest.raises(InputError, match="convert it to a tiled pyramid"):
        open_slide(tmp_path / "s.tif")
