"""Alignment objectives on one linear map a view, without projectors: what the theory of alignment speaks of."""

from collections.abc import Mapping
from copy import deepcopy
from typing import ClassVar

import torch
from torch import Tensor, nn

from beyond_alignment.fusion.aligning.objectives import (
    barlow_twins,
    info_nce,
    negative_cosine,
    standardise,
    trace_norm,
    vicreg,
)
from beyond_alignment.fusion.aligning.towers import AlignedNetwork
from beyond_alignment.fusion.network import Batch, Shape

COLDEST = 100.0


class LinearHeads(AlignedNetwork):
    """Two linear maps without an offset, one a view.

    Parameters
    ----------
    shape
        Sizes; half of ``dimension`` belongs to each view.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape, layers=0)


class InnerProductNce(LinearHeads):
    """InfoNCE on plain inner products: for Gaussian views the second-order expansion of it is exact."""

    def loss(self, batch: Batch) -> Tensor:
        """Return the symmetric objective in nats."""
        z1, z2 = self.project(batch)
        scores = z1 @ z2.T  # (spot of the first view, spot of the second)
        forth, back = torch.log_softmax(scores, dim=1), torch.log_softmax(scores, dim=0)
        return -(torch.diagonal(forth).mean() + torch.diagonal(back).mean()) / 2


class SecondOrderNce(LinearHeads):
    """The second-order expansion of InfoNCE: -E[f] over pairs + E[f^2] / 2 over strangers, f the inner product.

    Half the spectral contrastive loss of HaoChen et al. (2021).
    """

    def loss(self, batch: Batch) -> Tensor:
        """Return the objective; for one spot, which has no stranger, minus its inner product."""
        z1, z2 = self.project(batch)
        scores, n = z1 @ z2.T, len(z1)
        own = torch.diagonal(scores)
        strangers = (scores * scores).sum() - (own * own).sum()
        return -own.mean() + strangers / (2 * max(n * (n - 1), 1))


class LinearClip(LinearHeads):
    """CLIP: InfoNCE on cosines.

    Parameters
    ----------
    shape
        Sizes.
    temperature
        Divides the cosines.
    learned
        Whether the temperature is trained from there; it stays above 0.01.
    """

    def __init__(self, shape: Shape, *, temperature: float = 0.07, learned: bool = True) -> None:
        super().__init__(shape)
        start = -torch.log(torch.tensor(temperature))
        if learned:
            self.log_scale = nn.Parameter(start)
        else:
            self.register_buffer("log_scale", start)

    def loss(self, batch: Batch) -> Tensor:
        """Return the symmetric objective in nats."""
        return info_nce(*self.project(batch), torch.exp(self.log_scale).clamp(max=COLDEST))


class LinearBarlowTwins(LinearHeads):
    """Barlow Twins.

    Parameters
    ----------
    shape
        Sizes.
    redundancy
        Weight of the squared correlations beside the diagonal.
    """

    def __init__(self, shape: Shape, *, redundancy: float = 0.005) -> None:
        super().__init__(shape)
        self.redundancy = redundancy

    def loss(self, batch: Batch) -> Tensor:
        """Return the distance of the cross-correlation matrix from the identity."""
        return barlow_twins(*self.project(batch), self.redundancy)


class LinearVicReg(LinearHeads):
    """VICReg.

    Parameters
    ----------
    shape
        Sizes.
    covariance
        Weight of the squared covariances beside the diagonal; distance and spread weigh 25.
    """

    def __init__(self, shape: Shape, *, covariance: float = 1.0) -> None:
        super().__init__(shape)
        self.covariance = covariance

    def loss(self, batch: Batch) -> Tensor:
        """Return the weighted sum of the three terms."""
        return vicreg(*self.project(batch), covariance=self.covariance)


class Regression(LinearHeads):
    """Each projection predicts the other view by mean squared error: reduced-rank regression, whitened or not."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.decoder1 = nn.Linear(self.side, shape.d2)
        self.decoder2 = nn.Linear(self.side, shape.d1)

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean of both directions' squared errors."""
        z1, z2 = self.project(batch)
        forth, back = self.decoder1(z1) - batch.x2, self.decoder2(z2) - batch.x1
        return ((forth * forth).mean() + (back * back).mean()) / 2


class LinearDeepCca(LinearHeads):
    """Minus the mean canonical correlation of the projections."""

    def loss(self, batch: Batch) -> Tensor:
        """Return it: -1 to 0."""
        return trace_norm(*self.project(batch), 1e-4) / self.side


class LinearSimSiam(LinearHeads):
    """SimSiam with a linear predictor a view."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.predictor1 = nn.Linear(self.side, self.side, bias=False)
        self.predictor2 = nn.Linear(self.side, self.side, bias=False)

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean of both directions' negative cosines: -1 to 1."""
        z1, z2 = (standardise(z) for z in self.project(batch))
        return (negative_cosine(self.predictor1(z1), z2) + negative_cosine(self.predictor2(z2), z1)) / 2


class LinearByol(LinearHeads):
    """BYOL with a linear predictor a view and a moving average of the maps as target."""

    teacher: ClassVar[Mapping[str, str]] = {"target_tower1": "tower1", "target_tower2": "tower2"}

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.predictor1 = nn.Linear(self.side, self.side, bias=False)
        self.predictor2 = nn.Linear(self.side, self.side, bias=False)
        self.target_tower1, self.target_tower2 = deepcopy(self.tower1), deepcopy(self.tower2)
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(not name.startswith("target_"))

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean of both directions' negative cosines: -1 to 1."""
        z1, z2 = self.project(batch)
        forth = negative_cosine(self.predictor1(z1), self.target_tower2(batch.x2))
        return (forth + negative_cosine(self.predictor2(z2), self.target_tower1(batch.x1))) / 2
