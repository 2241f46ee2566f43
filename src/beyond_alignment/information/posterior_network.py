"""Networks that learn what each source tells, what both tell added up, and what they tell together; many at once."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from beyond_alignment.errors import InputError

HEADS = ("first", "second", "additive", "refined", "joint")
"""x1, x2, an additive model of both, the same with more layers, and the interacting model."""

WIDTH, DEPTH = 64, 2
EPOCHS, MOST_STEPS, BATCH = 30, 2000, 256
LEARNING_RATE, WEIGHT_DECAY = 2e-2, 0.1
DROP, NOISE = 0.2, 0.2
"""All set on the tuning scenarios of known truth, for all data alike."""
CHUNK = 16_384
BANK = 4096


@dataclass(frozen=True)
class Part:
    """Sources (model, sample, feature), classes (model, sample) and log class shares of the sample's group."""

    x1: Tensor
    x2: Tensor
    y: Tensor
    log_shares: Tensor


Evidence = Callable[[int, Tensor, Tensor], Tensor]


class Trunk(nn.Module):
    """Hidden layers of many networks side by side, several sets of them for each model."""

    def __init__(self, n_sets: int, n_models: int, n_inputs: int, generator: torch.Generator) -> None:
        super().__init__()
        pairs = list(pairwise([n_inputs] + [WIDTH] * DEPTH))
        self.weights = nn.ParameterList(
            [_normal((n_sets, n_models, a, b), math.sqrt(2 / a), generator) for a, b in pairs]
        )
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(n_sets, n_models, 1, b)) for _, b in pairs])

    def forward(self, x: Tensor, drop: float, generator: torch.Generator | None) -> Tensor:
        """Return the last hidden layer (set and model, sample, unit); a dropped unit is dropped for a whole batch."""
        for weight, bias in zip(self.weights, self.biases, strict=True):
            x = functional.gelu(torch.baddbmm(bias.flatten(0, 1), x, weight.flatten(0, 1)))
            if drop:
                kept = torch.rand(x.shape[0], 1, x.shape[2], generator=generator) >= drop
                x = x * (kept / (1 - drop)).to(x)
        return x


class PosteriorNetwork(nn.Module):
    """Five sets of logits from one pair of sources; `n_models` independent copies, one a fold and member.

    The additive head is f_y(x1) + g_y(x2). Two heads add to it without changing it: the refined one more of the same
    kind, the joint one h_y(x1, x2). As both have as many layers to add with, what the joint one gains over the refined
    one is interaction and not mere size. The second axis of every parameter is the model.
    """

    def __init__(self, n_models: int, n_inputs: int, n_classes: int, *, seed: int) -> None:
        super().__init__()
        g = torch.Generator().manual_seed(seed)
        self.single = Trunk(4, n_models, n_inputs, g)  # of each source, and once more for the refined head
        self.both = Trunk(1, n_models, 2 * n_inputs, g)
        self.out = _normal((7, n_models, WIDTH, n_classes), 0.1 / math.sqrt(WIDTH), g)
        self.skips = nn.Parameter(torch.zeros(4, n_models, n_inputs, n_classes))
        self.biases = nn.Parameter(torch.zeros(len(HEADS), n_models, 1, n_classes))

    def forward(self, x1: Tensor, x2: Tensor, *, drop: float = 0.0, generator: torch.Generator | None = None) -> Tensor:
        """Return logits (head, model, sample, class) without class shares, of sources (model, sample, feature)."""
        n = len(x1)
        sources = torch.cat([x1, x2, x1, x2])
        hidden = self.single(sources, drop, generator)
        both = self.both(torch.cat([x1, x2], dim=2), drop, generator)
        own, more = hidden[: 2 * n], hidden[2 * n :]
        told = torch.bmm(torch.cat([own, own, more, both]), self.out.flatten(0, 1)).unflatten(0, (7, n))
        straight = torch.bmm(sources, self.skips.flatten(0, 1)).unflatten(0, (4, n))
        one, two, first, second = told[:4] + straight
        base = (first + second + self.biases[2]).detach()
        heads = [one, two, first + second, base + told[4] + told[5], base + told[6]]
        return torch.stack(heads) + self.biases


def train(
    training: Part,
    validation: Part,
    *,
    seed: int,
    advance: Callable[[float], None] | None = None,
) -> Evidence:
    """Train all models at once and keep, head by head, the weights that predict the validation samples best.

    The loss is -log p(y | x, group) with p proportional to the class shares of the sample's group times exp(logit):
    what a source tells by naming the group is worth nothing to it.

    Returns
    -------
    Function from a model's number and its sources (sample, feature) to logits (head, sample, class).
    """
    n_models, n_samples, _ = training.x1.shape
    device = training.x1.device
    generator = torch.Generator().manual_seed(seed)
    network = PosteriorNetwork(n_models, training.x1.shape[2], training.log_shares.shape[2], seed=seed).to(device)
    batch = min(BATCH, max(n_samples // 10, 1))
    steps = n_samples // batch
    epochs = max(2, min(EPOCHS, MOST_STEPS // steps))
    optimiser = _optimiser(network)
    bank = [NOISE * torch.randn(BANK + batch, x.shape[2], generator=generator) for x in (training.x1, training.x2)]
    bank = [noise.to(device) for noise in bank]
    best = _Best(network)
    model = torch.arange(n_models, device=device)[:, None]
    for epoch in range(epochs):
        order = torch.stack([torch.randperm(n_samples, generator=generator) for _ in range(n_models)]).to(device)
        for step in range(steps):
            _set_rate(optimiser, (epoch * steps + step) / (epochs * steps))
            drawn = order[:, step * batch : (step + 1) * batch]
            shifts = torch.randint(0, BANK, (2,), generator=generator).tolist()
            x1, x2 = (
                x[model, drawn] + noise[shift : shift + batch]
                for x, noise, shift in zip((training.x1, training.x2), bank, shifts, strict=True)
            )
            logits = network(x1, x2, drop=DROP, generator=generator)
            loss = _cross_entropy(logits, training.log_shares[model, drawn], training.y[model, drawn]).mean(2).sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        if epoch % 2 or epoch == epochs - 1:
            best.update(network, validation)
        if advance is not None:
            advance(1 / epochs)
    return best.evidence


class _Best:
    """The best weights of every model and head so far."""

    def __init__(self, network: PosteriorNetwork) -> None:
        self.network = network
        self.losses: Tensor | None = None
        self.weights = [{k: v.clone() for k, v in network.state_dict().items()} for _ in HEADS]

    @torch.no_grad()
    def update(self, network: PosteriorNetwork, validation: Part) -> None:
        """Keep the present weights where they predict the validation samples better."""
        parts = (validation.x1, validation.x2, validation.log_shares, validation.y)
        pieces = [
            _cross_entropy(network(x1, x2), shares, y)
            for x1, x2, shares, y in zip(*(p.split(CHUNK, dim=1) for p in parts), strict=True)
        ]
        losses = torch.cat(pieces, dim=2).mean(dim=2)  # (head, model)
        if not losses.isfinite().all():
            raise InputError(
                "The networks of the estimate diverged (a loss is not finite): a source holds values far beyond the"
                " rest; clip or rescale it."
            )
        better = losses < (torch.inf if self.losses is None else self.losses)
        self.losses = losses if self.losses is None else torch.where(better, losses, self.losses)
        for head, kept in enumerate(self.weights):
            for name, value in network.state_dict().items():
                kept[name] = torch.where(better[head].reshape(1, -1, 1, 1), value, kept[name])

    @torch.no_grad()
    def evidence(self, model: int, x1: Tensor, x2: Tensor) -> Tensor:
        """Return logits (head, sample, class) of one model, each head by its own best weights."""
        found = []
        for head, weights in enumerate(self.weights):
            own = {name: value[:, model : model + 1] for name, value in weights.items()}
            pieces = [
                torch.func.functional_call(self.network, own, (a[None], b[None]))[head, 0]
                for a, b in zip(x1.split(CHUNK), x2.split(CHUNK), strict=True)
            ]
            found.append(torch.cat(pieces))
        return torch.stack(found)


def _optimiser(network: PosteriorNetwork) -> torch.optim.Optimizer:
    """Return AdamW, without decay on biases."""
    biases = [p for name, p in network.named_parameters() if "biases" in name]
    others = [p for name, p in network.named_parameters() if "biases" not in name]
    groups = [{"params": others, "weight_decay": WEIGHT_DECAY}, {"params": biases, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=LEARNING_RATE, fused=True)


def _set_rate(optimiser: torch.optim.Optimizer, done: float) -> None:
    """Warm up over the first tenth, then follow half a cosine to 0."""
    for group in optimiser.param_groups:
        group["lr"] = LEARNING_RATE * min(1.0, 10 * done + 1e-3) * 0.5 * (1 + math.cos(math.pi * done))


def _cross_entropy(logits: Tensor, log_shares: Tensor, y: Tensor) -> Tensor:
    """Return -log p(y | x, group) of every sample (head, model, sample)."""
    logs = (logits + log_shares).log_softmax(dim=-1)
    return -logs.gather(3, y[None, ..., None].expand(len(HEADS), -1, -1, 1)).squeeze(3)


def _normal(shape: tuple[int, ...], scale: float, generator: torch.Generator) -> nn.Parameter:
    """Return Gaussian weights."""
    return nn.Parameter(scale * torch.randn(shape, generator=generator))
