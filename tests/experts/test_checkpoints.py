"""Files in the layouts that the authors publish, made here with drawn numbers, load into our networks unchanged."""

import hashlib
import os
import pickle

import pytest
import torch
from safetensors.torch import save_file

from beyond_alignment.errors import InputError
from beyond_alignment.experts.architectures import build_morphology
from beyond_alignment.experts.checkpoint_names import rename
from beyond_alignment.experts.checkpoints import fit, read_state
from beyond_alignment.experts.loading import load_morphology
from beyond_alignment.experts.registry import EXPERTS
from beyond_alignment.experts.torchvision_operators import import_timm


def images(name, n=1):
    side = EXPERTS[name].input_px
    return torch.randn(n, 3, side, side, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def swin():
    torch.manual_seed(0)
    return build_morphology("ctranspath")


def as_published(state):
    """CTransPath's own file: merging at the end of a stage, fixed indices, wrapped."""
    old = {}
    for key, value in state.items():
        stage = key.split(".")[1] if ".downsample." in key else None
        old[key if stage is None else key.replace(f"layers.{stage}.", f"layers.{int(stage) - 1}.", 1)] = value
    old["layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(49, 49, dtype=torch.int64)
    old["layers.0.blocks.1.attn_mask"] = torch.zeros(64, 49, 49)
    return {"model": {f"module.{key}": value for key, value in old.items()}}


def test_ctranspath_loads_from_the_authors_layout_and_from_timms(swin, tmp_path):
    theirs, timms = tmp_path / "ctranspath.pth", tmp_path / "model.safetensors"
    torch.save(as_published(swin.state_dict()), theirs)
    save_file(swin.state_dict(), timms)
    with torch.inference_mode():
        expected = swin(images("ctranspath"))
        for path in (theirs, timms):
            model = load_morphology("ctranspath", weights=path, device="cpu")
            torch.testing.assert_close(model.module(images("ctranspath")), expected)
    assert model.expert is EXPERTS["ctranspath"]
    assert (model.source, model.sha256) == ("given file", hashlib.sha256(timms.read_bytes()).hexdigest())
    assert not any(parameter.requires_grad for parameter in model.module.parameters())


def tiny_vit(**arguments):
    sizes = {"embed_dim": 32, "depth": 2, "num_heads": 2, "img_size": 32, "num_classes": 0}
    return import_timm().create_model("vit_base_patch16_224", **sizes, **arguments).eval()


def as_transformers(state, *, dinov2):
    """timm's names turned into those of a file that ``transformers`` saved: the way back, written on its own."""
    norm1, norm2 = ("norm1", "norm2") if dinov2 else ("layernorm_before", "layernorm_after")
    fc1, fc2 = ("mlp.fc1", "mlp.fc2") if dinov2 else ("intermediate.dense", "output.dense")
    saved = {
        "embeddings.cls_token": state["cls_token"],
        "embeddings.position_embeddings": state["pos_embed"],
        "embeddings.patch_embeddings.projection.weight": state["patch_embed.proj.weight"],
        "embeddings.patch_embeddings.projection.bias": state["patch_embed.proj.bias"],
        "layernorm.weight": state["norm.weight"],
        "layernorm.bias": state["norm.bias"],
    }
    for i in range(2):
        ours, theirs = f"blocks.{i}", f"encoder.layer.{i}"
        for leaf in ("weight", "bias"):
            parts = state[f"{ours}.attn.qkv.{leaf}"].chunk(3)
            for role, part in zip(("query", "key", "value"), parts, strict=True):
                saved[f"{theirs}.attention.attention.{role}.{leaf}"] = part.clone()
            saved[f"{theirs}.attention.output.dense.{leaf}"] = state[f"{ours}.attn.proj.{leaf}"]
            saved[f"{theirs}.{norm1}.{leaf}"] = state[f"{ours}.norm1.{leaf}"]
            saved[f"{theirs}.{norm2}.{leaf}"] = state[f"{ours}.norm2.{leaf}"]
            saved[f"{theirs}.{fc1}.{leaf}"] = state[f"{ours}.mlp.fc1.{leaf}"]
            saved[f"{theirs}.{fc2}.{leaf}"] = state[f"{ours}.mlp.fc2.{leaf}"]
        if dinov2:
            saved[f"{theirs}.layer_scale1.lambda1"] = state[f"{ours}.ls1.gamma"]
            saved[f"{theirs}.layer_scale2.lambda1"] = state[f"{ours}.ls2.gamma"]
    extra = {"embeddings.mask_token": torch.zeros(1, 32)} if dinov2 else {"pooler.dense.weight": torch.zeros(32, 32)}
    return saved | extra


@pytest.mark.parametrize(
    ("name", "prefix", "arguments"),
    [("phikon", "", {}), ("phikon", "vit.", {}), ("phikon_v2", "", {"init_values": 1.0})],
)
def test_files_of_transformers_load_into_timm(name, prefix, arguments, tmp_path):
    torch.manual_seed(0)
    original, empty = tiny_vit(**arguments), tiny_vit(**arguments)
    saved = as_transformers(original.state_dict(), dinov2=name == "phikon_v2")
    published = {f"{prefix}{key}": value for key, value in saved.items()}
    fit(empty, rename(name, published), path=tmp_path, name=name)
    image = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(empty(image), original(image))


@pytest.mark.parametrize("name", ["phikon", "phikon_v2"])
def test_transformers_itself_gives_the_same_embedding(name, tmp_path):
    transformers = pytest.importorskip("transformers", reason="transformers is not among the project's packages")
    torch.manual_seed(0)
    if name == "phikon":
        theirs = transformers.ViTModel(transformers.ViTConfig(layer_norm_eps=1e-6))
    else:
        sizes = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16}
        theirs = transformers.Dinov2Model(transformers.Dinov2Config(patch_size=16, image_size=224, **sizes))
    theirs.eval().save_pretrained(tmp_path)
    ours = load_morphology(name, weights=tmp_path / "model.safetensors", device="cpu")
    with torch.inference_mode():
        expected = theirs(images(name)).last_hidden_state[:, 0]
        torch.testing.assert_close(ours.module(images(name)), expected, atol=1e-5, rtol=1e-5)


def test_only_the_image_tower_of_conch_is_taken(tmp_path):
    with torch.device("meta"):
        tower = build_morphology("conch")
    saved = {f"visual.{key}": torch.zeros(value.shape) for key, value in tower.state_dict().items()}
    extra = ("text.cls_emb", "text_decoder.text_projection", "logit_scale", "visual.proj_contrast")
    saved |= {key: torch.zeros(1) for key in (*extra, "visual.attn_pool_caption.query", "visual.ln_caption.bias")}
    assert set(rename("conch", saved)) == set(tower.state_dict())
    fit(tower, rename("conch", saved), path=tmp_path, name="conch")
    with pytest.raises(InputError, match=r"do not fit conch: unexpected tail\.bias"):
        fit(tower, rename("conch", saved | {"visual.tail.bias": torch.zeros(1)}), path=tmp_path, name="conch")


@pytest.mark.parametrize("name", ["virchow", "virchow2"])
def test_the_names_of_virchow_go_under_the_trunk(name):
    with torch.device("meta"):
        wanted = set(build_morphology(name).state_dict())
    assert set(rename(name, {key.removeprefix("trunk."): torch.zeros(1) for key in wanted})) == wanted
    assert set(rename(name, dict.fromkeys(wanted, torch.zeros(1)))) == wanted


def test_a_classifier_is_left_out_and_counters_may_be_missing(tmp_path):
    torch.manual_seed(0)
    network = import_timm().create_model("resnet50", num_classes=10)
    path = tmp_path / "resnet50.safetensors"
    save_file({key: value for key, value in network.state_dict().items() if "num_batches" not in key}, path)
    model = load_morphology("resnet50", weights=path, device="cpu")
    assert "fc.weight" not in model.module.state_dict()


def test_half_precision_files_become_float32(tmp_path):
    path = tmp_path / "tissue_vit.safetensors"
    save_file({key: value.half() for key, value in build_morphology("tissue_vit").state_dict().items()}, path)
    model = load_morphology("tissue_vit", weights=path, device="cpu")
    assert {parameter.dtype for parameter in model.module.parameters()} == {torch.float32}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "tissue_vit.safetensors"
    state = build_morphology("tissue_vit").state_dict()
    save_file(state, path)
    return path, state


@pytest.mark.parametrize("suffix", [".safetensors", ".bin", ".pth"])
def test_a_checkpoint_of_another_network_is_refused_by_its_first_names(small, tmp_path, suffix):
    state = dict(small[1])
    state["another.weight"] = torch.zeros(1)
    state["pos_embed"] = torch.zeros(1, 60, 192)
    del state["blocks.0.attn.proj.bias"]
    path = tmp_path / f"wrong{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    with pytest.raises(InputError) as refused:
        load_morphology("tissue_vit", weights=path, device="cpu")
    for words in (
        "do not fit tissue_vit",
        "unexpected another.weight",
        "missing blocks.0.attn.proj.bias",
        "pos_embed (1, 60, 192) instead of (1, 50, 192)",
    ):
        assert words in str(refused.value)


def test_a_much_different_checkpoint_names_three_and_counts_the_others(small):
    with pytest.raises(InputError, match=r"missing blocks\.0\.ls1\.gamma, blocks\.0\.ls2\.gamma, .* and \d+ more"):
        load_morphology("uni", weights=small[0], device="cpu")


class Malicious:
    """Would run a command when it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch unpickled",)


def test_nothing_is_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": Malicious()}, tmp_path / "bad.pth")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Malicious(), protocol=2))
    for name in ("bad.pth", "plain.pt"):
        with pytest.raises(InputError, match=f"{name} cannot be read as tensors alone"):
            read_state(tmp_path / name)
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
def test_files_that_are_absent_empty_or_cut_are_named(small, tmp_path, suffix):
    cut = tmp_path / f"cut{suffix}"
    if suffix == ".bin":
        torch.save(small[1], cut)
        cut.write_bytes(cut.read_bytes()[:100_000])
    else:
        cut.write_bytes(small[0].read_bytes()[:100_000])
    empty = tmp_path / f"empty{suffix}"
    empty.touch()
    for path in (cut, empty, tmp_path / f"absent{suffix}"):
        with pytest.raises(InputError, match=rf"{path.stem}\{suffix} cannot be read"):
            read_state(path)


@pytest.mark.parametrize("content", [{"epoch": 3}, {"model": {"weight": 1.0}}, [1, 2], {}])
def test_a_file_without_named_tensors_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "numbers.pt")
    with pytest.raises(InputError, match="holds no table of named tensors"):
        read_state(tmp_path / "numbers.pt")


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"ends in \.onnx: give one of \.safetensors"):
        read_state(tmp_path / "model.onnx")
