"""Frozen morphology experts: patches in, embeddings out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from beyond_alignment.datasets.weights import weights_path
from beyond_alignment.errors import InputError
from beyond_alignment.experts.checkpoints import fit, read_state
from beyond_alignment.experts.record import Expert
from beyond_alignment.experts.registry import get_expert
from beyond_alignment.experts.torchvision_operators import import_timm
from beyond_alignment.files import file_sha256

MOBILENET = "mobilenetv2_100"
HUB_NAME = "mobilenetv2_100.ra_in1k"


@dataclass(frozen=True)
class FrozenModel:
    """A frozen model and where its weights came from.

    Attributes
    ----------
    module
        The network in evaluation mode, gradients off.
    source
        ``registered file`` (shipped, or in the cache or mirror), ``given file``, ``own file`` (in
        ``BEYOND_ALIGNMENT_WEIGHTS``), ``hub`` or ``definition``.
    sha256
        Of the weights file; empty where there is none, or where timm fetched it.
    expert
        Its record.
    details
        What else is written beside its embeddings, such as the donors that it never saw.
    """

    module: nn.Module
    source: str
    sha256: str
    expert: Expert
    details: Mapping[str, Any] = field(default_factory=dict)


def mobilenetv2(weights: Path | None = None) -> FrozenModel:
    """Build MobileNetV2 without its classifier, with ImageNet weights (Sandler et al. 2018).

    Parameters
    ----------
    weights
        A safetensors file with timm's names for ``mobilenetv2_100``. When None: the registered file or, where that
        cannot be had, timm's own ImageNet weights from the hub (another training run, so other embeddings: ``source``
        tells them apart).

    Raises
    ------
    InputError
        If no weights can be had, the file cannot be read, or it does not fit (the first differing keys are named).
    """
    timm, expert = import_timm(), get_expert("mobilenetv2")
    try:
        path = weights or weights_path(MOBILENET)
    except InputError as error:
        try:
            module = timm.create_model(HUB_NAME, pretrained=True, num_classes=0)
        except Exception as hub_error:
            msg = f"No weights for {MOBILENET}: {error} The hub could not be reached either."
            raise InputError(msg) from hub_error
        return FrozenModel(module.eval().requires_grad_(False), source="hub", sha256="", expert=expert)
    module = timm.create_model(MOBILENET, pretrained=False, num_classes=0)
    fit(module, read_state(path), path=path, name=MOBILENET)
    return FrozenModel(module, source="registered file", sha256=file_sha256(path), expert=expert)
