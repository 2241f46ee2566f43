"""The frozen part of a network, run once for all fits that start from it."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from beyond_alignment.experts.finetuning.activations import AT_ONCE
from beyond_alignment.experts.finetuning.cost import counted
from beyond_alignment.experts.finetuning.stages import Stages


class EnteredStages(Stages):
    """The last blocks of a network; it reads the tokens that enter the first of them."""

    def __init__(self, whole: Stages, n_blocks: int) -> None:
        super().__init__()
        self.whole, self.n_blocks, self.name = whole, n_blocks, whole.name

    @property
    def blocks(self) -> list[nn.Module]:
        """The last blocks."""
        return self.whole.blocks[-self.n_blocks :]

    @property
    def norms(self) -> list[nn.Module]:
        """Those of the whole network."""
        return self.whole.norms

    def stem(self, raw: Tensor) -> Tensor:
        """Return the tokens as they are."""
        return raw

    def leave(self, tokens: Tensor, n_blocks: int) -> Tensor:
        """Return the embedding (spot, feature) of tokens that enter the last ``n_blocks`` blocks."""
        return self.whole.leave(tokens, n_blocks)

    def end(self, tokens: Tensor) -> Tensor:
        """Return the embedding (spot, feature) of the tokens that leave the last block."""
        return self.whole.end(tokens)


@dataclass(frozen=True, eq=False)
class Entered:
    """Spots as they enter the last blocks of a network.

    Attributes
    ----------
    tokens
        (spot, token, feature).
    stages
        What reads them.
    seconds, flops
        What the frozen part took for one spot: the mean, and floating-point operations.
    """

    tokens: NDArray[np.float32]
    stages: EnteredStages
    seconds: float
    flops: float


def enter_spots(stages: Stages, raw: NDArray[Any], *, n_blocks: int) -> Entered:
    """Run the part of a network that is not trained over spots.

    Parameters
    ----------
    stages
        The network, on the CPU and in evaluation mode.
    raw
        Spots as it reads them (spot, ...), one or more.
    n_blocks
        How many of its last blocks are left; all of them leave the stem alone to run.
    """
    spots, began = torch.from_numpy(np.asarray(raw)), time.perf_counter()
    with torch.no_grad():
        tokens = torch.cat([stages.enter(part, n_blocks) for part in spots.split(AT_ONCE)]).numpy()
        seconds = (time.perf_counter() - began) / len(tokens)
        flops = counted(lambda: stages.enter(spots[:1], n_blocks))
    return Entered(tokens, EnteredStages(stages, n_blocks), seconds, flops)
