import pytest
import torch
from safetensors.torch import save_file

from beyond_alignment.errors import InputError
from beyond_alignment.experts.tissue_vit import normalise_patches
from beyond_alignment.experts.torchvision_operators import import_timm
from beyond_alignment.tokens.vision import PatchVit
from beyond_alignment.tokens.vision_weights import AUGREG, VITS, build_vit
from tests.tokens.small import PIXELS, TINY, vit

COLOUR = {"mean": (0.485, 0.456, 0.406), "sd": (0.229, 0.224, 0.225)}
SHAPES = [
    {},
    {"global_pool": "avg"},
    {"dynamic_img_size": True, "init_values": 1e-5},
    {"reg_tokens": 2, "no_embed_class": True},
    {"class_token": False, "global_pool": "avg"},
]


def trunk(**arguments):
    torch.manual_seed(0)
    sizes = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "depth": 2, "num_heads": 2}
    return import_timm().create_model("vit_tiny_patch16_224", num_classes=0, **sizes, **arguments)


def images(n=3, side=32):
    return torch.randint(0, 256, (n, side, side, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("arguments", SHAPES, ids=lambda a: ", ".join(a) or "class token")
def test_both_halves_in_a_row_are_timms_network(arguments):
    network = trunk(**arguments).eval()
    found = PatchVit(network, **COLOUR)(images())
    pixels = normalise_patches(images().permute(0, 3, 1, 2) / 255.0)
    torch.testing.assert_close(found.pooled, network(pixels))
    tokens = network.forward_features(pixels)
    torch.testing.assert_close(found.patches, tokens[:, network.num_prefix_tokens :])


@pytest.mark.parametrize("arguments", SHAPES[:4], ids=lambda a: ", ".join(a) or "class token")
def test_positions_are_those_of_the_patches(arguments):
    network = trunk(**arguments)
    learned = network.pos_embed if network.no_embed_class else network.pos_embed[:, 1:]
    torch.testing.assert_close(PatchVit(network, **COLOUR).positions(), learned)


def test_patches_come_row_by_row():
    network = PatchVit(trunk(), **COLOUR)
    white = torch.zeros(1, 32, 32, 3, dtype=torch.uint8)
    white[0, 0:8, 8:16] = 255  # first row of patches, second column
    change = (network.embed(white) - network.embed(torch.zeros_like(white))).abs().sum(dim=-1)[0]
    assert change.nonzero().flatten().tolist() == [1]


def test_a_network_without_patch_tokens_is_refused():
    with pytest.raises(InputError, match="no patch tokens"):
        PatchVit(torch.nn.Linear(2, 2), **COLOUR)


def test_random_weights_are_those_of_their_seed():
    first, again, other = (vit(seed=seed).state_dict()["trunk.blocks.0.mlp.fc1.weight"] for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert vit(seed=3).weights == "random, seed 3"


def test_vit_s_has_the_published_size_and_the_colours_of_its_weights():
    network = build_vit("vit_s_augreg", input_px=224, weights="random")
    assert sum(value.numel() for value in network.parameters()) == 21_665_664 == AUGREG.parameters
    assert (network.width, network.grid, network.n_patches) == (384, 14, 196)
    assert network.mean.flatten().tolist() == network.sd.flatten().tolist() == [0.5] * 3


def test_a_file_of_weights_is_used_and_its_positions_follow_the_grid(tmp_path):
    published = vit(grid=4, seed=9)
    state = published.trunk.state_dict()
    classifier = {"head.weight": torch.zeros(7, 16), "head.bias": torch.zeros(7)}
    path = tmp_path / "weights.safetensors"
    save_file({name: value.contiguous() for name, value in (state | classifier).items()}, path)
    same = build_vit(TINY, input_px=4 * PIXELS, patch_px=PIXELS, weights=path)
    assert all(torch.equal(value, same.trunk.state_dict()[name]) for name, value in state.items())
    assert same.weights.startswith("weights.safetensors, sha256")
    smaller = build_vit(TINY, input_px=2 * PIXELS, patch_px=PIXELS, weights=path)
    assert torch.equal(smaller.trunk.pos_embed[:, 0], state["pos_embed"][:, 0])
    assert smaller.positions().shape == (1, 4, 16)
    torch.testing.assert_close(smaller.trunk.blocks[0].attn.qkv.weight, state["blocks.0.attn.qkv.weight"])
    assert all(value.requires_grad for value in same.parameters())


def test_an_expert_lends_its_network_at_its_own_size():
    network = build_vit("tissue_vit", input_px=112)
    assert network.weights == "tissue_vit, registered file"
    assert (network.width, network.grid) == (192, 7)
    with pytest.raises(InputError, match="112 px"):
        build_vit("tissue_vit", input_px=64)


def test_unknown_networks_and_sizes_are_refused():
    with pytest.raises(InputError, match=next(iter(VITS))):
        build_vit("vit_of_nobody", input_px=32)
    with pytest.raises(InputError, match="do not divide"):
        build_vit("vit_s_augreg", input_px=100, weights="random")
