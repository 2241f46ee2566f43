"""Predictive alignment: one modality's projection predicts the other's (projection by MSE, BYOL, SimSiam)."""

from collections.abc import Mapping
from copy import deepcopy
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from beyond_alignment.fusion.aligning.objectives import negative_cosine, standardise
from beyond_alignment.fusion.aligning.record import aligned_method
from beyond_alignment.fusion.aligning.towers import AlignedNetwork, ProjectedNetwork, training_head
from beyond_alignment.fusion.network import Batch, Shape


class Projection(AlignedNetwork):
    """Each modality's projection predicts the other's embedding, linearly, by mean squared error.

    The distance between two learned projections alone would be 0 for two constants; the frozen embedding as the
    target leaves no such way out. With ``layers=0`` it is reduced-rank regression (:cite:t:`izenman1975reduced`),
    whose optimum is known in closed form.

    Parameters
    ----------
    shape, width, layers
        As in :class:`AlignedNetwork`.
    """

    def __init__(self, shape: Shape, *, width: int = 32, layers: int = 1) -> None:
        super().__init__(shape, width=width, layers=layers)
        self.decoder1 = nn.Linear(self.side, shape.d2)
        self.decoder2 = nn.Linear(self.side, shape.d1)

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean of both directions' mean squared errors."""
        z1, z2 = self.project(batch)
        forth = functional.mse_loss(self.decoder1(z1), batch.x2)
        return (forth + functional.mse_loss(self.decoder2(z2), batch.x1)) / 2


class Byol(ProjectedNetwork):
    """Each modality predicts what a slow copy of the other's network says (:cite:t:`grill2020byol`).

    The targets are a moving average of the networks in training, as in the method's paper; in the code of
    :cite:t:`richter2026beyond` they stay as they were drawn. The representation is what the towers give before the
    projectors. The average moves faster (0.99) than in the paper (0.996), for training that is much shorter.

    Parameters
    ----------
    shape, width, layers, projected
        As in :class:`ProjectedNetwork`.
    """

    teacher: ClassVar[Mapping[str, str]] = {
        "target_tower1": "tower1",
        "target_tower2": "tower2",
        "target_projector1": "projector1",
        "target_projector2": "projector2",
    }

    def __init__(self, shape: Shape, *, width: int = 32, layers: int = 1, projected: int = 64) -> None:
        super().__init__(shape, width=width, layers=layers, projected=projected, offset=False)
        self.predictor1 = training_head(projected, projected, width=width)
        self.predictor2 = training_head(projected, projected, width=width)
        self.target_tower1, self.target_tower2 = deepcopy(self.tower1), deepcopy(self.tower2)
        self.target_projector1, self.target_projector2 = deepcopy(self.projector1), deepcopy(self.projector2)
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(not name.startswith("target_"))

    def loss(self, batch: Batch) -> Tensor:
        """Return the squared distance of unit vectors, summed over both directions: 0 to 8."""
        seen1, seen2 = self.seen(batch)
        target1 = self.target_projector1(self.target_tower1(batch.x1))
        target2 = self.target_projector2(self.target_tower2(batch.x2))
        forth = negative_cosine(self.predictor1(seen1), target2)
        back = negative_cosine(self.predictor2(seen2), target1)
        return 4 + 2 * forth + 2 * back


class SimSiam(ProjectedNetwork):
    """Each modality predicts the other's projection, which takes no gradient (:cite:t:`chen2021simsiam`).

    As in the method's paper the projectors end in batch standardisation, the predictors have a bottleneck of a quarter
    of the width, and the representation is what the towers give before the projectors.

    Parameters
    ----------
    shape, width, layers, projected
        As in :class:`ProjectedNetwork`.
    """

    def __init__(self, shape: Shape, *, width: int = 32, layers: int = 1, projected: int = 64) -> None:
        super().__init__(shape, width=width, layers=layers, projected=projected, offset=False)
        bottleneck = max(width // 4, 1)
        self.predictor1 = training_head(projected, projected, width=bottleneck)
        self.predictor2 = training_head(projected, projected, width=bottleneck)

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean of both directions' negative cosines: -1 to 1."""
        p1, p2 = (standardise(seen) for seen in self.seen(batch))
        return (negative_cosine(self.predictor1(p1), p2) + negative_cosine(self.predictor2(p2), p1)) / 2


METHODS = (
    aligned_method("projection", "projection (MSE)", Projection, "izenman1975reduced", width=512, layers=1),
    aligned_method("byol", "BYOL", Byol, "grill2020byol", width=128, layers=0, projected=256),
    aligned_method("simsiam", "SimSiam", SimSiam, "chen2021simsiam", width=512, layers=2, projected=256),
)
