"""Where a network runs, and in which numbers."""

from typing import Literal

import torch

from beyond_alignment.errors import InputError

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "float32", "bfloat16"]


def resolve_device(device: Device = "auto") -> torch.device:
    """Return the device to run on: a GPU when ``auto`` finds one.

    Raises
    ------
    InputError
        If a GPU is asked for and there is none, or the name is unknown.
    """
    if device not in ("auto", "cpu", "cuda"):
        msg = f"Unknown device {device!r}: choose auto, cpu or cuda."
        raise InputError(msg)
    if device == "cuda" and not torch.cuda.is_available():
        msg = "A GPU was asked for but torch finds none here: use device auto or cpu."
        raise InputError(msg)
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)


def resolve_precision(precision: Precision, device: torch.device) -> Literal["float32", "bfloat16"]:
    """Return the precision that is used: with ``auto`` float32 on the CPU, bfloat16 on a GPU.

    Raises
    ------
    InputError
        If the name is unknown.
    """
    if precision not in ("auto", "float32", "bfloat16"):
        msg = f"Unknown precision {precision!r}: choose auto, float32 or bfloat16."
        raise InputError(msg)
    if precision == "auto":
        return "bfloat16" if device.type == "cuda" else "float32"
    return precision
