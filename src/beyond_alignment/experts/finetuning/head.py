"""The linear head of a fine-tuned expert, which starts as the probe of the frozen one."""

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from torch import Tensor, nn
from torch.nn import functional

from beyond_alignment.experts.finetuning.settings import Kind

PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)
CONSTANT = 1e-3  # share of their size below which features differ by rounding alone
CONFIDENCES = (1.0, 2 / 3, 1 / 2, 1 / 3, 1 / 5, 1 / 8)


class Head(nn.Module):
    """A linear layer over features in units of their spread over the training spots, before fine-tuning."""

    centre: Tensor
    spread: Tensor

    def __init__(self, centre: Tensor, spread: Tensor, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.register_buffer("centre", centre)
        self.register_buffer("spread", spread)
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)

    def forward(self, embedding: Tensor) -> Tensor:
        """Return logits or standardised targets (spot, output)."""
        return functional.linear((embedding - self.centre) / self.spread, self.weight, self.bias)


def probe_head(z: NDArray[np.float32], y: Tensor, *, kind: Kind, n_outputs: int, penalty: float) -> Head:
    """Fit the probe of a frozen embedding as a head: fine-tuning from it first keeps the features (Kumar et al. 2022).

    ``penalty`` weighs the squared coefficients (half of them for classes) beside the mean loss of a spot. A class that
    none of these spots has gets the odds of half a spot.
    """
    features, labels = np.asarray(z, dtype=np.float64), y.numpy()
    centre, spread = features.mean(axis=0), spread_of(features)
    scaled, n = (features - centre) / spread, len(features)
    weight, bias = np.zeros((n_outputs, scaled.shape[1])), np.zeros(n_outputs)
    if kind == "regression":
        model = Ridge(alpha=penalty * n).fit(scaled, labels)
        weight[:], bias[:] = model.coef_, model.intercept_
    else:
        seen = np.unique(labels)
        counts = np.maximum(np.bincount(labels, minlength=n_outputs), 0.5)
        bias = np.log(counts / counts.sum())
        if len(seen) > 1:
            model = LogisticRegression(C=1.0 / (penalty * n), max_iter=2000).fit(scaled, labels)
            half = len(seen) == 2  # one vector of log odds stands for two opposite ones of half its length
            weight[seen] = np.vstack([-model.coef_, model.coef_]) / 2 if half else model.coef_
            found = np.r_[-model.intercept_, model.intercept_] / 2 if half else model.intercept_
            bias[seen] = found - found.mean() + bias[seen].mean()
    return Head(*(torch.from_numpy(part).float() for part in (centre, spread, weight, bias)))


def spread_of(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the unit of each feature (feature,): its standard deviation over spots (spot, feature).

    Where a feature is all but constant it is the root mean square of all features: training may yet make it vary.
    """
    sd, size = features.std(axis=0), float(np.sqrt((features**2).mean()))
    return np.where(sd > CONSTANT * size, sd, size or 1.0)


def loss_of(outputs: Tensor, y: Tensor, *, kind: Kind) -> Tensor:
    """Return the mean cross-entropy (nats), or the mean squared error of standardised targets."""
    return functional.cross_entropy(outputs, y) if kind == "classification" else functional.mse_loss(outputs, y)


def losses_by_confidence(outputs: Tensor, y: Tensor, *, kind: Kind) -> NDArray[np.float64]:
    """Return the loss of outputs at each confidence, by which they are multiplied: (confidence,).

    A network that was trained on labels is surer of the spots that it saw than it may be of others.
    """
    return np.array([float(loss_of(outputs * confidence, y, kind=kind)) for confidence in CONFIDENCES])
