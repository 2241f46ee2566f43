"""The network behind the posteriors: what each source tells, what they tell added up, and what they tell together."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

HEADS = ("first", "second", "additive", "refined", "joint")
"""log p(y | x1), log p(y | x2), an additive model of both, the same with more layers, and the interacting model."""


class Trunk(nn.Module):
    """Hidden layers of many networks side by side.

    Parameters
    ----------
    n_models
        Networks, each with parameters of its own.
    n_inputs
        Features.
    width
        Units of each layer.
    depth
        Layers.
    generator
        Of the initial weights.
    """

    def __init__(self, n_models: int, n_inputs: int, width: int, depth: int, generator: torch.Generator) -> None:
        super().__init__()
        sizes = [n_inputs] + [width] * depth
        pairs = list(pairwise(sizes))
        self.weights = nn.ParameterList([_normal(n_models, a, b, math.sqrt(2 / a), generator) for a, b in pairs])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(n_models, 1, b)) for _, b in pairs])

    def forward(self, x: Tensor, drop: float, generator: torch.Generator | None) -> Tensor:
        """Return the last hidden layer (model, sample, unit); a dropped unit is dropped for the whole batch."""
        for weight, bias in zip(self.weights, self.biases, strict=True):
            x = functional.gelu(torch.baddbmm(bias, x, weight))
            if drop:
                kept = torch.rand(x.shape[0], 1, x.shape[2], generator=generator) >= drop
                x = x * (kept / (1 - drop)).to(x)
        return x


class PosteriorNetwork(nn.Module):
    """Five posteriors of the classes from one pair of sources; `n_models` independent copies, trained at once.

    The additive head is f_y(x1) + g_y(x2), normalised over the classes. Two heads add to it without changing it: the
    refined one more of the same kind, the joint one h_y(x1, x2). As both have as many layers to add with, what the
    joint one gains over the refined one is interaction and not mere size.

    Parameters
    ----------
    n_models
        Copies: one a fold and member of the ensemble.
    n_first, n_second
        Features of the sources.
    n_classes
        Classes.
    width
        Units of each hidden layer.
    depth
        Hidden layers.
    seed
        Of the initial weights.
    """

    def __init__(
        self, n_models: int, n_first: int, n_second: int, n_classes: int, *, width: int, depth: int, seed: int
    ) -> None:
        super().__init__()
        g = torch.Generator().manual_seed(seed)
        sizes = (n_first, n_second, n_first + n_second, n_first, n_second)
        self.first, self.second, self.both, self.more_first, self.more_second = (
            Trunk(n_models, n, width, depth, g) for n in sizes
        )
        scale = 0.1 / math.sqrt(width)
        self.from_first, self.from_second, self.add_first, self.add_second, self.interact = (
            _normal(n_models, width, n_classes, scale, g) for _ in range(5)
        )
        self.refine_first, self.refine_second = (_normal(n_models, width, n_classes, scale, g) for _ in range(2))
        skips = [n_first, n_second, n_first, n_second]
        self.skips = nn.ParameterList([nn.Parameter(torch.zeros(n_models, n, n_classes)) for n in skips])
        self.biases = nn.Parameter(torch.zeros(len(HEADS), n_models, 1, n_classes))

    def forward(self, x1: Tensor, x2: Tensor, *, drop: float = 0.0, generator: torch.Generator | None = None) -> Tensor:
        """Return log posteriors (head, model, sample, class).

        Parameters
        ----------
        x1, x2
            Sources (model, sample, feature).
        drop
            Share of hidden units left out, for training.
        generator
            Of the units left out.
        """
        h1, h2 = self.first(x1, drop, generator), self.second(x2, drop, generator)
        h12 = self.both(torch.cat([x1, x2], dim=2), drop, generator)
        one = torch.bmm(h1, self.from_first) + torch.bmm(x1, self.skips[0])
        two = torch.bmm(h2, self.from_second) + torch.bmm(x2, self.skips[1])
        added = torch.bmm(h1, self.add_first) + torch.bmm(h2, self.add_second)
        added = added + torch.bmm(x1, self.skips[2]) + torch.bmm(x2, self.skips[3])
        base = (added + self.biases[2]).detach()
        refined = base + torch.bmm(self.more_first(x1, drop, generator), self.refine_first)
        refined = refined + torch.bmm(self.more_second(x2, drop, generator), self.refine_second)
        joint = base + torch.bmm(h12, self.interact)
        return (torch.stack([one, two, added, refined, joint]) + self.biases).log_softmax(dim=-1)


def _normal(n_models: int, a: int, b: int, scale: float, generator: torch.Generator) -> nn.Parameter:
    """Return Gaussian weights (model, a, b)."""
    return nn.Parameter(scale * torch.randn(n_models, a, b, generator=generator))
