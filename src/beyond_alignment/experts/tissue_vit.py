"""``tissue_vit``: a ViT-tiny for H&E patches, trained here by self-supervision."""

import torch
from torch import nn

from beyond_alignment.experts.torchvision_operators import import_timm

NAME = "tissue_vit"
TIMM_NAME = "vit_tiny_patch16_224"
INPUT_PX = 112
DIMENSION = 192
MEAN = (0.485, 0.456, 0.406)
SD = (0.229, 0.224, 0.225)


def tissue_vit_module(*, keep: float = 1.0) -> nn.Module:
    """Build the network with random weights: float (batch, channel, height, width) to (batch, feature).

    timm's ViT-tiny with patches of 16 px for an input of 112 px (49 tokens), the mean of whose last tokens is the
    embedding of 192 features. The input is RGB in [0, 1] normalised by ``MEAN`` and ``SD``.

    Parameters
    ----------
    keep
        Share of the tokens that the network sees in training mode; it always sees all in evaluation mode.
    """
    module: nn.Module = import_timm().create_model(
        TIMM_NAME,
        pretrained=False,
        num_classes=0,
        img_size=INPUT_PX,
        global_pool="avg",
        patch_drop_rate=1.0 - keep,
    )
    return module


def normalise_patches(patches: torch.Tensor) -> torch.Tensor:
    """Return RGB in [0, 1] (batch, channel, height, width) as the network takes it."""
    mean, sd = (torch.tensor(values, device=patches.device).view(1, 3, 1, 1) for values in (MEAN, SD))
    return (patches - mean) / sd
