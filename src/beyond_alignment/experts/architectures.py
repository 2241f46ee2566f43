"""The networks of the morphology experts, with random weights."""

from collections.abc import Callable
from functools import partial

from torch import nn

from beyond_alignment.errors import InputError
from beyond_alignment.experts.network_parts import ClassAndMean, ColourStatistics, ConvolutionalStem, PooledTower
from beyond_alignment.experts.registry import get_expert
from beyond_alignment.experts.tissue_vit import tissue_vit_module
from beyond_alignment.experts.torchvision_operators import import_timm

VIRCHOW_MLP_RATIO = 5.3375  # SwiGLU of 3,416 features a side
UNI2_MLP_RATIO = 2.66667 * 2


def build_morphology(name: str) -> nn.Module:
    """Build the network of a morphology expert with random weights.

    Parameters
    ----------
    name
        Name in the registry, such as ``"uni2_h"``.

    Returns
    -------
    nn.Module
        In evaluation mode; maps normalised images (batch, channel, height, width) to embeddings (batch, feature), in
        float32. Drawn from torch's global generator; on ``torch.device("meta")`` within that context.

    Raises
    ------
    InputError
        If the expert is unknown or reads no images.
    """
    expert = get_expert(name)
    if expert.name not in BUILDERS:
        msg = (
            f"The expert {expert.name!r} has no network that reads images: choose one of {', '.join(sorted(BUILDERS))}."
        )
        raise InputError(msg)
    return BUILDERS[expert.name]().eval()


def _timm(architecture: str, **arguments: object) -> nn.Module:
    """Return timm's architecture without a classifier."""
    return import_timm().create_model(architecture, pretrained=False, num_classes=0, **arguments)


def _uni2_h() -> nn.Module:
    """Return the ViT of UNI2-h: patches of 14 px, 24 blocks, 8 registers, SwiGLU."""
    from timm.layers import SwiGLUPacked  # torchvision may need the schemas that import_timm declares

    return _timm(
        "vit_giant_patch14_224",
        img_size=224,
        patch_size=14,
        depth=24,
        num_heads=24,
        embed_dim=1536,
        mlp_ratio=UNI2_MLP_RATIO,
        init_values=1e-5,
        no_embed_class=True,
        reg_tokens=8,
        mlp_layer=SwiGLUPacked,
        act_layer=nn.SiLU,
        dynamic_img_size=True,
    )


def _virchow(*, registers: int) -> nn.Module:
    """Return the ViT-H of Virchow or Virchow2 with its two tokens joined."""
    from timm.layers import SwiGLUPacked  # as above

    trunk = _timm(
        "vit_huge_patch14_224",
        img_size=224,
        mlp_ratio=VIRCHOW_MLP_RATIO,
        init_values=1e-5,
        reg_tokens=registers,
        mlp_layer=SwiGLUPacked,
        act_layer=nn.SiLU,
        global_pool="",
        dynamic_img_size=True,
    )
    return ClassAndMean(trunk, registers=registers)


def _ctranspath() -> nn.Module:
    """Return the Swin-T of CTransPath, whose patches come from convolutions."""
    network = _timm("swin_tiny_patch4_window7_224")
    network.patch_embed = ConvolutionalStem(network.embed_dim)  # type: ignore[arg-type]
    return network


def _conch() -> nn.Module:
    """Return the image tower of CONCH: a ViT-B of 448 px, pooled by attention."""
    return PooledTower(_timm("vit_base_patch16_224", img_size=448, dynamic_img_size=True))


BUILDERS: dict[str, Callable[[], nn.Module]] = {
    "colour": ColourStatistics,
    "tissue_vit": tissue_vit_module,
    "mobilenetv2": partial(_timm, "mobilenetv2_100"),
    "resnet50": partial(_timm, "resnet50"),
    "vit_s": partial(_timm, "vit_small_patch16_224"),
    "uni": partial(_timm, "vit_large_patch16_224", init_values=1e-5, dynamic_img_size=True),
    "uni2_h": _uni2_h,
    "conch": _conch,
    "virchow": partial(_virchow, registers=0),
    "virchow2": partial(_virchow, registers=4),
    "phikon": partial(_timm, "vit_base_patch16_224"),
    "phikon_v2": partial(_timm, "vit_large_patch16_224", init_values=1.0),
    "ctranspath": _ctranspath,
    "h_optimus_0": partial(
        _timm, "vit_giant_patch14_reg4_dinov2", img_size=224, init_values=1e-5, dynamic_img_size=False
    ),
}
