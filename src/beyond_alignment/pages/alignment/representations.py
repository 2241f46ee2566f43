"""What alignment and interaction make of known truth: representations by name, to be read on unseen samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.alignment.linear_methods import LINEAR_METHODS
from beyond_alignment.alignment.subspace import aligned_subspaces
from beyond_alignment.benchmark.captured_cells import represent
from beyond_alignment.errors import InputError
from beyond_alignment.experts.compute import Device
from beyond_alignment.fusion import FUSION_METHODS, make_fusion
from beyond_alignment.fusion.pairs import TrainingSet
from beyond_alignment.fusion.together import train_all
from beyond_alignment.simulate import LinearEmbeddingTask

Floats = NDArray[np.float64]
Head = Literal["linear", "nonlinear", "interaction"]
BATCH = 256
LEAST_STEPS, MOST_STEPS = 300, 4000
RATE = 1e-2


@dataclass(frozen=True)
class Contender:
    """One way of making a representation of a pair.

    Attributes
    ----------
    label
        In figures.
    head
        ``linear`` and ``nonlinear``: alignment, of as many directions a side as are shared; ``interaction``: a fusion
        method of the common size.
    method
        Key of :data:`~beyond_alignment.alignment.LINEAR_METHODS` or of ``FUSION_METHODS``.
    """

    label: str
    head: Head
    method: str


CONTENDERS: Mapping[str, Contender] = MappingProxyType(
    {f"{m}_linear": Contender(f"{LINEAR_METHODS[m].label}, linear", "linear", m) for m in ("cca", "clip", "vicreg")}
    | {
        f"{m}_nonlinear": Contender(f"{FUSION_METHODS[m].label}, nonlinear", "nonlinear", m)
        for m in ("clip", "barlow_twins")
    }
    | {m: Contender(FUSION_METHODS[m].label, "interaction", m) for m in ("bilinear", "comm")}
)
"""Name -> way of making a representation; ``linear`` and ``nonlinear`` heads of one method are two."""


def training_steps(n: int) -> int:
    """Return how long a network is trained on n samples: one epoch of batches, and 300 to 4,000 updates."""
    return int(np.clip(n // BATCH, LEAST_STEPS, MOST_STEPS))


def represent_unseen(
    contender: str,
    task: LinearEmbeddingTask,
    n: int,
    *,
    steps: int,
    labels: Sequence[str],
    n_directions: int,
    device: Device = "auto",
    seed: int = 0,
) -> dict[str, Floats]:
    """Fit a representation on the first n samples, and return it of the others (sample, feature), label by label.

    What sees no label is fitted once. Of ``n_directions`` alignment keeps so many a side.
    """
    one = CONTENDERS[contender]
    seen, unseen = (task.x1[:n], task.x2[:n]), (task.x1[n:], task.x2[n:])
    if one.head == "linear":
        (found,) = aligned_subspaces(
            one.method, [seen], n_components=n_directions, seeds=[seed], steps=steps, batch_size=BATCH, device=device
        )
        return dict.fromkeys(labels, found.transform(*unseen))
    blind = FUSION_METHODS[one.method].trained_on != "labels"
    options: dict[str, Any] = {"steps": steps, "batch_size": BATCH, "learning_rate": RATE}
    options |= {"device": device, "seed": seed} | ({"dimension": 2 * n_directions} if one.head == "nonlinear" else {})
    targets = list(labels)[:1] if blind else list(labels)
    models = [make_fusion(one.method, **options) for _ in targets]
    failed = train_all(models, [TrainingSet(seen, task.labels[label][:n]) for label in targets])
    if failed:
        raise InputError(f"{one.label} has no representation: {next(iter(failed.values())).reason}")
    made = [represent(model, unseen) for model in models]
    return dict.fromkeys(labels, made[0]) if blind else dict(zip(labels, made, strict=True))
