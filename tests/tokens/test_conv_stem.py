"""The stem of convolutions gives tokens in the order of the patches, each of what lies around its patch."""

import pytest
import torch

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.conv_stem import ConvStem
from beyond_alignment.tokens.vision_weights import build_vit


def test_tokens_stand_for_the_patches_row_by_row():
    torch.manual_seed(0)
    stem = ConvStem(img_size=32, patch_size=8, embed_dim=32)
    stem.stem = torch.nn.Sequential(*(m for m in stem.stem if not isinstance(m, torch.nn.GroupNorm)))  # local without
    image = torch.zeros(1, 3, 32, 32, requires_grad=True)
    tokens = stem(image)
    assert tokens.shape == (1, stem.num_patches, 32) == (1, 16, 32)
    for patch, (row, column) in {1: (0, 1), 6: (1, 2), 15: (3, 3)}.items():
        (reach,) = torch.autograd.grad(tokens[0, patch].sum(), image, retain_graph=True)
        rows, columns = (reach[0].abs().sum(dim=(0, along)).nonzero().flatten() for along in (2, 1))
        for seen, place in ((rows, row), (columns, column)):
            assert seen.min() >= place * 8 - 7  # the reach of three convolutions of stride two: 15 px
            assert seen.max() <= place * 8 + 7
            assert {place * 8, place * 8 + 7} <= set(seen.tolist())


def test_an_image_of_the_same_patch_everywhere_gives_the_same_token_away_from_the_edge():
    torch.manual_seed(0)
    stem = ConvStem(img_size=64, patch_size=8, embed_dim=32)
    patch = torch.rand(1, 3, 8, 8)
    tokens = stem(patch.repeat(1, 1, 8, 8)).reshape(8, 8, 32)
    inside = tokens[1:, 1:].reshape(-1, 32)  # padding stands at the top and on the left alone
    torch.testing.assert_close(inside, inside[:1].expand_as(inside))
    assert not torch.allclose(tokens[0, 0], tokens[1, 1])


@pytest.mark.parametrize("side", [1, 12])
def test_patches_that_cannot_be_halved_are_refused(side):
    with pytest.raises(InputError, match="halves"):
        ConvStem(img_size=48, patch_size=side)


def test_it_keeps_no_running_numbers_that_a_checkpoint_would_lack():
    vit = build_vit("nucleus_vit", input_px=128, weights="random")
    assert not [name for name, _ in vit.trunk.named_buffers()]
