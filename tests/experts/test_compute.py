"""Where a network runs, and in which numbers."""

import pytest
import torch

from beyond_alignment.errors import InputError
from beyond_alignment.experts.compute import resolve_precision


@pytest.mark.parametrize(
    ("precision", "device", "used"),
    [
        ("auto", "cpu", "float32"),
        ("auto", "cuda", "bfloat16"),
        ("bfloat16", "cpu", "bfloat16"),
        ("float32", "cuda", "float32"),
    ],
)
def test_mixed_precision_is_chosen_on_a_gpu_and_taken_as_told_elsewhere(precision, device, used):
    assert resolve_precision(precision, torch.device(device)) == used


def test_an_unknown_precision_is_refused():
    with pytest.raises(InputError, match="Unknown precision 'half': choose auto, float32 or bfloat16"):
        resolve_precision("half", torch.device("cpu"))
