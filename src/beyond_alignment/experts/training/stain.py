"""Augmentation of H&E colour: the amounts of the stains, then brightness, contrast and saturation."""

import torch
from skimage.color import rgb_from_hed
from torch import Tensor

_DARKEST = 1.0 / 255.0
_LUMA = (0.299, 0.587, 0.114)


def jitter_stain(patches: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
    """Scale and shift the haematoxylin, eosin and residual density of each patch (Tellez et al. 2018).

    Optical density is unmixed by the stain matrix of Ruifrok and Johnston, each stain s becomes gain * s + offset, and
    the densities are mixed again.

    Parameters
    ----------
    patches
        RGB in [0, 1], (patch, channel, height, width).
    gain, offset
        (patch, stain), for haematoxylin, eosin and residual.

    Returns
    -------
    Tensor
        RGB in [0, 1], in the shape of ``patches``.
    """
    mixing = torch.tensor(rgb_from_hed.tolist(), dtype=torch.float32, device=patches.device)  # (stain, channel)
    unmixing = torch.linalg.inv(mixing)
    # s -> g s + o for density d = s M: d' = d (M^-1 diag(g) M) + o M, one small matrix a patch.
    change = unmixing @ (gain[:, :, None] * mixing)  # (patch, channel, channel)
    density = patches.clamp_min(_DARKEST).log_().flatten(2)  # minus the density, (patch, channel, pixel)
    shift = (offset @ mixing)[:, :, None]
    changed = torch.baddbmm(-shift, change.transpose(1, 2), density)
    return changed.exp_().clamp_(0.0, 1.0).view_as(patches)


def jitter_colour(patches: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor) -> Tensor:
    """Scale the brightness, the contrast about the mean and the saturation of each patch.

    Parameters
    ----------
    patches
        RGB in [0, 1], (patch, channel, height, width).
    brightness, contrast, saturation
        Factors (patch,), 1 for none.
    """
    luma = torch.tensor(_LUMA, device=patches.device)
    # All three are linear: b c S x + (1 - c) b mean(x), where S = s I + (1 - s) (grey of every channel).
    grey = luma.expand(3, 3)
    mix = saturation.view(-1, 1, 1) * torch.eye(3, device=patches.device) + (1.0 - saturation).view(-1, 1, 1) * grey
    flat = patches.flatten(2)  # (patch, channel, pixel)
    shift = ((1.0 - contrast) * brightness * flat.mean(dim=(1, 2))).view(-1, 1, 1)
    mix = (brightness * contrast).view(-1, 1, 1) * mix
    return torch.baddbmm(shift, mix, flat).clamp_(0.0, 1.0).view_as(patches)


def augment_colour(patches: Tensor, *, stain: float, colour: float) -> Tensor:
    """Jitter stains and colour of each patch at random, from torch's global generator of the processor.

    Parameters
    ----------
    patches
        RGB in [0, 1], (patch, channel, height, width).
    stain
        Gains are uniform in 1 +- 3 ``stain``, offsets uniform in +- ``stain``.
    colour
        Factors of brightness, contrast and saturation are uniform in 1 +- ``colour``.
    """
    n = len(patches)
    drawn = (2.0 * torch.rand(9, n) - 1.0).to(patches.device)
    gain, offset = (1.0 + 3.0 * stain * drawn[:3]).T, (stain * drawn[3:6]).T
    brightness, contrast, saturation = 1.0 + colour * drawn[6:]
    return jitter_colour(jitter_stain(patches, gain, offset), brightness, contrast, saturation)
