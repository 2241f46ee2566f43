"""Two networks that are just large enough to try the engine: one on labels, one with noise and a teacher."""

from typing import ClassVar

import torch
from torch import nn

from beyond_alignment.fusion.network import Batch, FusionNetwork, Shape, SupervisedNetwork


class Plain(SupervisedNetwork):
    """One hidden layer over both modalities."""

    def __init__(self, shape: Shape, *, width: int = 16, sharpness: float = 1.0) -> None:
        super().__init__(shape)
        self.sharpness = sharpness
        self.inner = nn.Linear(shape.d1 + shape.d2, width)
        self.norm = nn.LayerNorm(width)
        self.outer = nn.Linear(width, shape.dimension)

    def forward(self, batch: Batch) -> torch.Tensor:
        x = torch.cat([batch.x1, batch.x2], dim=1)
        return self.outer(nn.functional.gelu(self.norm(self.inner(x)) * self.sharpness))


class Noisy(FusionNetwork):
    """Follows its own moving average on spots with noise added; reads neighbours."""

    teacher: ClassVar = {"slow": "fast"}
    momentum = 0.9

    def __init__(self, shape: Shape, *, width: int = 16) -> None:
        super().__init__(shape)
        self.fast = nn.Sequential(nn.Linear(2 * shape.d1 + shape.d2, width), nn.Tanh())
        self.slow = nn.Sequential(nn.Linear(2 * shape.d1 + shape.d2, width), nn.Tanh())
        self.outer = nn.Linear(width, shape.dimension)
        self.guess = nn.Linear(shape.dimension, width)
        self.register_buffer("scale", torch.tensor([0.1, 0.2]))

    def look(self, batch: Batch) -> torch.Tensor:
        near = batch.near1.sum(dim=1) / batch.near.sum(dim=1, keepdim=True).clamp(min=1)
        return torch.cat([batch.x1, near, batch.x2], dim=1)

    def forward(self, batch: Batch) -> torch.Tensor:
        return self.outer(self.fast(self.look(batch)))

    def noise(self, generator: torch.Generator, n: int) -> dict[str, torch.Tensor]:
        size = (n, 2 * self.shape.d1 + self.shape.d2)
        return {"first": torch.randn(size, generator=generator), "second": torch.randn(size, generator=generator)}

    def loss(self, batch: Batch) -> torch.Tensor:
        x = self.look(batch)
        student = self.guess(self.outer(self.fast(x + self.scale[0] * batch.noise["first"])))
        return nn.functional.mse_loss(student, self.slow(x + self.scale[1] * batch.noise["second"]).detach())
