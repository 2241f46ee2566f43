"""A plain training loop for one network, and the batches that the tests of the networks share."""

import torch

from beyond_alignment.fusion.aligning import contrastive, decorrelating, predictive
from beyond_alignment.fusion.comm import METHODS as FUSED
from beyond_alignment.fusion.network import Batch, Shape

NETWORKS = {m.name: m for f in (contrastive, predictive, decorrelating) for m in f.METHODS} | {m.name: m for m in FUSED}


def shape_of(x1, x2, *, dimension=64):
    return Shape(x1.shape[1], x2.shape[1], 2, "classification", dimension)


def make(name, shape, *, seed=0, **options):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return NETWORKS[name].network(shape, **options)


def batch_of(x1, x2, noise=None):
    n, nothing = len(x1), torch.zeros(len(x1), 0)
    near1, near2 = torch.zeros(n, 0, x1.shape[1]), torch.zeros(n, 0, x2.shape[1])
    return Batch(x1, x2, torch.zeros(n, dtype=torch.long), near1, near2, nothing, noise or {})


def noisy_batch(network, x1, x2, *, seed=0):
    return batch_of(x1, x2, network.noise(torch.Generator().manual_seed(seed), len(x1)))


def trained(parameters, network):
    """Names and values of the parameters that get a gradient."""
    return {k: v for k, v in parameters if not any(k.startswith(prefix + ".") for prefix in network.teacher)}


def train(network, x1, x2, *, steps=300, size=256, learning_rate=3e-3, seed=0):
    """AdamW on minibatches; teachers follow. Return the losses."""
    generator = torch.Generator().manual_seed(seed)
    students = trained(network.named_parameters(), network)
    optimiser = torch.optim.AdamW(students.values(), lr=learning_rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    everything, losses = dict(network.named_parameters()), []
    for _ in range(steps):
        rows = torch.randperm(len(x1), generator=generator)[:size]
        loss = network.loss(batch_of(x1[rows], x2[rows], network.noise(generator, len(rows))))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(students.values(), 1.0)
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            for teacher, student in network.teacher.items():
                for name in (k for k in everything if k.startswith(teacher + ".")):
                    followed = everything[student + name.removeprefix(teacher)]
                    everything[name].lerp_(followed, 1 - network.momentum)
        losses.append(loss.item())
    return losses


def represent(network, x1, x2):
    with torch.no_grad():
        return network(batch_of(x1, x2)).numpy()
