r"""Ridge multinomial logistic regression of many data sets and penalties at once.

The objective of one fit is :math:`-\frac1n\sum_i\log p(y_i\mid z_i) + \frac\lambda2\lVert W\rVert^2`. For every class
its Hessian lies below :math:`\frac12 Z^\top Z/n + \lambda` (Böhning 1992), which is diagonal in the principal axes of
the data and serves all penalties. A limited-memory quasi-Newton method (Nocedal 1980) runs along these axes, from a
diagonal guess of the curvature; where one of its steps fails, a step under Böhning's bound, which never increases the
objective, takes its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor

MEMORY = 16
LEFT = 0.75
SLACK = 1e-6  # relative rounding of the objective
TINY = 1e-12
MOST_ITERATIONS = 300
TOLERANCE = 1e-9
CELLS = 1_000_000  # logits of the data sets that are fitted together, about what a processor's cache holds


@dataclass(frozen=True, eq=False)
class LogisticData:
    """One data set.

    Attributes
    ----------
    z
        Features (spot, feature).
    codes
        Class of each spot (spot,), from 0; every class occurs.
    penalties
        Ridge penalties, relative to the number of spots, each of which is a fit of its own (penalty,).
    """

    z: NDArray[np.floating]
    codes: NDArray[np.intp]
    penalties: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class LogisticModel:
    """A fitted logistic regression.

    Attributes
    ----------
    coef_
        (class, feature); (1, feature), the log odds of the second, where there are two classes.
    intercept_
        (class,), or (1,).
    """

    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]

    def predict_proba(self, z: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float64]:
        """Return the probability of each class (spot, class), the logits divided by a temperature."""
        logits = (np.asarray(z, dtype=np.float64) @ self.coef_.T + self.intercept_) / temperature
        if logits.shape[1] == 1:
            logits = np.hstack([np.zeros_like(logits), logits])
        return softmax(logits, axis=1)


def fit_logistic(
    data: Sequence[LogisticData],
    *,
    device: torch.device | str = "cpu",
    tolerance: float = TOLERANCE,
) -> list[list[LogisticModel]]:
    """Fit every data set under each of its penalties, in double precision.

    In single precision the gradient along what is neither penalised nor told by the data, one constant on all
    intercepts, is rounding alone; on labels that are easy to tell it exceeds any useful tolerance, and the fit runs
    away along it.

    Parameters
    ----------
    data
        Data sets of any sizes, of two classes or more each.
    device
        Where to compute.
    tolerance
        A fit ends when a step along its diagonal guess of the curvature promises less than half of this, nats a spot.

    Returns
    -------
    list
        A list for each data set with a model for each of its penalties.
    """
    found: dict[int, list[LogisticModel]] = {}
    for chunk in _chunks(data):
        fits = _Fits([data[i] for i in chunk], torch.device(device))
        found |= dict(zip(chunk, fits.solve(tolerance), strict=True))
    return [found[i] for i in range(len(data))]


def _chunks(data: Sequence[LogisticData]) -> list[list[int]]:
    """Put data sets of the same number of penalties and of like sizes together."""
    sizes = [(len(one.penalties), int(one.codes.max()) + 1, *one.z.shape[::-1]) for one in data]
    chunks: list[list[int]] = []
    for i in sorted(range(len(data)), key=lambda i: sizes[i]):
        n_penalties, n_classes, _, n = sizes[i]
        if (
            chunks
            and sizes[chunks[-1][0]][:3] == sizes[i][:3]
            and (len(chunks[-1]) + 1) * n * n_penalties * n_classes <= CELLS
        ):
            chunks[-1].append(i)
        else:
            chunks.append([i])
    return chunks


class _Fits:
    """Data sets padded to one size: rows of weight zero, features of zeros, classes without probability.

    Axes: b data set, k penalty, c class, d feature along a principal axis with the intercept last, n spot.
    """

    def __init__(self, data: Sequence[LogisticData], device: torch.device) -> None:
        self.data = data
        self.sizes = [int(one.codes.max()) + 1 for one in data]
        n, d = (max(one.z.shape[axis] for one in data) for axis in (0, 1))
        b, k, c = len(data), len(data[0].penalties), max(self.sizes)
        raw, there, truth = np.zeros((b, n, d)), np.zeros((b, n, 1)), np.zeros((b, c, n))
        absent = np.zeros((b, 1, c, 1))
        for i, one in enumerate(data):
            size = len(one.z)
            raw[i, :size, : one.z.shape[1]] = one.z
            there[i, :size] = 1
            truth[i, one.codes, np.arange(size)] = 1 / size
            absent[i, :, self.sizes[i] :] = -np.inf
        # two classes: the penalty on one vector of log odds is that on two opposite ones of half its length, doubled
        penalties = np.array(
            [np.array(one.penalties) * (2 if m == 2 else 1) for one, m in zip(data, self.sizes, strict=True)]
        )
        raw_, there_, truth_, self.absent, ridge = (
            torch.as_tensor(array, dtype=torch.float64).to(device) for array in (raw, there, truth, absent, penalties)
        )
        self.n = there_.sum(1)[:, :, None]  # (b, 1, 1)
        self.weights = (there_[..., 0] / self.n[..., 0])[:, None]  # (b, 1, n)
        self.mean = self.weights @ raw_  # (b, 1, d)
        centred = (raw_ - self.mean) * there_
        spread, self.axes = torch.linalg.eigh(centred.mT @ centred / self.n)
        unit = torch.ones_like(spread[:, :1])
        self.z = torch.cat([centred @ self.axes, there_], dim=2)  # (b, n, d)
        self.spread = torch.cat([spread.clamp(min=0), unit], dim=1)[:, None, None]  # (b, 1, 1, d)
        self.ridge = torch.cat([ridge[..., None].expand(b, k, d), torch.zeros_like(unit)[:, None].expand(b, k, 1)], 2)
        self.ridge = self.ridge[:, :, None]  # (b, k, 1, d)
        self.seen = (truth_ @ self.z)[:, None]  # (b, 1, c, d)

    def value(self, w: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the objective (b, k), its gradient, and a diagonal guess of its curvature, both of the shape of ``w``.

        The guess replaces the one half of Böhning's bound by the mean of p (1 - p) over the spots.
        """
        b, k, c, d = w.shape
        p = (w.view(b, k * c, d) @ self.z.mT).view(b, k, c, -1).add_(self.absent)
        top = p.amax(dim=2, keepdim=True)
        total = p.sub_(top).exp_().sum(dim=2, keepdim=True)
        entropy = ((total.log() + top)[:, :, 0] * self.weights).sum(-1) - (w * self.seen).sum((2, 3))
        flat = p.mul_(self.weights[:, None] / total).view(b, k * c, -1)  # p / n
        curvature = (flat.sum(-1) - self.n[..., 0] * torch.linalg.vector_norm(flat, dim=-1) ** 2).clamp(min=1e-3)
        gradient = (flat @ self.z).view(b, k, c, d) - self.seen + self.ridge * w
        objective = entropy + (self.ridge * w * w).sum((2, 3)) / 2
        return objective, gradient, curvature.view(b, k, c, 1) * self.spread + self.ridge

    def keep(self, rows: Tensor, columns: Tensor) -> None:
        """Go on with some data sets (b,) and some penalties (k,) alone."""
        for name in ("z", "weights", "n", "absent", "seen", "spread"):
            setattr(self, name, getattr(self, name)[rows])
        self.ridge = self.ridge[rows][:, columns]

    def solve(self, tolerance: float) -> list[list[LogisticModel]]:
        """Return the models of each data set."""
        (b, k), device = self.ridge.shape[:2], self.z.device
        w = torch.zeros(b, k, max(self.sizes), self.z.shape[2]).to(self.z)
        solution = w.clone()
        place = torch.arange(b, device=device)[:, None], torch.arange(k, device=device)
        objective, gradient, scale = self.value(w)
        active = torch.ones_like(objective, dtype=torch.bool)
        history: list[tuple[Tensor, Tensor, Tensor]] = []
        for _ in range(MOST_ITERATIONS):
            active = active & ((gradient**2 / scale).sum((2, 3)) > tolerance)
            rows, columns = active.any(dim=1), active.any(dim=0)
            if int(rows.sum()) * int(columns.sum()) <= LEFT * active.numel():  # what is done is put aside
                solution[place] = w
                self.keep(rows, columns)
                place = place[0][rows], place[1][columns]
                w, objective, gradient, scale, active, *past = (
                    x[rows][:, columns]
                    for x in (w, objective, gradient, scale, active, *(y for z in history for y in z))
                )
                history = list(zip(past[::3], past[1::3], past[2::3], strict=True))
            if not active.numel():
                break
            move = _direction(gradient, scale, history) * active[..., None, None]
            after, slope, curved = self.value(w + move)
            allowed = objective + 1e-4 * (gradient * move).sum((2, 3)) + SLACK * objective.abs()
            worse = active & ~(after <= allowed)
            if bool(worse.any()):
                move = torch.where(worse[..., None, None], -gradient / (self.spread / 2 + self.ridge), move)
                after, slope, curved = self.value(w + move)
            change = slope - gradient
            curvature = (change * move).sum((2, 3))
            history = [*history[1 - MEMORY :], (move, change, torch.where(curvature > TINY, 1 / curvature, 0))]
            w, objective, gradient, scale = w + move, after, slope, curved
        solution[place] = w
        return self._models(solution)

    def _models(self, w: Tensor) -> list[list[LogisticModel]]:
        """Turn coefficients along the principal axes into those of the features."""
        slopes = w[..., :-1] @ self.axes.mT[:, None]  # (b, k, c, feature)
        intercepts = w[..., -1] - (slopes @ self.mean.mT[:, None])[..., 0]
        slopes_, intercepts_ = (x.double().cpu().numpy() for x in (slopes, intercepts))
        models = []
        for i, (one, m) in enumerate(zip(self.data, self.sizes, strict=True)):
            coefficients, constants = slopes_[i, :, :m, : one.z.shape[1]], intercepts_[i, :, :m]
            if m == 2:
                coefficients, constants = (x[:, 1:] - x[:, :1] for x in (coefficients, constants))
            models.append([LogisticModel(*each) for each in zip(coefficients, constants, strict=True)])
        return models


def _direction(gradient: Tensor, scale: Tensor, history: Sequence[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
    """Return the quasi-Newton direction by two loops over the last steps, from a diagonal guess of the curvature."""
    q, kept = gradient, []
    for move, change, rho in reversed(history):
        alpha = rho * (move * q).sum((2, 3))
        q = q - alpha[..., None, None] * change
        kept.append(alpha)
    r = q / scale
    for (move, change, rho), alpha in zip(history, reversed(kept), strict=True):
        beta = rho * (change * r).sum((2, 3))
        r = r + (alpha - beta)[..., None, None] * move
    return -r
