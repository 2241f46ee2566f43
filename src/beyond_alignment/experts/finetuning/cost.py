"""What a fine-tuning cost: seconds, trained parameters, floating-point operations."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from beyond_alignment.experts.finetuning.head import Head, loss_of
from beyond_alignment.experts.finetuning.settings import Kind
from beyond_alignment.experts.finetuning.stages import Stages


@dataclass(frozen=True)
class Cost:
    """What was spent, by phase.

    Attributes
    ----------
    frozen_seconds, selection_seconds, fit_seconds
        Running the frozen part over the training spots; all runs on inner splits, probes included; the last fit.
    frozen_flops, selection_flops, fit_flops
        Floating-point operations of the same, two for a multiplication and addition; matrix products, convolutions and
        attention are counted, on one spot of each phase times the spots that passed, and probes are not.
    """

    frozen_seconds: float
    selection_seconds: float
    fit_seconds: float
    frozen_flops: float
    selection_flops: float
    fit_flops: float

    @property
    def seconds(self) -> float:
        """All seconds."""
        return self.frozen_seconds + self.selection_seconds + self.fit_seconds

    @property
    def flops(self) -> float:
        """All operations."""
        return self.frozen_flops + self.selection_flops + self.fit_flops


@dataclass(frozen=True)
class SpotCost:
    """Operations of a spot up to the first trained block, from there to the outputs, and with the gradients."""

    frozen: float
    forward: float
    update: float


def spot_cost(stages: Stages, head: Head, raw: Tensor, y: Tensor, *, kind: Kind, n_blocks: int) -> SpotCost:
    """Count the floating-point operations of one spot."""
    device = next(stages.parameters()).device
    with torch.no_grad():
        tokens = stages.enter(raw.to(device), n_blocks)
        frozen = counted(lambda: stages.enter(raw.to(device), n_blocks))
        forward = counted(lambda: head(stages.leave(tokens, n_blocks)))
    update = counted(lambda: loss_of(head(stages.leave(tokens, n_blocks)), y.to(device), kind=kind).backward())
    stages.zero_grad(set_to_none=True)
    head.zero_grad(set_to_none=True)
    return SpotCost(frozen, forward, update)


def counted(work: Callable[[], object]) -> float:
    """Return the floating-point operations of a computation; attention is spelled out, which fused kernels hide."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops())
