"""Where weights come from: shipped, the reader's folder, the hub; and what is said where they are missing."""

import hashlib
import importlib.util
import json
from unittest import mock

import huggingface_hub
import psutil
import pytest
import torch
from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, LocalEntryNotFoundError
from safetensors.torch import save_file

from beyond_alignment.errors import InputError
from beyond_alignment.experts import availability as availability_module
from beyond_alignment.experts import weights_files
from beyond_alignment.experts.architectures import build_morphology
from beyond_alignment.experts.availability import availability, needed_gib
from beyond_alignment.experts.checkpoints import from_hub
from beyond_alignment.experts.loading import load_morphology
from beyond_alignment.experts.registry import EXPERTS

GIB = 2**30


@pytest.fixture(autouse=True)
def bare_machine(tmp_path, monkeypatch):
    """No weights, no token, no GPU, memory enough, a hub that must not be asked."""
    (tmp_path / "_toc.yml").touch()
    monkeypatch.setenv("BEYOND_ALIGNMENT_ROOT", str(tmp_path))
    monkeypatch.setenv("BEYOND_ALIGNMENT_CACHE", str(tmp_path / "cache"))
    for name in ("BEYOND_ALIGNMENT_MIRROR", "BEYOND_ALIGNMENT_WEIGHTS", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *where, **more: None)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *where, **more: pytest.fail("the hub was asked"))
    monkeypatch.setattr(availability_module, "gpu_free_gib", lambda: None)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 64 * GIB}))
    return tmp_path


@pytest.fixture(scope="module")
def tissue_vit(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("trained") / "tissue_vit.safetensors"
    save_file(build_morphology("tissue_vit").state_dict(), path)
    return path.read_bytes()


def ship(folder, content, **card):
    """Put weights and a card where the book has them."""
    place = folder / "data" / "experts" / "tissue_vit.safetensors"
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    place.with_suffix(".json").write_text(json.dumps(card))
    return place


def test_shipped_weights_are_found_checked_and_loaded(bare_machine, tissue_vit):
    assert availability("tissue_vit").missing[0].startswith("weights path: tissue_vit is not in data/experts")
    digest = hashlib.sha256(tissue_vit).hexdigest()
    place = ship(bare_machine, tissue_vit, sha256=digest)
    assert availability("tissue_vit").weights == f"registered file {place}"
    model = load_morphology("tissue_vit", device="cpu")
    assert (model.source, model.sha256) == ("registered file", digest)


def test_a_shipped_file_that_is_not_that_of_its_card_is_refused(bare_machine, tissue_vit):
    ship(bare_machine, tissue_vit, sha256="0" * 64)
    with pytest.raises(InputError, match="is not the file of its model card"):
        load_morphology("tissue_vit", device="cpu")
    here = availability("tissue_vit")
    assert not here.usable
    assert "is not the file of its model card" in here.missing[0]


def test_a_shipped_file_without_a_whole_card_is_refused(bare_machine, tissue_vit):
    card = ship(bare_machine, tissue_vit, sha256="0").with_suffix(".json")
    for content in ("", "{}", "[]"):
        card.write_text(content)
        with pytest.raises(InputError, match=r"tissue_vit\.json does not say the sha256"):
            load_morphology("tissue_vit", device="cpu")


def test_without_weights_the_message_says_where_they_belong():
    with pytest.raises(InputError, match=r"no weights of tissue_vit in data/experts: .* BEYOND_ALIGNMENT_WEIGHTS"):
        load_morphology("tissue_vit", device="cpu")


def test_the_readers_own_folder_is_searched(bare_machine, tissue_vit, monkeypatch):
    monkeypatch.setenv("BEYOND_ALIGNMENT_WEIGHTS", str(bare_machine / "mine"))
    with pytest.raises(InputError, match="does not exist: correct BEYOND_ALIGNMENT_WEIGHTS"):
        load_morphology("tissue_vit", device="cpu")
    assert "does not exist" in availability("uni").missing[0]
    (bare_machine / "mine").mkdir()
    (bare_machine / "mine" / "tissue_vit.safetensors").write_bytes(tissue_vit)
    assert load_morphology("tissue_vit", device="cpu").source == "own file"
    (bare_machine / "mine" / "uni.bin").touch()
    assert availability("uni").usable


def test_the_colour_expert_needs_no_weights():
    assert availability("colour") == availability_module.Availability(True, ())
    assert load_morphology("colour", device="cpu").source == "definition"


def test_a_gated_expert_lacks_the_token_and_only_that(monkeypatch):
    here = availability("uni2_h")
    assert here.missing == (
        "token: ask for access to MahmoodLab/UNI2-h on the hub and set HF_TOKEN, or give --weights",
    )
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "a token")
    assert availability("uni2_h").usable


def test_an_open_expert_is_usable_after_a_download():
    here = availability("phikon")
    assert here.usable
    assert here.download_gb == pytest.approx(0.343, abs=0.001)


def test_weights_in_the_hubs_cache_need_no_token(bare_machine, monkeypatch):
    def cached(source, file, *, revision):
        assert revision == EXPERTS["uni"].revision
        return str(bare_machine / file) if file == "pytorch_model.bin" else None

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", cached)
    here = availability("uni")
    assert (here.usable, here.download_gb) == (True, 0.0)
    assert weights_files.find_weights(EXPERTS["uni"]) == (bare_machine / "pytorch_model.bin", "hub")


@pytest.mark.parametrize("value", ["1", "true"])
def test_a_hub_that_is_switched_off_leaves_the_weights_path(monkeypatch, value):
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    assert availability("resnet50").missing[0].startswith("weights path: timm/resnet50.a1_in1k is not cached and")


def test_a_missing_package_is_named(monkeypatch):
    needy = type(EXPERTS["phikon"])(**{**vars(EXPERTS["phikon"]), "requires": ("torch", "a_package_of_nobody")})
    monkeypatch.setitem(EXPERTS, "phikon", needy)
    assert importlib.util.find_spec("a_package_of_nobody") is None
    assert availability("phikon").missing == ("package a_package_of_nobody: pip install a_package_of_nobody",)


def test_memory_is_missed_on_the_gpu_or_without_one_on_the_cpu(monkeypatch):
    assert needed_gib(EXPERTS["h_optimus_0"]) == pytest.approx(6.2, abs=0.05)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "a token")
    monkeypatch.setattr(availability_module, "gpu_free_gib", lambda: 4.0)
    assert availability("h_optimus_0").missing[0].startswith("GPU memory: 6.2 GiB are needed and 4.0 are free")
    assert availability("phikon").usable
    monkeypatch.setattr(availability_module, "gpu_free_gib", lambda: None)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 3 * GIB}))
    assert "there is no GPU here, and the CPU has only 3.0 GiB free" in availability("h_optimus_0").missing[0]


def test_everything_that_is_missing_is_said_at_once(monkeypatch):
    monkeypatch.setattr(availability_module, "gpu_free_gib", lambda: 1.0)
    kinds = [item.partition(":")[0] for item in availability("uni2_h").missing]
    assert kinds == ["token", "GPU memory"]


@pytest.mark.parametrize("name", ["scgpt", "geneformer", "scfoundation", "scprint", "nicheformer", "uce"])
def test_expression_experts_with_an_environment_of_their_own_name_its_script(name):
    here = availability(name)
    assert not here.usable
    assert here.missing[0].startswith(f"environment: run envs/{name}/extract.py")


def refusal(kind):
    """The hub's answer to an account that may not have a file."""
    return kind("refused", response=mock.MagicMock())


def test_the_hub_is_asked_at_the_revision_for_either_file(monkeypatch, tmp_path):
    asked = []

    def download(source, file, *, revision):
        asked.append((source, file, revision))
        if file.endswith(".safetensors"):
            raise EntryNotFoundError("no such file")
        return str(tmp_path / file)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    uni = EXPERTS["uni"]
    assert from_hub(uni) == tmp_path / "pytorch_model.bin"
    files = ("model.safetensors", "pytorch_model.bin")
    assert asked == [(uni.source, file, uni.revision) for file in files]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refusal(GatedRepoError), "does not give MahmoodLab/UNI to this account: .* HF_TOKEN"),
        (LocalEntryNotFoundError("offline"), "could not be reached for MahmoodLab/UNI at 77ffbca"),
        (ConnectionError("reset"), "could not be reached"),
        (EntryNotFoundError("no such file"), "has none of model.safetensors, pytorch_model.bin"),
    ],
)
def test_what_the_hub_does_not_give_is_one_sentence(monkeypatch, error, words):
    def refuse(*where, **more):
        raise error

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse)
    with pytest.raises(InputError, match=words):
        load_morphology("uni", device="cpu")


def test_an_expert_without_a_network_is_refused_before_anything_is_fetched():
    with pytest.raises(InputError, match="'geneformer' has no network that reads images"):
        load_morphology("geneformer", device="cpu")
