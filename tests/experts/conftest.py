import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from beyond_alignment.experts.morphology import MOBILENET, mobilenetv2
from beyond_alignment.experts.torchvision_operators import import_timm


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A whole weights file with drawn numbers: the architecture is real, what it sees is not."""
    torch.manual_seed(0)
    module = import_timm().create_model(MOBILENET, pretrained=False, num_classes=0)
    path = tmp_path_factory.mktemp("weights") / "mobilenetv2.safetensors"
    save_file(module.state_dict(), path)
    return path


@pytest.fixture(scope="session")
def model(weights):
    return mobilenetv2(weights)


@pytest.fixture(scope="session")
def patches():
    return np.random.default_rng(0).integers(0, 256, (5, 224, 224, 3), dtype=np.uint8)
