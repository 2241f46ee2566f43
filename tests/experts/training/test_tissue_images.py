import numpy as np
import pytest
import torch

from beyond_alignment.errors import InputError
from beyond_alignment.experts.training import tissue_images
from beyond_alignment.experts.training.tissue_images import around_tissue, at_field, read_tissue, tissue_centres


def slide():
    """Glass with a disc of tissue of 200 um radius at (500, 400) um, 2 um per pixel, and a speck off the spots."""
    rng = np.random.default_rng(0)
    image = np.full((400, 500, 3), 240, dtype=np.uint8)
    y, x = np.mgrid[:400, :500] * 2.0 + 1.0
    tissue = np.hypot(x - 500.0, y - 400.0) < 200.0
    image[tissue] = rng.integers(80, 160, (int(tissue.sum()), 3))
    image[:20, :20] = 100
    return image


def test_tissue_is_found_and_specks_beyond_the_spots_are_not():
    centres = tissue_centres(slide(), 2.0, (200.0, 100.0, 800.0, 700.0))
    distance = np.hypot(centres[:, 0] - 500.0, centres[:, 1] - 400.0)
    assert distance.max() < 230.0
    assert len(centres) * 400.0 == pytest.approx(np.pi * 200.0**2, rel=0.1)


def test_what_is_kept_around_the_tissue_holds_it():
    image = slide()
    centres = tissue_centres(image, 2.0, (200.0, 100.0, 800.0, 700.0))
    part, moved = around_tissue(image, 2.0, centres, 60.0)
    assert part.shape[0] < image.shape[0]
    for old, new in zip(centres[::40], moved[::40], strict=True):
        x, y = (np.floor(point / 2.0).astype(int) for point in (old, new))
        assert (image[x[1], x[0]] == part[y[1], y[0]]).all()


@pytest.mark.parametrize(("field", "scale", "width"), [(400.0, 4.0, 250), (100.0, 2.0, 500)])
def test_an_image_is_brought_to_the_scale_of_the_field_but_never_enlarged(field, scale, width):
    pixels, own = at_field(slide(), 2.0, field, 100)
    assert own == scale
    assert pixels.shape[1] == width


def test_an_unknown_donor_and_nothing_at_hand_are_named(monkeypatch):
    monkeypatch.setattr(tissue_images, "at_hand", lambda name: ())
    arguments = {"fields_um": (100,), "input_px": 32, "device": torch.device("cpu")}
    with pytest.raises(InputError, match="No H&E image is at hand"):
        read_tissue(**arguments)
    with pytest.raises(InputError, match="Donor Q is none of those"):
        read_tissue(exclude_donors=["Q"], **arguments)
