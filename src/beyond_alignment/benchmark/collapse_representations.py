"""What alignment and interaction make of known truth: representations by name, to be read on unseen samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
from beyond_alignment.information.generators import LinearEmbeddingTask

Floats = NDArray[np.float64]
Head = Literal["linear", "nonlinear", "interaction", "concatenation"]
BATCH = 256
LEAST_STEPS, MOST_STEPS = 300, 4000
RATE = 1e-2


@dataclass(frozen=True)
class Contender:
    """One way of making a representation of a pair.

    Attributes
    ----------
    name
        In tables; ``linear`` and ``nonlinear`` heads of one method are two.
    label
        In figures.
    head
        ``linear`` and ``nonlinear``: alignment, of as many directions a side as are shared; ``interaction``: a fusion
        method of the common size; ``concatenation``: both embeddings as they are.
    method
        Key of :data:`~beyond_alignment.alignment.LINEAR_METHODS` or of ``FUSION_METHODS``.
    options
        Handed to the fusion method.
    """

    name: str
    label: str
    head: Head
    method: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def _all() -> tuple[Contender, ...]:
    linear = ("cca", "info_nce", "clip", "vicreg", "barlow_twins", "byol", "simsiam")
    return (
        Contender("concatenation", "both embeddings", "concatenation"),
        *(Contender(f"{m}_linear", f"{LINEAR_METHODS[m].label}, linear", "linear", m) for m in linear),
        *(
            Contender(f"{m}_nonlinear", f"{FUSION_METHODS[m].label}, nonlinear", "nonlinear", m)
            for m in ("clip", "vicreg", "barlow_twins", "byol", "deep_cca")
        ),
        *(Contender(m, FUSION_METHODS[m].label, "interaction", m) for m in ("bilinear", "low_rank", "comm")),
    )


CONTENDERS: Mapping[str, Contender] = MappingProxyType({one.name: one for one in _all()})
"""Name -> way of making a representation."""


def represent_unseen(
    contender: str,
    task: LinearEmbeddingTask,
    n: int,
    *,
    labels: Sequence[str],
    n_directions: int,
    device: Device = "auto",
    seed: int = 0,
) -> dict[str, Floats]:
    """Fit a representation on the first samples and return it of the others, label by label.

    A network is trained for one epoch of batches of 256, and for 300 to 4,000 updates. What sees no label is fitted
    once.

    Parameters
    ----------
    contender
        Key of :data:`CONTENDERS`.
    task
        All samples.
    n
        Samples that it is fitted on.
    labels
        Of the task.
    n_directions
        Directions a side that alignment keeps.
    device
        Where training runs.
    seed
        Of first weights and minibatches.

    Returns
    -------
    dict
        Label -> representation of the other samples (sample, feature).

    Raises
    ------
    InputError
        If the contender is unknown.
    """
    if contender not in CONTENDERS:
        raise InputError(f"There is no contender {contender!r}; choose among {', '.join(CONTENDERS)}.")
    one = CONTENDERS[contender]
    seen, unseen = (task.x1[:n], task.x2[:n]), (task.x1[n:], task.x2[n:])
    steps = int(np.clip(n // BATCH, LEAST_STEPS, MOST_STEPS))
    if one.head == "concatenation":
        return dict.fromkeys(labels, np.concatenate(unseen, axis=1))
    if one.head == "linear":
        (found,) = aligned_subspaces(
            one.method, [seen], n_components=n_directions, seeds=[seed], steps=steps, batch_size=BATCH, device=device
        )
        return dict.fromkeys(labels, found.transform(*unseen))
    blind = FUSION_METHODS[one.method].trained_on != "labels"
    size: dict[str, Any] = {"dimension": 2 * n_directions} if one.head == "nonlinear" else {}
    options: dict[str, Any] = {
        "steps": steps,
        "batch_size": BATCH,
        "learning_rate": RATE,
        "device": device,
        "seed": seed,
    }
    targets = list(labels)[:1] if blind else list(labels)
    models = [make_fusion(one.method, **options, **size, **one.options) for _ in targets]
    failed = train_all(models, [TrainingSet(seen, task.labels[label][:n]) for label in targets])
    if failed:
        raise InputError(f"{one.label} has no representation: {next(iter(failed.values())).reason}")
    made = [represent(model, unseen) for model in models]
    return dict.fromkeys(labels, made[0]) if blind else dict(zip(labels, made, strict=True))
