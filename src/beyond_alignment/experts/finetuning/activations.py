"""What enters the first trained block: computed once for each spot and kept, or anew for each batch."""

import torch
from torch import Tensor

from beyond_alignment.experts.finetuning.stages import Stages

AT_ONCE = 64


class Activations:
    """Tokens of spots (spot, ...) before the trained blocks of a network in evaluation mode."""

    def __init__(self, stages: Stages, raw: Tensor, n_blocks: int, *, keep: bool) -> None:
        self.stages, self.raw, self.n_blocks = stages, raw, n_blocks
        self.device = next(stages.parameters()).device
        parts = torch.arange(len(raw)).split(AT_ONCE)
        self.kept = torch.cat([self._enter(rows).cpu() for rows in parts]) if keep else None

    def __len__(self) -> int:
        return len(self.raw)

    def _enter(self, rows: Tensor) -> Tensor:
        with torch.no_grad():
            return self.stages.enter(self.raw[rows].to(self.device), self.n_blocks)

    def of(self, rows: Tensor) -> Tensor:
        """Return the tokens of spots (spot, ...) on the network's device."""
        return self._enter(rows) if self.kept is None else self.kept[rows].to(self.device)
