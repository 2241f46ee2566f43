"""Published names of weights turned into the names of our networks."""

import re
from collections.abc import Callable, Mapping

import torch

State = dict[str, torch.Tensor]

# What published files hold beyond the network that embeds: classifiers, poolers, masks, other towers, fixed indices.
CLASSIFIERS = ("fc.", "head.", "classifier.")
TRANSFORMERS_EXTRA = ("pooler.", "embeddings.mask_token", "classifier.", "lm_head.", "decoder.")
CONCH_EXTRA = (
    "text.",
    "text_decoder.",
    "logit_scale",
    "visual.proj_contrast",
    "visual.attn_pool_caption.",
    "visual.ln_caption.",
)
SWIN_INDICES = (".relative_position_index", ".attn_mask")
BLOCK = re.compile(r"encoder\.layer\.(\d+)\.(.+)")
ROOTS = {
    "embeddings.cls_token": "cls_token",
    "embeddings.position_embeddings": "pos_embed",
    "embeddings.patch_embeddings.projection.weight": "patch_embed.proj.weight",
    "embeddings.patch_embeddings.projection.bias": "patch_embed.proj.bias",
    "layernorm.weight": "norm.weight",
    "layernorm.bias": "norm.bias",
}
PARTS = {
    "layernorm_before": "norm1",
    "layernorm_after": "norm2",
    "norm1": "norm1",
    "norm2": "norm2",
    "attention.output.dense": "attn.proj",
    "intermediate.dense": "mlp.fc1",
    "output.dense": "mlp.fc2",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
    "layer_scale1": "ls1",
    "layer_scale2": "ls2",
}


def rename(name: str, state: Mapping[str, torch.Tensor]) -> State:
    """Return the weights of an expert under the names of its network in ``architectures``.

    A file that already has those names passes unchanged; names that are not understood are kept, for the comparison
    with the network to name them.

    Parameters
    ----------
    name
        Name of the expert in the registry.
    state
        Name -> tensor, as published.
    """
    return RENAMERS.get(name, _without_classifier)(dict(state))


def _without_classifier(state: State) -> State:
    """Leave out the classifier of a timm file."""
    return {key: value for key, value in state.items() if not key.startswith(CLASSIFIERS)}


def _class_and_mean(state: State) -> State:
    """Put the names of a plain transformer under the trunk."""
    if any(key.startswith("trunk.") for key in state):
        return state
    return {f"trunk.{key}": value for key, value in _without_classifier(state).items()}


def _conch(state: State) -> State:
    """Keep the image tower."""
    if not any(key.startswith("visual.") for key in state):
        return state
    return {key.removeprefix("visual."): value for key, value in state.items() if not key.startswith(CONCH_EXTRA)}


def _ctranspath(state: State) -> State:
    """Leave out indices that timm computes, and move the merging of patches where timm has had it since 0.9."""
    kept = {key: value for key, value in _without_classifier(state).items() if not key.endswith(SWIN_INDICES)}
    if not any(key.startswith("layers.0.downsample.") for key in kept):
        return kept
    later = re.compile(r"layers\.(\d+)\.downsample\.")
    return {later.sub(lambda found: f"layers.{int(found[1]) + 1}.downsample.", key): kept[key] for key in kept}


def _transformers(state: State) -> State:
    """Give the names of ``transformers``' ViT and DINOv2 as timm has them, with query, key and value in one matrix."""
    prefix = next((root for root in ("vit.", "dinov2.", "") if f"{root}embeddings.cls_token" in state), None)
    if prefix is None:
        return _without_classifier(state)
    plain = {key.removeprefix(prefix): value for key, value in state.items()}
    renamed: State = {}
    for key, value in plain.items():
        if key.startswith(TRANSFORMERS_EXTRA):
            continue
        block = BLOCK.fullmatch(key)
        if block is None:
            renamed[ROOTS.get(key, key)] = value
        elif block[2].startswith("attention.attention."):
            _join_attention(plain, key, block, renamed)
        else:
            part, _, leaf = block[2].rpartition(".")
            known = PARTS.get(part)
            renamed[f"blocks.{block[1]}.{known}.{_leaf(leaf)}" if known else key] = value
    return renamed


def _leaf(leaf: str) -> str:
    """Return timm's name of the last part of a name."""
    return "gamma" if leaf == "lambda1" else leaf


def _join_attention(plain: State, key: str, block: re.Match[str], renamed: State) -> None:
    """Join query, key and value of a block once, or keep what has not all three."""
    leaf = key.rpartition(".")[2]
    stem = key.split("attention.attention.")[0] + "attention.attention."
    three = [f"{stem}{role}.{leaf}" for role in ("query", "key", "value")]
    if any(name not in plain for name in three):
        renamed[key] = plain[key]
    elif key == three[0]:
        renamed[f"blocks.{block[1]}.attn.qkv.{leaf}"] = torch.cat([plain[name] for name in three])


RENAMERS: dict[str, Callable[[State], State]] = {
    "virchow": _class_and_mean,
    "virchow2": _class_and_mean,
    "conch": _conch,
    "ctranspath": _ctranspath,
    "phikon": _transformers,
    "phikon_v2": _transformers,
}
