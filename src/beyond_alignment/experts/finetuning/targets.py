"""Labels as a network is trained on them, and its outputs as a user reads them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from beyond_alignment.errors import InputError
from beyond_alignment.experts.finetuning.settings import Kind


@dataclass(frozen=True)
class Targets:
    """What outputs stand for: sorted classes, or the mean and spread of each target, of one axis where ``flat``."""

    kind: Kind
    classes: NDArray[Any]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    flat: bool

    @property
    def n_outputs(self) -> int:
        """Classes or targets."""
        return len(self.classes) if self.kind == "classification" else len(self.mean)

    def probabilities(self, outputs: Tensor) -> NDArray[np.float64]:
        """Return class probabilities (spot, class) of logits."""
        if self.kind == "regression":
            raise InputError("A regression has no class probabilities: use predict.")
        return outputs.double().softmax(dim=1).numpy()

    def predictions(self, outputs: Tensor) -> NDArray[Any]:
        """Return classes (spot,) of logits, or targets in their own units of standardised ones."""
        if self.kind == "classification":
            return self.classes[outputs.argmax(dim=1).numpy()]
        values = outputs.double().numpy() * self.spread + self.mean
        return values[:, 0] if self.flat else values


def read_targets(labels: ArrayLike, groups: ArrayLike, *, n: int, kind: Kind) -> tuple[Targets, Tensor, NDArray]:
    """Check the labels and groups of ``n`` spots and turn labels into numbers."""
    values, units = np.asarray(labels), np.asarray(groups)
    if kind not in ("classification", "regression"):
        raise InputError(f"Unknown kind of task {kind!r}: choose classification or regression.")
    if (
        len(values) != n
        or units.shape != (n,)
        or values.ndim not in (1, 2)
        or (values.ndim == 2) > (kind == "regression")
    ):
        msg = (
            f"{n} spots, labels of shape {values.shape} and groups of shape {units.shape} do not match: give a label "
            "(or, in a regression, a row of targets) and a group for every spot."
        )
        raise InputError(msg)
    if absent := int(np.atleast_1d(pd.isna(values)).reshape(n, -1).any(axis=1).sum() + pd.isna(units).sum()):
        raise InputError(f"{absent} of {n} spots lack a label or a group: leave them out.")
    if kind == "classification":
        classes, codes = np.unique(values, return_inverse=True)
        if len(classes) < 2:
            raise InputError(f"All {n} training spots are of class {classes[:1]}: give spots of two classes or more.")
        none = np.empty(0)
        return Targets(kind, classes, none, none, True), torch.from_numpy(codes.astype(np.int64)), units
    numbers = values.reshape(n, -1).astype(np.float64)
    if not np.isfinite(numbers).all() or not np.ptp(numbers, axis=0).any():
        raise InputError(f"The targets of {n} spots are not finite or never vary: there is nothing to fit.")
    mean, sd = numbers.mean(axis=0), numbers.std(axis=0)
    spread = np.where(sd > 0, sd, 1.0)
    found = Targets(kind, np.empty(0), mean, spread, values.ndim == 1)
    return found, torch.from_numpy((numbers - mean) / spread).float(), units
