import anndata as ad
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beyond_alignment.datasets.patches import extract_patches
from beyond_alignment.errors import InputError

RESOLUTIONS = (0.69, 0.92, 3.2)


def spots(centres, *, microns_per_pixel=1.0, scale=1.0, sections=None):
    adata = ad.AnnData(obs=pd.DataFrame({"section": sections or ["S"] * len(centres)}))
    adata.obs_names = [f"s{i}" for i in range(len(centres))]
    adata.obsm["spatial"] = np.asarray(centres, dtype=float)
    factors = {"microns_per_pixel": microns_per_pixel, "spot_diameter_fullres": 1.0, "tissue_image_scalef": scale}
    adata.uns["spatial"] = {name: {"scalefactors": factors} for name in set(adata.obs["section"])}
    return adata


def painted(resolution, darkness, width_um=720.0):
    """Paint ``darkness(x, y)`` (microns from the centre -> 0..1) at a resolution, averaging 2 x 2 subpixels."""
    pixels = int(width_um / resolution)
    at = ((np.arange(2 * pixels) + 0.5) / 2 - pixels / 2) * resolution
    fine = np.broadcast_to(darkness(at[None, :], at[:, None]), (2 * pixels, 2 * pixels))
    mean = fine.reshape(pixels, 2, pixels, 2).mean(axis=(1, 3))
    return np.repeat(np.rint(255 - 255 * mean).astype(np.uint8)[..., None], 3, axis=2), pixels / 2


@settings(max_examples=5, deadline=None)
@given(radius=st.floats(25.0, 150.0), view=st.floats(320.0, 700.0), scale=st.sampled_from([1.0, 0.29]))
def test_disc_has_its_physical_size_and_is_centred_at_every_resolution(radius, view, scale):
    for resolution in RESOLUTIONS:
        image, centre = painted(resolution, lambda x, y: (x**2 + y**2 <= radius**2).astype(float))
        adata = spots([[centre / scale, centre / scale]], microns_per_pixel=resolution * scale, scale=scale)
        patch = extract_patches(adata, "S", field_of_view_um=view, image=image)[0, ..., 0]
        dark = 1.0 - patch / 255.0
        assert 2 * np.sqrt(dark.sum() / np.pi) == pytest.approx(2 * radius / view * 224, abs=1.0)
        rows, columns = np.indices(dark.shape) + 0.5
        assert (dark * rows).sum() / dark.sum() == pytest.approx(112.0, abs=1.0)
        assert (dark * columns).sum() / dark.sum() == pytest.approx(112.0, abs=1.0)


@pytest.mark.parametrize("resolution", RESOLUTIONS)
@pytest.mark.parametrize("period", [40.0, 75.0])
def test_stripes_keep_their_period(resolution, period):
    image, centre = painted(resolution, lambda x, y: 0.5 + 0.5 * np.cos(2 * np.pi * x / period) + 0 * y)
    adata = spots([[centre, centre]], microns_per_pixel=resolution)
    patch = extract_patches(adata, "S", field_of_view_um=600.0, image=image)[0, ..., 0].mean(axis=0)
    spectrum = np.abs(np.fft.rfft(patch - patch.mean(), n=224 * 16))
    assert spectrum.argmax() / 16 == pytest.approx(600.0 / period, abs=0.1)


def test_stripes_too_fine_for_the_patch_become_even_grey():
    image, centre = painted(0.69, lambda x, y: (np.floor(x / 1.38) % 2) + 0 * y)
    adata = spots([[centre, centre]], microns_per_pixel=0.69)
    patch = extract_patches(adata, "S", field_of_view_um=700.0, size_px=64, image=image)[0, ..., 0]
    assert patch.std() < 10.0


@settings(max_examples=40, deadline=None)
@given(x=st.floats(-80.0, 130.0), y=st.floats(-80.0, 130.0), view=st.floats(0.5, 300.0), size=st.integers(1, 40))
def test_every_position_gives_a_patch_with_glass_beyond_the_edge(x, y, view, size):
    image = np.full((50, 40, 3), (230, 220, 225), dtype=np.uint8)
    patches = extract_patches(spots([[x, y]]), "S", field_of_view_um=view, size_px=size, image=image)
    assert patches.shape == (1, size, size, 3)
    assert patches.dtype == np.uint8
    assert (np.abs(patches.astype(int) - (230, 220, 225)) <= 1).all()


def test_outside_is_background_and_inside_is_the_image():
    image = np.full((100, 100, 3), 250, dtype=np.uint8)
    image[5:95, 5:95] = 10
    patch = extract_patches(spots([[0.0, 50.0]]), "S", field_of_view_um=40.0, size_px=40, image=image)[0]
    assert (patch[:, :24] == 250).all()
    assert (patch[:, 26:] == 10).all()


def test_whole_pixels_are_copied_as_they_are():
    image = np.random.default_rng(0).integers(0, 256, (30, 30, 3)).astype(np.uint8)
    patch = extract_patches(spots([[15.0, 11.0]]), "S", field_of_view_um=8.0, size_px=8, image=image)[0]
    np.testing.assert_array_equal(patch, image[7:15, 11:19])


def test_order_of_the_spots_of_the_section_is_kept():
    image = np.zeros((20, 60, 3), dtype=np.uint8)
    image[:, 20:40], image[:, 40:] = 100, 200
    adata = spots([[50, 10], [10, 10], [10, 10], [30, 10]], sections=["S", "T", "S", "S"])
    patches = extract_patches(adata, "S", field_of_view_um=4.0, size_px=4, image=image)
    assert patches[:, 0, 0, 0].tolist() == [200, 0, 100]


@pytest.mark.parametrize("view", [0.0, -3.0, float("nan"), float("inf")])
def test_impossible_field_of_view_is_refused(view):
    with pytest.raises(InputError, match="field of view"):
        extract_patches(spots([[1, 1]]), "S", field_of_view_um=view, image=np.zeros((5, 5, 3), dtype=np.uint8))


def test_impossible_size_section_and_position_are_refused():
    image = np.zeros((5, 5, 3), dtype=np.uint8)
    with pytest.raises(InputError, match="0 pixels"):
        extract_patches(spots([[1, 1]]), "S", field_of_view_um=5.0, size_px=0, image=image)
    with pytest.raises(InputError, match="no spot of section 'Z'"):
        extract_patches(spots([[1, 1]]), "Z", field_of_view_um=5.0, image=image)
    with pytest.raises(InputError, match="no finite position"):
        extract_patches(spots([[np.nan, 1]]), "S", field_of_view_um=5.0, image=image)
