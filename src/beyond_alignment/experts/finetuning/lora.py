"""Low-rank adapters: small trained updates of frozen linear layers (LoRA, Hu et al. 2022)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class LowRank(nn.Module):
    """A frozen linear layer with weights W whose output is that of W + (alpha / r) B A.

    B starts at zero, so that the layer first gives exactly what it gave. A layer that makes queries, keys and values at
    once gets one A for the three.
    """

    def __init__(self, base: nn.Linear, *, rank: int, alpha: float, generator: torch.Generator) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.scale = alpha / rank
        drawn = torch.rand(rank, base.in_features, generator=generator) * 2 - 1
        like = base.weight
        self.down = nn.Parameter((drawn / base.in_features**0.5).to(like.device, like.dtype))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank, device=like.device, dtype=like.dtype))

    @property
    def weight(self) -> Tensor:
        """Weights with the update in them (output, input)."""
        return self.base.weight + self.scale * self.up @ self.down

    @property
    def bias(self) -> Tensor | None:
        """Bias of the layer (output,)."""
        return self.base.bias

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., input) to (..., output)."""
        return self.base(x) + self.scale * functional.linear(functional.linear(x, self.down), self.up)

    def merged(self) -> nn.Linear:
        """Return one plain linear layer that gives the same; the layer that was adapted is left as it is."""
        base = self.base
        plain = nn.Linear(base.in_features, base.out_features, bias=base.bias is not None)
        plain = plain.to(base.weight.device, base.weight.dtype).requires_grad_(False)
        with torch.no_grad():
            plain.weight.copy_(self.weight)
            if self.bias is not None:
                plain.bias.copy_(self.bias)
        return plain


def add_lora(blocks: Sequence[nn.Module], *, rank: int, alpha: float, seed: int = 0) -> list[LowRank]:
    """Put adapters on the linear layers of the attention of blocks whose perceptron is called ``mlp``, in place."""
    generator = torch.Generator().manual_seed(seed)
    adapters = []
    for block in blocks:
        block.requires_grad_(False)
        for path, layer in list(block.named_modules()):
            if type(layer) is nn.Linear and "mlp" not in path.split("."):
                adapters.append(LowRank(layer, rank=rank, alpha=alpha, generator=generator))
                parent, _, name = path.rpartition(".")
                setattr(block.get_submodule(parent), name, adapters[-1])
    return adapters


def merge_lora(module: nn.Module) -> None:
    """Replace every adapter within a network by one plain linear layer that gives the same, in place."""
    for path, layer in list(module.named_modules()):
        if isinstance(layer, LowRank):
            parent, _, name = path.rpartition(".")
            setattr(module.get_submodule(parent), name, layer.merged())
