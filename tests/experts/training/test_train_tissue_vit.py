from dataclasses import replace
from importlib import import_module

import pytest
import torch
from safetensors.torch import load_file, save_file

from beyond_alignment.errors import InputError
from beyond_alignment.experts.loading import load_morphology
from beyond_alignment.experts.model_card import read_model_card
from beyond_alignment.experts.registry import get_expert
from beyond_alignment.experts.tissue_vit import DIMENSION, INPUT_PX, MEAN, SD, TIMM_NAME, tissue_vit_module
from beyond_alignment.experts.torchvision_operators import import_timm
from beyond_alignment.experts.training import loop, train_tissue_vit
from beyond_alignment.experts.training.profiles import TISSUE_VIT_PROFILES, TrainingPlan

module_of_training = import_module("beyond_alignment.experts.training.train_tissue_vit")
PROFILE = replace(
    TISSUE_VIT_PROFILES["quick"], plan=TrainingPlan(epochs=2, steps_per_epoch=1, learning_rate=1e-3), batch=4, group=2
)


@pytest.fixture
def small(monkeypatch):
    """One block in place of twelve."""

    def module(*, keep=1.0):
        return import_timm().create_model(
            TIMM_NAME,
            pretrained=False,
            num_classes=0,
            img_size=112,
            depth=1,
            global_pool="avg",
            patch_drop_rate=1 - keep,
        )

    monkeypatch.setattr(module_of_training, "tissue_vit_module", module)


def test_a_killed_training_ends_in_the_same_file(small, images, tmp_path, monkeypatch):
    arguments = {"profile": PROFILE, "images": images, "device": "cpu", "progress": False}
    whole = train_tissue_vit(out=tmp_path / "whole", **arguments)
    with monkeypatch.context() as patched:
        patched.setattr(loop, "write_text", lambda path, text: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):  # after the first checkpoint
            train_tissue_vit(out=tmp_path / "cut", **arguments)
    resumed = train_tissue_vit(out=tmp_path / "cut", **arguments)
    assert resumed.weights.read_bytes() == whole.weights.read_bytes()

    card = read_model_card(whole.weights.with_suffix(".json"))
    assert card.size == whole.weights.stat().st_size < 15e6
    assert card.donors == ["A", "B"]
    assert {key: card.data[0][key] for key in ("section", "fields_um")} == {"section": "A1", "fields_um": "100"}
    assert all(value.dtype == torch.float16 for value in load_file(whole.weights).values())
    with pytest.raises(InputError, match="written with another sections"):
        train_tissue_vit(out=tmp_path / "whole", **{**arguments, "images": images[:1]})


def test_what_some_donors_were_kept_from_is_named_after_them(small, images, tmp_path):
    short = replace(PROFILE, plan=replace(PROFILE.plan, epochs=1))
    options = {"profile": short, "images": images, "device": "cpu", "progress": False}
    run = train_tissue_vit(out=tmp_path, exclude_donors=("Z", "Y"), **options)
    assert run.weights == tmp_path / "tissue_vit_without_Y_Z.safetensors"
    assert read_model_card(run.weights.with_suffix(".json")).excluded_donors == ["Y", "Z"]
    assert (tmp_path / "tissue_vit_without_Y_Z.md").is_file()


def test_weights_are_loaded_by_the_registry(tmp_path):
    state = {name: value.half() for name, value in tissue_vit_module().state_dict().items()}
    save_file(state, tmp_path / "whole.safetensors")
    module = load_morphology("tissue_vit", weights=tmp_path / "whole.safetensors", device="cpu").module
    assert module(torch.zeros(2, 3, 112, 112)).shape == (2, 192)
    assert not module.training
    torch.testing.assert_close(module.state_dict()["cls_token"], state["cls_token"].float())


def test_the_record_says_what_the_network_takes():
    record = get_expert("tissue_vit")
    with torch.device("meta"):
        parameters = sum(p.numel() for p in tissue_vit_module().parameters())
    assert (record.dimension, record.input_px, record.parameters) == (DIMENSION, INPUT_PX, parameters)
    assert (record.mean, record.sd) == (MEAN, SD)


def test_the_network_sees_all_patches_in_use_and_some_in_training():
    module = tissue_vit_module(keep=0.5)
    seen = []
    module.blocks[0].register_forward_pre_hook(lambda _, given: seen.append(given[0].shape[1]))
    images = torch.zeros(1, 3, 112, 112)
    with torch.no_grad():
        module.train()(images)
        module.eval()(images)
    assert seen == [1 + 24, 1 + 49]
