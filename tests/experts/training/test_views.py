from dataclasses import replace

import numpy as np
import pytest
import torch

from beyond_alignment.experts.training.profiles import TISSUE_VIT_PROFILES
from beyond_alignment.experts.training.views import ViewPairs, _split, cut


def one(value):
    return torch.tensor([value])


def cut_plainly(image, centre, *, angle=0.0, mirror=1.0, scale=1.0, px=100):
    return cut(image, torch.tensor([centre]), one(angle), one(scale), one(mirror), px)[0]


def test_a_plain_view_is_the_square_around_its_centre(images):
    view = cut_plainly(images[0], (60.0, 60.0))
    wanted = images[0].pixels[10:110, 10:110].permute(2, 0, 1) / 255.0
    torch.testing.assert_close(view, wanted, atol=2e-3, rtol=0)


def test_turned_and_mirrored_views_are_the_turned_and_mirrored_square(images):
    plain = cut_plainly(images[0], (60.0, 60.0))
    turned = cut_plainly(images[0], (60.0, 60.0), angle=float(np.pi))
    mirrored = cut_plainly(images[0], (60.0, 60.0), mirror=-1.0)
    torch.testing.assert_close(turned, plain.flip(1, 2), atol=2e-3, rtol=0)
    torch.testing.assert_close(mirrored, plain.flip(2), atol=2e-3, rtol=0)


def test_beyond_the_image_there_is_glass(images):
    view = cut_plainly(images[0], (-60.0, 60.0))
    glass = torch.tensor([250.0, 240.0, 250.0]).view(3, 1, 1) / 255.0
    torch.testing.assert_close(view[:, :, :90], glass.expand(3, 100, 90), atol=1e-5, rtol=0)


def test_a_view_twice_as_fine_shows_the_same_field(images):
    coarse, fine = (cut_plainly(images[0], (60.0, 60.0), px=px) for px in (50, 100))
    assert coarse.shape == (3, 50, 50)
    assert float((coarse - torch.nn.functional.avg_pool2d(fine, 2)).abs().max()) < 0.01


def test_batches_depend_on_seed_and_step_alone(images):
    profile = replace(TISSUE_VIT_PROFILES["quick"], batch=6, group=4)
    drawn = []
    for step in (3, 4, 3):
        torch.manual_seed(step)
        drawn.append(ViewPairs(images, profile, input_px=32).draw(step))
    first, second, rivals = drawn[0]
    assert first.shape == second.shape == (6, 3, 32, 32)
    assert not rivals[:3, 3:].any()  # another section
    assert not rivals.diagonal().any()
    assert torch.equal(drawn[0][0], drawn[2][0])
    assert not torch.equal(drawn[0][0], drawn[1][0])
    assert not torch.equal(first, second)


@pytest.mark.parametrize(("total", "size", "sizes"), [(10, 4, [4, 3, 3]), (4, 8, [4]), (128, 64, [64, 64])])
def test_groups_are_even(total, size, sizes):
    assert _split(total, size) == sizes


def test_only_places_that_overlap_little_are_rivals(images):
    profile = replace(TISSUE_VIT_PROFILES["quick"], batch=30, group=30)
    wide, narrow = (
        ViewPairs([replace(images[0], field_um=field)], profile, input_px=8).draw(0)[2] for field in (100.0, 10.0)
    )
    assert not wide.any()  # all places lie within 30 um
    assert 0.5 < float(narrow.float().mean()) < 1.0
    assert torch.equal(narrow, narrow.T)
