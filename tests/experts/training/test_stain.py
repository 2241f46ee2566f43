import numpy as np
import pytest
import torch
from skimage.color import separate_stains
from skimage.color.colorconv import hed_from_rgb

from beyond_alignment.experts.training.stain import augment_colour, jitter_colour, jitter_stain


@pytest.fixture
def patches():
    return torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.4


def densities(patches):
    """Stain densities in natural units, by scikit-image."""
    return np.stack([separate_stains(p.permute(1, 2, 0).double().numpy(), hed_from_rgb) for p in patches])


def test_no_jitter_changes_nothing(patches):
    one, none = torch.ones(3, 3), torch.zeros(3, 3)
    torch.testing.assert_close(jitter_stain(patches, one, none), patches, atol=1e-5, rtol=0)
    torch.testing.assert_close(jitter_colour(patches, one[0], one[0], one[0]), patches, atol=1e-6, rtol=0)


def test_only_the_jittered_stain_changes(patches):
    gain, offset = torch.ones(3, 3), torch.zeros(3, 3)
    gain[:, 0], offset[:, 0] = 1.05, 0.01
    log_of_darkest = -np.log(1e-6)  # scikit-image counts densities in this unit
    before = np.linalg.solve(
        np.linalg.inv(hed_from_rgb).T, -np.log(patches.double().numpy()).transpose(1, 0, 2, 3).reshape(3, -1)
    )
    after = jitter_stain(patches, gain, offset).double().numpy()
    found = np.linalg.solve(np.linalg.inv(hed_from_rgb).T, -np.log(after).transpose(1, 0, 2, 3).reshape(3, -1))
    np.testing.assert_allclose(found[0], 1.05 * before[0] + 0.01, atol=2e-4)
    np.testing.assert_allclose(found[1:], before[1:], atol=2e-4)
    theirs = densities(patches)[..., 0].ravel() * log_of_darkest
    positive = theirs > 0  # scikit-image clips at 0
    np.testing.assert_allclose(before[0][positive], theirs[positive], atol=1e-3)


def test_colour_factors_are_those_applied_one_after_the_other(patches):
    brightness, contrast, saturation = (
        torch.tensor([0.9, 1.0, 1.1]),
        torch.tensor([1.0, 1.1, 0.9]),
        torch.tensor([0.8, 1.2, 1.0]),
    )
    found = jitter_colour(patches, brightness, contrast, saturation)
    for i, patch in enumerate(patches):
        wanted = patch * brightness[i]
        wanted = (wanted - wanted.mean()) * contrast[i] + wanted.mean()
        grey = 0.299 * wanted[0] + 0.587 * wanted[1] + 0.114 * wanted[2]
        wanted = (wanted - grey) * saturation[i] + grey
        torch.testing.assert_close(found[i], wanted.clamp(0, 1), atol=1e-5, rtol=0)


def test_augmentation_is_drawn_from_torchs_generator_and_stays_in_range(patches):
    drawn = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        drawn.append(augment_colour(patches, stain=0.1, colour=0.3))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert 0.0 <= float(torch.stack(drawn).min()) <= float(torch.stack(drawn).max()) <= 1.0
