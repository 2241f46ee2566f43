"""A frozen network over batches of patches, in float32 or bfloat16, on the CPU or a GPU."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from beyond_alignment.errors import InputError
from beyond_alignment.experts.record import Expert


def forward(
    module: nn.Module,
    batches: Iterator[tuple[NDArray[np.intp], torch.Tensor]],
    *,
    expert: Expert,
    device: torch.device,
    precision: str,
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """Run a frozen module over uint8 batches; the copy of a result waits until the next batch is under way.

    Parameters
    ----------
    module
        Maps (batch, channel, height, width) to (batch, feature).
    batches
        Rows and uint8 (patch, height, width, channel).
    expert
        Its mean and sd.
    device, precision
        Where, and ``float32`` or ``bfloat16``.

    Yields
    ------
    tuple
        Rows and float32 (patch, feature).
    """
    network = module.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    mean, sd = (torch.tensor(colour, device=device).view(1, 3, 1, 1) * 255 for colour in (expert.mean, expert.sd))
    waiting: tuple[NDArray[np.intp], torch.Tensor] | None = None
    with _running(device, precision, expert.name):
        for rows, patches in batches:
            images = patches.to(device, non_blocking=True).permute(0, 3, 1, 2)  # (batch, channel, height, width)
            with torch.inference_mode(), _cast(device, precision):
                features = network(images.float().sub_(mean).div_(sd))
            if waiting is not None:
                yield waiting[0], _finite(waiting[1], expert.name, precision)
            waiting = rows, features
        if waiting is not None:
            yield waiting[0], _finite(waiting[1], expert.name, precision)


def state_sha256(module: nn.Module) -> str:
    """Return one sha256 of the architecture and of every weight as it is in memory.

    A file's hash does not tell whether a network was changed after it was loaded.
    """
    found = hashlib.sha256(repr(module).encode())
    for name, tensor in sorted(module.state_dict().items()):
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def _cast(device: torch.device, precision: str) -> Any:
    """Return the context in which a forward pass has the precision asked for."""
    return torch.autocast(device.type, dtype=torch.bfloat16) if precision == "bfloat16" else nullcontext()


@contextmanager
def _running(device: torch.device, precision: str, name: str) -> Iterator[None]:
    """Keep float32 what it says on a GPU, and say in a sentence when memory runs out."""
    previous = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = precision != "float32" and previous
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise InputError(f"The GPU's memory is too small for {name} at this batch size: give a smaller one.") from error
    finally:
        torch.backends.cudnn.allow_tf32 = previous


def _finite(features: torch.Tensor, name: str, precision: str) -> NDArray[np.float32]:
    """Return a batch of features on the CPU, checked."""
    if features.ndim != 2:
        raise InputError(f"{name} gives features of shape {tuple(features.shape)}: expected (batch, feature).")
    values: NDArray[np.float32] = features.float().cpu().numpy()
    if not np.isfinite(values).all():
        advice = "use float32" if precision == "bfloat16" else "check its weights"
        raise InputError(f"{name} gives values that are not finite at precision {precision}: {advice}.")
    return values
