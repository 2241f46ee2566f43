"""The learning rate of a step, and the optimiser that uses it."""

import torch
from torch import nn

from beyond_alignment.experts.schedule import warm_cosine
from beyond_alignment.experts.training.profiles import TrainingPlan


def learning_rate(plan: TrainingPlan, step: int, steps: int) -> float:
    """Return the rate of a step: a straight rise over the warm-up, then half a cosine down to 0.

    Parameters
    ----------
    plan
        Highest rate and share of the warm-up.
    step
        Number of the step, from 0.
    steps
        Steps of the whole training.
    """
    return plan.learning_rate * warm_cosine(step, steps, warmup=plan.warmup)


def optimiser(module: nn.Module, plan: TrainingPlan) -> torch.optim.AdamW:
    """Return AdamW, without decay on biases, norms and other vectors."""
    wanted = [parameter for parameter in module.parameters() if parameter.requires_grad]
    return torch.optim.AdamW(
        [
            {"params": [p for p in wanted if p.ndim == 2 or p.ndim == 4], "weight_decay": plan.weight_decay},
            {"params": [p for p in wanted if p.ndim not in (2, 4)], "weight_decay": 0.0},
        ],
        lr=plan.learning_rate,
        betas=(0.9, 0.98),
    )
