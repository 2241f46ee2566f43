"""Which weights of a network are trained."""

import torch
from torch import nn

from beyond_alignment.errors import InputError
from beyond_alignment.experts.finetuning.lora import add_lora
from beyond_alignment.experts.finetuning.settings import FinetuneSettings
from beyond_alignment.experts.finetuning.stages import Stages


def open_part(stages: Stages, settings: FinetuneSettings) -> dict[str, nn.Parameter]:
    """Freeze a network but for what is fine-tuned; adapters are put on its layers in place."""
    depth, n = len(stages.blocks), settings.n_blocks
    if n > depth:
        msg = f"{stages.name} has {depth} blocks and the last {n} were to be trained: ask for at most {depth}."
        raise InputError(msg)
    stages.eval().requires_grad_(False)
    last = stages.blocks[depth - n :]
    if settings.way == "lora":
        add_lora(last, rank=settings.rank, alpha=settings.alpha, seed=settings.seed)
    else:
        for module in (*last, *stages.norms):
            module.requires_grad_(True)
    return {name: value for name, value in stages.named_parameters() if value.requires_grad}


class Start:
    """The values from which every run of a fine-tuning starts."""

    def __init__(self, part: dict[str, nn.Parameter]) -> None:
        self.part = part
        self.values = {name: value.detach().clone() for name, value in part.items()}

    def restore(self) -> None:
        """Put them back."""
        with torch.no_grad():
            for name, value in self.part.items():
                value.copy_(self.values[name])
                value.grad = None
