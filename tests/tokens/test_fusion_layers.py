import numpy as np
import pytest
import torch

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.expression_encoders import ExpressionEncoder, pool_tokens
from beyond_alignment.tokens.fusion_layers import EarlyFusion, LateFusion
from tests.tokens.small import PIXELS, vit

SIDE = 2 * PIXELS


@pytest.fixture
def images():
    return torch.randint(0, 256, (3, SIDE, SIDE, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def fusion(how, **options):
    torch.manual_seed(0)
    return EarlyFusion(how, width=16, heads=2, **options)


@pytest.mark.parametrize("how", ["add", "gated", "cross_attention"])
@pytest.mark.parametrize("match_norm", [True, False])
def test_no_transcripts_leave_the_bare_network(how, match_norm, images):
    network = vit()
    fused = fusion(how, match_norm=match_norm)(network, images, torch.zeros(3, 4, 16))
    assert torch.equal(fused.pooled, network(images).pooled)
    assert torch.equal(fused.patches, network(images).patches)


@pytest.mark.parametrize("how", ["add", "gated", "cross_attention", "concat"])
def test_a_transcript_token_knows_its_patch(how, images):
    network, layer = vit(), fusion(how)
    tokens = torch.randn(3, 4, 16, generator=torch.Generator().manual_seed(2))
    here, there = (layer(network, images, tokens[:, order]).pooled for order in ([0, 1, 2, 3], [1, 0, 2, 3]))
    assert not torch.allclose(here, there, atol=1e-5)


def test_early_addition_is_the_slow_formula(images):
    network, tokens = vit(), torch.randn(3, 4, 16, generator=torch.Generator().manual_seed(2))
    image = network.embed(images)
    matched = image.clone()
    for tile in range(3):
        for patch in range(4):
            token = tokens[tile, patch]
            matched[tile, patch] += token / token.square().sum().sqrt() * image[tile, patch].square().sum().sqrt()
    found = fusion("add")(network, images, tokens).pooled
    torch.testing.assert_close(found, network.run(matched).pooled)
    plain = fusion("add", match_norm=False)(network, images, tokens).pooled
    torch.testing.assert_close(plain, network.run(image + tokens).pooled)


def test_the_gate_is_the_slow_formula(images):
    network, layer = vit(), fusion("gated")
    tokens = torch.randn(3, 4, 16, generator=torch.Generator().manual_seed(2))
    image = network.embed(images)
    weight, bias = layer.gate.weight, layer.gate.bias
    gate = torch.sigmoid(image @ weight[:, :16].T + tokens @ weight[:, 16:].T + bias)
    torch.testing.assert_close(layer(network, images, tokens).pooled, network.run(image + gate * tokens).pooled)


def test_concatenated_tokens_follow_with_their_positions(images):
    network, layer = vit(), fusion("concat")
    torch.nn.init.normal_(layer.modality)
    tokens = torch.randn(3, 4, 16, generator=torch.Generator().manual_seed(2))
    trunk = network.trunk
    placed = trunk._pos_embed(network.embed(images))
    stream = torch.cat([placed, tokens + trunk.pos_embed[:, 1:] + layer.modality], dim=1)
    wanted = trunk.norm(trunk.blocks(stream))
    found = layer(network, images, tokens)
    torch.testing.assert_close(found.pooled, wanted[:, 0])
    torch.testing.assert_close(found.patches, wanted[:, 1:5])


@pytest.mark.parametrize("how", ["add", "concat"])
def test_late_fusion_is_the_slow_formula(how):
    rng = np.random.default_rng(0)
    image, transcripts = rng.normal(2.0, 3.0, (5, 8)), rng.normal(0.0, 0.2, (5, 8))
    layer = LateFusion(how, width=8)
    torch.nn.init.uniform_(layer.norm_image.weight)
    scale = layer.norm_image.weight.detach().numpy()

    def normal(row):
        return (row - row.mean()) / np.sqrt(((row - row.mean()) ** 2).mean() + 1e-5)

    wanted = []
    for m, e in zip(image, transcripts, strict=True):
        first, second = normal(m) * scale, normal(e)
        wanted.append(first + second if how == "add" else [*first, *second])
    found = layer(torch.from_numpy(image).float(), torch.from_numpy(transcripts).float())
    np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=1e-4, atol=1e-5)
    assert found.shape[1] == layer.width


def test_unknown_fusions_are_refused():
    with pytest.raises(InputError, match="early fusion 'product'"):
        EarlyFusion("product", width=4)
    with pytest.raises(InputError, match="late fusion 'gated'"):
        LateFusion("gated", width=4)


def test_one_network_embeds_every_patch_and_patches_are_averaged():
    torch.manual_seed(0)
    encoder = ExpressionEncoder(5, width=6).eval()
    counts = torch.rand(3, 4, 5)
    tokens = encoder(counts)
    for tile in range(3):
        slow = sum(encoder(counts[tile, patch][None])[0] for patch in range(4)) / 4
        torch.testing.assert_close(pool_tokens(tokens)[tile], slow)
    assert torch.equal(pool_tokens(encoder(counts[:, 0])), encoder(counts[:, 0]))
