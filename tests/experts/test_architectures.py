"""The networks have the published sizes and run, the large ones with one of their blocks."""

import numpy as np
import pytest
import torch

from beyond_alignment.errors import InputError
from beyond_alignment.experts.architectures import BUILDERS, build_morphology
from beyond_alignment.experts.network_parts import AttentionPool, ClassAndMean, ConvolutionalStem
from beyond_alignment.experts.registry import EXPERTS

LARGE = 50_000_000
MORPHOLOGY = [name for name, expert in EXPERTS.items() if expert.modality == "morphology"]
# Millions, from the authors' model cards, to the digits that they give.
PUBLISHED = {
    "uni": 303.4, "uni2_h": 681.4, "virchow": 631.2, "virchow2": 631.2, "phikon": 85.8, "phikon_v2": 303.4,
    "ctranspath": 27.5, "h_optimus_0": 1134.8, "resnet50": 23.5, "vit_s": 21.7, "mobilenetv2": 2.2,
}  # fmt: skip


def drawn(name):
    """A network with drawn numbers; a large one with one of its alike blocks."""
    torch.manual_seed(0)
    if EXPERTS[name].parameters < LARGE:
        return build_morphology(name)
    with torch.device("meta"):
        module = build_morphology(name)
    trunk = next(part for part in module.modules() if hasattr(part, "blocks"))
    trunk.blocks = trunk.blocks[:1]
    module = module.to_empty(device="cpu")
    noise = torch.randn(2**20) * 0.02
    with torch.no_grad():
        for key, value in module.state_dict().items():
            value.copy_(noise.repeat(-(-value.numel() // len(noise)))[: value.numel()].view(value.shape))
            value.add_(float("norm" in key and key.endswith("weight")))
    return module


def test_every_morphology_expert_has_a_network():
    assert set(BUILDERS) == set(MORPHOLOGY)


@pytest.mark.parametrize("name", MORPHOLOGY)
def test_the_network_has_the_stated_dimension_and_parameters(name):
    expert = EXPERTS[name]
    with torch.device("meta"):
        module = build_morphology(name)
        answer = module(torch.empty(2, 3, expert.input_px, expert.input_px))
    count = sum(parameter.numel() for parameter in module.parameters())
    assert tuple(answer.shape) == (2, expert.dimension)
    assert count == expert.parameters
    assert not module.training
    if name in PUBLISHED:
        assert round(count / 1e6, 1) == PUBLISHED[name]


@pytest.mark.parametrize("name", MORPHOLOGY)
def test_the_network_embeds_two_images(name):
    expert = EXPERTS[name]
    module = drawn(name)
    images = torch.randn(2, 3, expert.input_px, expert.input_px)
    with torch.inference_mode():
        first, second = module(images)
    assert first.shape == (expert.dimension,)
    assert torch.isfinite(torch.stack([first, second])).all()
    assert not torch.equal(first, second)


def test_colour_is_mean_and_spread_of_the_channels_by_hand():
    images = torch.zeros(2, 3, 8, 8)
    images[0] = torch.tensor([0.2, 0.4, 1.0])[:, None, None]
    images[1, :, :, 4:] = 1.0
    values = build_morphology("colour")(images).numpy()
    np.testing.assert_allclose(values, [[0.2, 0.4, 1.0, 0.0, 0.0, 0.0], [0.5] * 6], atol=1e-6)


def test_class_and_mean_leaves_the_registers_out():
    tokens = torch.tensor([[[1.0], [100.0], [100.0], [4.0], [6.0]]])  # class, two registers, two patches
    assert ClassAndMean(lambda_module(tokens), registers=2)(torch.empty(0)).tolist() == [[1.0, 5.0]]


def lambda_module(answer):
    """A network that always gives the same answer."""

    class Constant(torch.nn.Module):
        def forward(self, images):
            return answer

    return Constant()


def test_one_query_that_ignores_its_keys_averages_the_values():
    torch.manual_seed(0)
    pool = AttentionPool(8, 6, heads=2)
    with torch.no_grad():
        pool.query.zero_()  # after its layer norm a constant query: every token weighs the same
    tokens = torch.randn(3, 5, 6)
    values = pool.ln_k(tokens) @ pool.attn.v_proj_weight.T  # biases start at 0
    by_hand = values.mean(dim=1) @ pool.attn.out_proj.weight.T
    torch.testing.assert_close(pool(tokens)[:, 0], by_hand, atol=1e-5, rtol=1e-5)


def test_the_stem_gives_a_token_for_four_by_four_pixels():
    assert ConvolutionalStem(96)(torch.randn(2, 3, 32, 64)).shape == (2, 8, 16, 96)


@pytest.mark.parametrize("name", ["pca", "scgpt"])
def test_an_expert_that_reads_no_images_is_refused(name):
    with pytest.raises(InputError, match=f"'{name}' has no network that reads images: choose one of colour"):
        build_morphology(name)
