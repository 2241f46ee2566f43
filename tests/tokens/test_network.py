import pytest
import torch
from torch.nn import functional

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.arms import ARMS, Arm, get_arm
from beyond_alignment.tokens.batches import TileBatches
from beyond_alignment.tokens.network import Sizes, TokenNetwork
from tests.tokens.small import tiles, vit

CPU = torch.device("cpu")


def network(name, data, *, seed=0):
    arm = ARMS[name]
    torch.manual_seed(seed)
    sizes = Sizes(targets=data.targets.shape[1], expression=len(data.core_genes))
    whole = TokenNetwork(arm, sizes, vit=vit(grid=data.grid) if arm.vision else None)
    return whole, TileBatches(data, device=CPU, images=arm.vision is not None, granularity=arm.granularity)


def head(name, *, image=0, expression=380):
    return sum(p.numel() for p in TokenNetwork(ARMS[name], Sizes(100, expression, image)).head.parameters())


@pytest.mark.parametrize(
    ("name", "image", "published"),
    [
        ("morphology_frozen", 384, 38_500),
        ("late_add_token_frozen", 384, 38_500),
        ("late_concat_token_frozen", 384, 76_900),
        ("late_add_tile_frozen", 768, 76_900),  # Phikon
        ("morphology_frozen", 1024, 102_500),  # UNI
        ("late_concat_tile_frozen", 768, 153_700),  # Loki
        ("late_concat_tile_frozen", 1024, 204_900),
        ("expression_tile", 0, 3_300),
        ("expression_token", 0, 3_300),
    ],
)
def test_heads_have_the_published_sizes(name, image, published):
    assert head(name, image=image) == published


@pytest.mark.parametrize("name", ARMS)
def test_gradients_reach_what_is_trained_and_nothing_else(name):
    data = tiles(8)
    model, batches = network(name, data)
    model.train()
    functional.mse_loss(model(batches.of(torch.arange(8))), torch.from_numpy(data.targets)).backward()
    within = {f"vit.{name}" for name, _ in vit().named_parameters()}
    for parameter, value in model.named_parameters():
        if parameter in within and not ARMS[name].trained:
            assert value.grad is None, parameter
        else:
            assert value.grad is not None, parameter
            assert value.grad.abs().sum() > 0, parameter
    groups = model.parameter_groups(head_rate=1.0, backbone_rate=2.0)
    assert sum(p.numel() for group in groups for p in group["params"]) == model.n_parameters()
    assert len(groups) == 1 + ARMS[name].trained
    if ARMS[name].trained:
        assert {id(p) for p in groups[1]["params"]} == {id(p) for p in model.vit.parameters()}
        assert groups[1]["peak"] == 2.0


def test_a_frozen_network_stays_in_evaluation_while_the_rest_trains():
    model, _ = network("early_add_frozen", tiles(2))
    model.train()
    assert model.expression.training
    assert not any(part.training for part in model.vit.modules())


@pytest.mark.parametrize("stem", ["expression_{}", "late_add_{}_frozen", "late_concat_{}_trained"])
def test_tokens_and_tiles_agree_where_a_tile_is_one_patch(stem):
    data = tiles(6, grid=1)
    found = []
    for granularity in ("tile", "token"):
        model, batches = network(stem.format(granularity), data)
        found.append(model.eval()(batches.of(torch.arange(6))))
    assert torch.equal(*found)


def test_tokens_and_tiles_differ_where_there_are_more():
    data = tiles(6, grid=2)
    found = [network(f"expression_{g}", data) for g in ("tile", "token")]
    first, second = (model.eval()(batches.of(torch.arange(6))) for model, batches in found)
    assert not torch.allclose(first, second, atol=1e-3)


def test_a_batch_holds_the_log_counts_of_its_tiles():
    data, rows = tiles(9), torch.tensor([7, 0, 3])
    dense = torch.from_numpy(data.core.toarray()).view(9, 4, 5)
    by_patch = TileBatches(data, device=CPU, images=True, granularity="token").of(rows)
    torch.testing.assert_close(by_patch.expression, dense[rows].log1p())
    assert torch.equal(by_patch.images, torch.from_numpy(data.pixels)[rows])
    by_tile = TileBatches(data, device=CPU, granularity="tile").of(rows)
    torch.testing.assert_close(by_tile.expression, dense[rows].sum(dim=1).log1p())
    assert by_tile.images is None


def test_every_combination_is_an_arm():
    late = {(a.how, a.granularity, a.trained) for a in ARMS.values() if a.stage == "late"}
    early = {(a.how, a.trained) for a in ARMS.values() if a.stage == "early"}
    assert {arm.trained for arm in ARMS.values() if arm.vision and arm.stage is None} == {True, False}
    assert len(late) == len(early) == 8
    assert len({arm.label for arm in ARMS.values()}) == len(ARMS) == 20


def test_an_arm_of_ones_own_is_taken_and_an_unknown_name_refused():
    own = Arm(name="own", label="Own", vision="vit")
    assert get_arm(own) is own
    with pytest.raises(InputError, match="early_add_frozen"):
        get_arm("early_ad")
    with pytest.raises(InputError, match="reads images"):
        TokenNetwork(own, Sizes(3))
