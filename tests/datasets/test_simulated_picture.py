"""The picture of simulated tissue: stain by Beer and Lambert, nuclei of the stated size, one physical scale."""

import numpy as np
import pandas as pd
import pytest
from skimage import color

from beyond_alignment.datasets.simulated_histology import simulate_field
from beyond_alignment.datasets.simulated_histology.staining import EOSIN, HAEMATOXYLIN, draw_stain, expose
from beyond_alignment.datasets.simulated_histology.stamping import stamp_discs, stamp_nuclei


def reference_stain():
    return draw_stain(np.random.default_rng(0), donor_effect=0.0)


def haematoxylin_of(image):
    """Separate the stains with the library's own deconvolution, in optical density."""
    vectors = np.array([HAEMATOXYLIN, EOSIN, np.cross(HAEMATOXYLIN, EOSIN)])
    natural = color.separate_stains(image, np.linalg.inv(vectors))[..., 0]
    return natural * np.log10(1.0 / 1e-6)  # the library's unit of absorbance is that of 1e-6


def at_centres(image, cells, microns_per_pixel):
    x, y = ((cells[axis] / microns_per_pixel).astype(int).clip(0, len(image) - 1) for axis in ("x_um", "y_um"))
    return image[y, x]


def test_the_library_separates_the_stains_that_were_mixed():
    amounts = np.linspace(0.05, 0.6, 24, dtype=np.float32)
    h, e = np.meshgrid(amounts, amounts)
    image = expose(np.random.default_rng(0), h, e, reference_stain())
    found = haematoxylin_of(image)
    np.testing.assert_allclose(found - found.mean(), h - h.mean(), atol=0.06)
    dense = image.astype(float).sum(axis=2)
    assert (np.diff(dense.mean(axis=0)) < 0).all()


def test_donors_stain_as_far_apart_as_the_dial_says():
    rng = np.random.default_rng(0)
    red = np.array([draw_stain(rng, donor_effect=1.0).haematoxylin[0] for _ in range(400)])
    assert np.log(red).std() == pytest.approx(np.hypot(0.16, 0.035), rel=0.12)
    np.testing.assert_array_equal(reference_stain().haematoxylin, HAEMATOXYLIN)


@pytest.mark.parametrize("microns_per_pixel", [0.25, 0.5, 1.0])
def test_a_nucleus_has_its_area_and_its_axes_at_any_resolution(microns_per_pixel):
    places = np.array([[x, y] for x in range(20, 200, 20) for y in range(20, 200, 20)], dtype=float)
    cells = pd.DataFrame(places, columns=["x_um", "y_um"])
    cells = cells.assign(angle=np.pi / 2, nucleus_um=8.0, nucleus_aspect=2.0, chromatin=1.0)
    n = int(200 / microns_per_pixel)
    h, e, grain = (np.zeros((n, n), dtype=np.float32) for _ in range(3))
    stamp_nuclei(np.random.default_rng(0), h, e, cells, grain, microns_per_pixel=microns_per_pixel)
    cover = e / e.max()
    assert cover.sum() * microns_per_pixel**2 / len(cells) == pytest.approx(np.pi * 16.0, rel=0.06)
    y, x = ((np.indices((n, n)) + 0.5) * microns_per_pixel)  # fmt: skip
    spread = []
    for axis, place in ((y, "y_um"), (x, "x_um")):
        centre = 20.0 * np.round(axis / 20.0)
        spread.append((cover * (axis - centre) ** 2).sum() / cover.sum())
        assert set(cells[place]) <= set(centre.ravel())
    assert np.sqrt(spread[0] / spread[1]) == pytest.approx(2.0, rel=0.08)
    assert spread[0] * 4 == pytest.approx((4.0 * np.sqrt(2.0)) ** 2, rel=0.12)  # a quarter of the half axis squared


def test_discs_take_the_higher_of_what_overlaps():
    density = np.full((40, 40), 0.1, dtype=np.float32)
    stamp_discs(density, np.array([[20.0, 20.0], [22.0, 20.0]]), np.array([5.0, 5.0]), np.array([0.5, 0.3]), rim=0.0,
                microns_per_pixel=1.0)  # fmt: skip
    assert density[20, 20] == pytest.approx(0.5)
    assert density[20, 25] == pytest.approx(0.3, rel=0.01)
    assert density[0, 0] == pytest.approx(0.1)


def test_the_same_field_has_its_nuclei_at_the_same_microns_at_two_resolutions():
    fine, coarse = (
        simulate_field(size_um=300, microns_per_pixel=mpp, seed=1, dials={"donor_effect": 0}) for mpp in (0.5, 1.0)
    )
    pd.testing.assert_frame_equal(fine.cells, coarse.cells)
    halves = fine.on_image.image.reshape(300, 2, 300, 2, 3).mean(axis=(1, 3))  # (row, part, column, part, channel)
    assert np.corrcoef(halves.ravel(), coarse.on_image.image.ravel().astype(float))[0, 1] > 0.9
    for simulated, mpp in ((fine, 0.5), (coarse, 1.0)):
        h = haematoxylin_of(simulated.on_image.image)
        assert at_centres(h, simulated.cells, mpp).mean() > 3 * np.median(h)
        turned = simulated.cells.rename(columns={"x_um": "y_um", "y_um": "x_um"})
        assert at_centres(h, turned, mpp).mean() < 0.7 * at_centres(h, simulated.cells, mpp).mean()
    microns = [f.on_image.transcripts[["x", "y"]] * f.on_image.microns_per_pixel for f in (fine, coarse)]
    np.testing.assert_allclose(*microns)


def test_nuclei_show_the_bits_that_are_theirs_and_the_picture_no_other():
    common = {"size_um": 500, "microns_per_pixel": 0.5, "seed": 4}
    simulated = simulate_field(**common, dials={"niche_um": 0, "co_location_um": 0})
    cells = simulated.cells
    measured = pd.Series(at_centres(haematoxylin_of(simulated.on_image.image), cells, 0.5))
    measured -= measured.groupby(cells["cell_type"], observed=True).transform("mean")
    assert np.corrcoef(measured, cells["pair_morphology"])[0, 1] > 0.5
    for bit in ("expression", "pair_expression"):
        assert abs(np.corrcoef(measured, cells[bit])[0, 1]) < 4.5 / np.sqrt(len(cells))
    blank = simulate_field(**common, dials={"niche_um": 0, "co_location_um": 0, "shape": 0.0}).cells
    for code in ("nucleus_um", "nucleus_aspect", "chromatin"):
        assert np.abs(blank[["shared", "morphology", "pair_morphology"]].corrwith(blank[code])).max() < 0.09
