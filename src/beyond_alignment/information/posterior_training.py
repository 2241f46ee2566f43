"""Trains the posteriors of all folds at once, and stops each where its held-out training samples say so."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from beyond_alignment.information.posterior_network import HEADS, PosteriorNetwork

MOST_STEPS = 2000
CHUNK = 16_384
_BANK = 4096


@dataclass(frozen=True)
class TrainingOptions:
    """How the posteriors are trained; set on the tuning scenarios of known truth, for all data alike.

    Attributes
    ----------
    width
        Units of each hidden layer.
    depth
        Hidden layers.
    epochs
        Passes over the training samples, fewer where they would take more than 2,000 steps.
    batch
        Samples of a step, fewer where there are fewer than ten such batches to train on.
    learning_rate
        Highest rate of the cosine schedule.
    weight_decay
        Of AdamW.
    drop
        Share of hidden units left out of a step.
    noise
        Standard deviation of the noise added to the components, relative to the leading ones.
    """

    width: int = 64
    depth: int = 2
    epochs: int = 30
    batch: int = 256
    learning_rate: float = 2e-2
    weight_decay: float = 0.1
    drop: float = 0.2
    noise: float = 0.2


TUNED = TrainingOptions()
"""Set on the tuning scenarios of known truth."""


@dataclass(frozen=True)
class Part:
    """Samples of every model.

    Attributes
    ----------
    x1, x2
        Sources (model, sample, feature).
    y
        Classes (model, sample).
    """

    x1: Tensor
    x2: Tensor
    y: Tensor


Posterior = Callable[[int, Tensor, Tensor], Tensor]


def train(
    training: Part,
    validation: Part,
    n_classes: int,
    *,
    options: TrainingOptions = TUNED,
    seed: int,
    advance: Callable[[float], None] | None = None,
) -> Posterior:
    """Train all models at once and keep, head by head, the weights that predict the validation samples best.

    Parameters
    ----------
    training
        What the weights are fitted to.
    validation
        What decides when to stop.
    n_classes
        Classes.
    options
        How.
    seed
        Of initial weights, batches, noise and dropout.
    advance
        Told the share of the work done since the last call.

    Returns
    -------
    Function from a model's number and its sources (sample, feature) to log posteriors (head, sample, class).
    """
    n_models, n_samples, _ = training.x1.shape
    device = training.x1.device
    generator = torch.Generator().manual_seed(seed)
    network = PosteriorNetwork(
        n_models,
        training.x1.shape[2],
        training.x2.shape[2],
        n_classes,
        width=options.width,
        depth=options.depth,
        seed=seed,
    ).to(device)
    batch = min(options.batch, max(n_samples // 10, 1))
    steps = n_samples // batch
    epochs = max(2, min(options.epochs, MOST_STEPS // steps))
    optimiser = _optimiser(network, options)
    bank = [
        options.noise * torch.randn(_BANK + batch, x.shape[2], generator=generator) for x in (training.x1, training.x2)
    ]
    bank = [noise.to(device) for noise in bank]
    best = _Best(network)
    model = torch.arange(n_models, device=device)[:, None]
    for epoch in range(epochs):
        order = torch.stack([torch.randperm(n_samples, generator=generator) for _ in range(n_models)]).to(device)
        for step in range(steps):
            _set_rate(optimiser, options.learning_rate, (epoch * steps + step) / (epochs * steps))
            drawn = order[:, step * batch : (step + 1) * batch]
            shifts = torch.randint(0, _BANK, (2,), generator=generator).tolist()
            x1, x2 = (
                x[model, drawn] + noise[shift : shift + batch]
                for x, noise, shift in zip((training.x1, training.x2), bank, shifts, strict=True)
            )
            found = network(x1, x2, drop=options.drop, generator=generator)
            loss = _cross_entropy(found, training.y[model, drawn]).sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        if epoch % 2 or epoch == epochs - 1:
            best.update(network, validation)
        if advance is not None:
            advance(1 / epochs)
    return best.posterior


class _Best:
    """The best weights of every model and head so far."""

    def __init__(self, network: PosteriorNetwork) -> None:
        self.network = network
        self.weights = [{k: v.detach().clone() for k, v in network.state_dict().items()} for _ in HEADS]
        self.losses: Tensor | None = None

    @torch.no_grad()
    def update(self, network: PosteriorNetwork, validation: Part) -> None:
        """Keep the present weights of those models and heads that predict better than before."""
        pieces = [
            _cross_entropy(network(x1, x2), y, mean=False)
            for x1, x2, y in zip(
                *(p.split(CHUNK, dim=1) for p in (validation.x1, validation.x2, validation.y)), strict=True
            )
        ]
        losses = torch.cat(pieces, dim=2).mean(dim=2)  # (head, model)
        better = losses < (torch.inf if self.losses is None else self.losses)
        self.losses = losses if self.losses is None else torch.where(better, losses, self.losses)
        for head, kept in enumerate(self.weights):
            for name, value in network.state_dict().items():
                axis = 1 if name == "biases" else 0
                chosen = better[head].reshape([-1 if i == axis else 1 for i in range(value.ndim)])
                kept[name] = torch.where(chosen, value, kept[name])

    @torch.no_grad()
    def posterior(self, model: int, x1: Tensor, x2: Tensor) -> Tensor:
        """Return log posteriors (head, sample, class) of one model, each head by its own best weights."""
        found = []
        for head, weights in enumerate(self.weights):
            own = {k: v[:, model : model + 1] if k == "biases" else v[model : model + 1] for k, v in weights.items()}
            pieces = [
                torch.func.functional_call(self.network, own, (a[None], b[None]))[head, 0]
                for a, b in zip(x1.split(CHUNK), x2.split(CHUNK), strict=True)
            ]
            found.append(torch.cat(pieces))
        return torch.stack(found)


def _optimiser(network: PosteriorNetwork, options: TrainingOptions) -> torch.optim.Optimizer:
    """Return AdamW, without decay on biases."""
    biases = [p for name, p in network.named_parameters() if "biases" in name]
    others = [p for name, p in network.named_parameters() if "biases" not in name]
    groups = [{"params": others, "weight_decay": options.weight_decay}, {"params": biases, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=options.learning_rate, foreach=True)


def _set_rate(optimiser: torch.optim.Optimizer, highest: float, done: float) -> None:
    """Warm up over the first tenth, then follow half a cosine to 0."""
    for group in optimiser.param_groups:
        group["lr"] = highest * min(1.0, 10 * done + 1e-3) * 0.5 * (1 + math.cos(math.pi * done))


def _cross_entropy(log_posterior: Tensor, y: Tensor, *, mean: bool = True) -> Tensor:
    """Return -log p of the true class (head, model), or of every sample (head, model, sample)."""
    picked = log_posterior.gather(3, y[None, ..., None].expand(len(HEADS), -1, -1, 1)).squeeze(3)
    return -picked.mean(dim=2) if mean else -picked
