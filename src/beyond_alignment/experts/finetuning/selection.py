"""What is chosen on an inner split by group: the probe's penalty, the learning rate, when to stop, how sure to be."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold
from torch import Tensor

from beyond_alignment.errors import InputError
from beyond_alignment.experts.finetuning.activations import Activations
from beyond_alignment.experts.finetuning.head import CONFIDENCES, PENALTIES, losses_by_confidence, probe_head
from beyond_alignment.experts.finetuning.loop import Diverged, outputs_of, run_epochs
from beyond_alignment.experts.finetuning.settings import FinetuneSettings, Kind
from beyond_alignment.experts.finetuning.trained_part import Start

N_INNER = 3
Fold = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Chosen:
    """What did best on inner groups.

    Attributes
    ----------
    penalty
        Of the probe that training starts from.
    rate
        Highest learning rate.
    epochs
        After which to stop; 0 where fine-tuning brought nothing and the frozen probe is kept.
    confidence
        By which outputs are multiplied.
    curves
        Learning rate -> loss on the inner groups after each epoch, from 0, at the best confidence of that epoch.
    notes
        Runs that diverged, a sentence each.
    n_trained, n_scored
        Spots that were trained on, and scored, over all runs.
    """

    penalty: float
    rate: float
    epochs: int
    confidence: float
    curves: Mapping[float, tuple[float, ...]]
    notes: tuple[str, ...]
    n_trained: int
    n_scored: int


def inner_fold(groups: NDArray) -> Fold:
    """Return training and held-out rows of the first inner split of three (two where there are two groups)."""
    names = np.unique(groups)
    if len(names) < 2:
        msg = (
            f"All {len(groups)} training spots are of one group ({', '.join(map(str, names))}): fine-tuning stops and "
            "chooses on a group that it does not train on; pass finer groups, such as sections or tiles."
        )
        raise InputError(msg)
    split = GroupKFold(min(N_INNER, len(names))).split(np.zeros(len(groups)), groups=groups)
    train, out = next(iter(split))
    return torch.from_numpy(train), torch.from_numpy(out)


def choose(
    spots: Activations,
    frozen: NDArray[np.float32],
    y: Tensor,
    groups: NDArray,
    *,
    kind: Kind,
    n_outputs: int,
    start: Start,
    settings: FinetuneSettings,
) -> Chosen:
    """Choose on groups of the training spots that a run does not see, for ``start``'s network and its embedding.

    Every run starts from the frozen network and its probe, so the frozen probe is the run of 0 epochs; a run that
    diverges counts up to there.
    """
    fold = inner_fold(groups)
    train, out = fold
    probes = [_probe(frozen, y, fold, kind, n_outputs, penalty).min() for penalty in PENALTIES]
    penalty = PENALTIES[int(np.argmin(probes))]
    notes: list[str] = []
    losses: dict[float, NDArray[np.float64]] = {}
    for rate in settings.rates:
        losses[rate], note = _run(spots, frozen, y, fold, kind, n_outputs, penalty, start, rate, settings)
        notes += [note] if note else []
    start.restore()
    rate = min(losses, key=lambda name: float(losses[name].min()))
    epoch, sure = np.unravel_index(int(np.argmin(losses[rate])), losses[rate].shape)
    curves = {name: tuple(map(float, values.min(axis=1))) for name, values in losses.items()}
    n_trained = sum(len(curve) - 1 for curve in curves.values()) * len(train)
    n_scored = sum(map(len, curves.values())) * len(out)
    return Chosen(penalty, rate, int(epoch), CONFIDENCES[sure], curves, tuple(notes), n_trained, n_scored)


def _probe(
    frozen: NDArray[np.float32], y: Tensor, fold: Fold, kind: Kind, n_outputs: int, penalty: float
) -> NDArray[np.float64]:
    """Return the losses of the frozen probe on the held-out rows (confidence,)."""
    train, out = fold
    head = probe_head(frozen[train.numpy()], y[train], kind=kind, n_outputs=n_outputs, penalty=penalty)
    with torch.no_grad():
        return losses_by_confidence(head(torch.from_numpy(frozen[out.numpy()])), y[out], kind=kind)


def _run(
    spots: Activations,
    frozen: NDArray[np.float32],
    y: Tensor,
    fold: Fold,
    kind: Kind,
    n_outputs: int,
    penalty: float,
    start: Start,
    rate: float,
    settings: FinetuneSettings,
) -> tuple[NDArray[np.float64], str]:
    """Return the held-out losses after each epoch (epoch, confidence), from 0, and why the run broke off."""
    train, out = fold
    start.restore()
    head = probe_head(frozen[train.numpy()], y[train], kind=kind, n_outputs=n_outputs, penalty=penalty)
    head = head.to(spots.device)

    def held_out() -> NDArray[np.float64]:
        return losses_by_confidence(outputs_of(spots, head, out, settings.n_blocks), y[out], kind=kind)

    curve, note, best = [held_out()], "", 0
    try:
        for epoch, _ in enumerate(run_epochs(spots, head, train, y, kind=kind, rate=rate, settings=settings), start=1):
            curve.append(held_out())
            if not curve[-1].min() >= curve[best].min():
                best = epoch
            if epoch - best >= settings.patience:
                break
    except Diverged as error:
        note = str(error)
    return np.stack(curve), note
