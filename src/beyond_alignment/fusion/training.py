"""Trains many fusion networks side by side: the same numbers as one after the other, in a fraction of the time."""

import copy
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, vmap

from beyond_alignment.experts.schedule import warm_cosine
from beyond_alignment.fusion.batches import SetStack, SpotSet, minibatch_rows
from beyond_alignment.fusion.network import Batch, FusionNetwork
from beyond_alignment.fusion.optimiser import StackedAdamW, StackedParameters

MOST_TOGETHER = {"cpu": 16, "cuda": 512}  # more do not fit a processor's cache
SEED_STRIDE = 1_000_003


@dataclass(frozen=True)
class TrainingPlan:
    """How one network is trained.

    Attributes
    ----------
    learning_rate
        Largest learning rate of the schedule.
    weight_decay
        Decoupled decay of AdamW.
    steps
        Updates.
    batch_size
        Spots an update, the whole set where it is smaller.
    seed
        Of the minibatches and of the noise.
    """

    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    steps: int = 200
    batch_size: int = 128
    seed: int = 0


@dataclass(frozen=True)
class Outcome:
    """How a training went.

    Attributes
    ----------
    losses
        Objective at each step, before its update (step,).
    diverged_at
        First step whose loss or gradient was not finite; the network keeps the weights it had then. None if all were.
    """

    losses: NDArray[np.float64]
    diverged_at: int | None


class _Objective(nn.Module):
    """A network whose call is its objective, as ``functional_call`` needs it."""

    def __init__(self, network: FusionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Batch) -> Tensor:
        return self.network.loss(batch)


def teachers(network: FusionNetwork) -> dict[str, str]:
    """Return the name of each parameter that is a moving average, and of the one that it follows."""
    names = [name for name, _ in network.named_parameters()]
    followed: dict[str, str] = {}
    for teacher, student in network.teacher.items():
        prefix = teacher.rstrip(".") + "."
        followed |= {
            name: student.rstrip(".") + "." + name.removeprefix(prefix) for name in names if name.startswith(prefix)
        }
    return followed


def n_trained(network: FusionNetwork) -> int:
    """Return the number of parameters that get a gradient, heads of the training objective included."""
    followed = teachers(network)
    return sum(value.numel() for name, value in network.named_parameters() if name not in followed)


def train_together(
    networks: Sequence[FusionNetwork],
    sets: Sequence[SpotSet],
    plans: Sequence[TrainingPlan],
    *,
    device: torch.device | str = "cpu",
    progress: Callable[[int], None] | None = None,
) -> list[Outcome]:
    """Train networks in place, those of the same sizes side by side.

    Each is trained as it would be alone: its minibatches, its noise and its updates depend on its own set and plan. A
    set may have as little as one spot; a set smaller than the batch is used whole at each step.

    Parameters
    ----------
    networks
        Of one class and the same options; their :class:`Shape` may differ.
    sets
        What each is trained on.
    plans
        How each is trained.
    device
        Where to compute; the networks come back where they were.
    progress
        Called with the number of updates that were made since the last call.

    Returns
    -------
    list[Outcome]
        One a network.
    """
    where = torch.device(device)
    most = MOST_TOGETHER.get(where.type, MOST_TOGETHER["cpu"])
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for i, (network, spots, plan) in enumerate(zip(networks, sets, plans, strict=True)):
        shapes = tuple(value.shape for value in network.state_dict().values())
        size = min(plan.batch_size, len(spots))
        groups[network.shape, shapes, size, plan.steps, spots.neighbours.shape[1]].append(i)
    outcomes: dict[int, Outcome] = {}
    for members in groups.values():
        size = -(-len(members) // -(-len(members) // most))  # as few rounds as the most allows, of even size
        for start in range(0, len(members), size):
            chunk = members[start : start + size]
            trained = _train_group(
                [networks[i] for i in chunk],
                [sets[i] for i in chunk],
                [plans[i] for i in chunk],
                where,
                progress or (lambda done: None),
            )
            outcomes |= dict(zip(chunk, trained, strict=True))
    return [outcomes[i] for i in range(len(networks))]


def _train_group(
    networks: Sequence[FusionNetwork],
    sets: Sequence[SpotSet],
    plans: Sequence[TrainingPlan],
    device: torch.device,
    progress: Callable[[int], None],
) -> list[Outcome]:
    """Train networks of the same sizes, batch and number of steps as one computation."""
    n, steps = len(networks), plans[0].steps
    size = min(plans[0].batch_size, len(sets[0]))
    followed = teachers(networks[0])
    states = [dict(network.named_parameters()) for network in networks]
    students = StackedParameters(
        [{name: value for name, value in state.items() if name not in followed} for state in states], device=device
    )
    masters = StackedParameters(
        [{name: state[source] for name, source in followed.items()} for state in states], device=device, trained=False
    )
    kept = [dict(network.named_buffers()) for network in networks]
    buffers = {name: torch.stack([own[name] for own in kept]).to(device) for name in kept[0]}
    objective = _Objective(copy.deepcopy(networks[0]).to(device).train())
    optimiser = StackedAdamW(
        students,
        learning_rates=torch.tensor([plan.learning_rate for plan in plans], dtype=torch.float64),
        weight_decays=torch.tensor([plan.weight_decay for plan in plans], dtype=torch.float64),
    )
    stack = SetStack(sets, device=device)
    wanted = [(len(spots), plan.seed) for spots, plan in zip(sets, plans, strict=True)]
    drawn = {key: minibatch_rows(key[0], size, steps, key[1]) for key in set(wanted)}
    rows = torch.from_numpy(np.stack([drawn[key] for key in wanted], axis=1))  # (step, model, spot)

    def loss(parameters: dict[str, Tensor], batch: Batch) -> Tensor:
        return functional_call(objective, {f"network.{name}": value for name, value in parameters.items()}, (batch,))

    seeds = sorted({plan.seed for plan in plans})
    own = torch.tensor([seeds.index(plan.seed) for plan in plans], device=device)
    losses = torch.full((steps, n), torch.nan, dtype=torch.float64, device=device)  # no wait for it at each step
    alive = torch.ones(n, dtype=torch.bool, device=device)
    stopped = torch.full((n,), steps, device=device)
    for step in range(steps):
        batch = stack.batch(rows[step], _noise(networks[0], seeds, own, step, size, stack.x1))
        found = vmap(loss)(students.named | masters.named | buffers, batch)
        losses[step] = found.detach()
        living = optimiser.step(students.gradient(found), alive & found.detach().isfinite(), warm_cosine(step, steps))
        stopped = torch.where(alive & ~living, step, stopped)
        alive = living
        with torch.no_grad():
            for name, source in followed.items():
                masters.named[name].lerp_(students.named[source], 1 - networks[0].momentum)
        progress(n)
    for i, network in enumerate(networks):
        network.load_state_dict(students.model(i) | masters.model(i) | kept[i])
        network.requires_grad_(False)
    last, kept_losses = stopped.tolist(), losses.cpu().numpy()
    return [Outcome(kept_losses[:, i].copy(), None if last[i] == steps else last[i]) for i in range(n)]


def _noise(
    network: FusionNetwork, seeds: Sequence[int], own: Tensor, step: int, size: int, like: Tensor
) -> dict[str, Tensor]:
    """Draw each model's noise of one step from its seed and the step, the same on every device: (model, …) by name.

    What a seed draws is drawn once; ``own`` (model,) is the number of each model's seed.
    """
    drawn = [network.noise(torch.Generator().manual_seed(seed * SEED_STRIDE + step), size) for seed in seeds]
    return {name: _as(torch.stack([one[name] for one in drawn]), like)[own] for name in drawn[0]}


def _as(values: Tensor, like: Tensor) -> Tensor:
    """Move to the device of another tensor, and to its precision where they are not integers or truths."""
    return values.to(like.device, like.dtype if values.is_floating_point() else values.dtype)
