import hashlib

import pytest
import torch
from safetensors.torch import load_file, save_file

from beyond_alignment.errors import InputError
from beyond_alignment.experts import EXPERTS
from beyond_alignment.experts.compute import resolve_device
from beyond_alignment.experts.morphology import mobilenetv2


def test_the_network_has_the_registered_size_and_is_frozen(model, weights):
    record = EXPERTS["mobilenetv2"]
    folded = sum(p.numel() for p in model.module.parameters())
    assert folded == record.parameters == 2_223_872
    assert not any(p.requires_grad for p in model.module.parameters())
    assert not model.module.training
    assert model.source == "registered file"
    assert model.sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()


def test_weights_of_another_architecture_are_refused_by_the_first_keys(weights, tmp_path):
    state = load_file(weights)
    first, second = sorted(name for name in state if "num_batches" not in name)[:2]
    state["something.else"] = torch.zeros(1)
    state[second] = torch.zeros(2, 3, 5)
    del state[first]
    wrong = tmp_path / "wrong.safetensors"
    save_file(state, wrong)
    with pytest.raises(InputError) as refused:
        mobilenetv2(wrong)
    for name in (first, second, "something.else"):
        assert name in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"no safetensors at all", None])
def test_a_damaged_weights_file_is_named(weights, tmp_path, content):
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(weights.read_bytes()[:100_000] if content is None else content)
    with pytest.raises(InputError, match=r"damaged\.safetensors cannot be read"):
        mobilenetv2(damaged)


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto").type == resolve_device("cpu").type == "cpu"
    with pytest.raises(InputError, match="GPU was asked for"):
        resolve_device("cuda")
    with pytest.raises(InputError, match="'tpu'"):
        resolve_device("tpu")


def test_auto_takes_the_gpu_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto").type == "cuda"
