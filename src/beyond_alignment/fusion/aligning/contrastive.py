"""Contrastive alignment: each spot's two embeddings are told from those of other spots (CLIP, SimCLR, Deep InfoMax)."""

import torch
from torch import Tensor, nn

from beyond_alignment.fusion.aligning.objectives import info_nce, jensen_shannon, nt_xent
from beyond_alignment.fusion.aligning.record import aligned_method
from beyond_alignment.fusion.aligning.towers import AlignedNetwork, CosineNetwork, ProjectedNetwork, tower
from beyond_alignment.fusion.network import Batch, Shape

COLDEST = 100.0


class Clip(CosineNetwork):
    """Contrastive pretraining of two towers with a learned temperature (:cite:t:`radford2021clip`).

    Parameters
    ----------
    shape
        Sizes.
    width
        Units of every hidden layer.
    layers
        Hidden layers of each tower; with 0 both projections are linear, as on top of CLIP's own encoders.
    temperature
        Where the learned temperature starts; it stays above 0.01.
    """

    def __init__(self, shape: Shape, *, width: int = 32, layers: int = 1, temperature: float = 0.07) -> None:
        super().__init__(shape, width=width, layers=layers)
        self.log_scale = nn.Parameter(-torch.log(torch.tensor(temperature)))

    def loss(self, batch: Batch) -> Tensor:
        """Return the symmetric InfoNCE objective in nats."""
        return info_nce(*self.project(batch), torch.exp(self.log_scale).clamp(max=COLDEST))


class SimClr(ProjectedNetwork):
    """Contrastive learning with a projection head that is dropped afterwards (:cite:t:`chen2020simclr`).

    The two modalities are the two views. Differs from the code of :cite:t:`richter2026beyond`, which trains CLIP under
    this name: here, as in the method's paper, a view is also told from the other spots of its own modality, and the
    representation is what the towers give before the projection heads.

    Parameters
    ----------
    shape, width, layers, projected
        As in :class:`ProjectedNetwork`.
    temperature
        Divides the cosines.
    """

    def __init__(
        self, shape: Shape, *, width: int = 32, layers: int = 1, projected: int = 64, temperature: float = 0.1
    ) -> None:
        super().__init__(shape, width=width, layers=layers, projected=projected)
        self.temperature = temperature

    def loss(self, batch: Batch) -> Tensor:
        """Return the normalised, temperature-scaled cross-entropy in nats."""
        return nt_xent(*self.seen(batch), self.temperature)


class _Critic(nn.Module):
    """Score of a summary of one modality against features of the other: both encoded, then a dot product."""

    def __init__(self, n_summary: int, n_features: int, *, width: int, encoded: int) -> None:
        super().__init__()
        self.summary = tower(n_summary, encoded, width=width, layers=1)
        self.features = tower(n_features, encoded, width=width, layers=1)
        self.shortcut_of_summary = nn.Linear(n_summary, encoded, bias=False)
        self.shortcut_of_features = nn.Linear(n_features, encoded, bias=False)

    def forward(self, summary: Tensor, features: Tensor) -> Tensor:
        """Return the scores (spot of the summary, spot of the features)."""
        first = self.summary(summary) + self.shortcut_of_summary(summary)
        second = self.features(features) + self.shortcut_of_features(features)
        return first @ second.T / first.shape[1] ** 0.5


class DeepInfoMax(AlignedNetwork):
    """Mutual information between a summary of one modality and the features of the other (:cite:t:`hjelm2019infomax`).

    As in the method's paper: the Jensen-Shannon estimate, and its encode-and-dot-product critic with linear shortcuts.
    A reduced embedding has no places, so that the other modality takes the part of the local features. Differs from
    the code of :cite:t:`richter2026beyond`, which scores the two summaries by InfoNCE in one direction; here both
    directions count. The match to a prior, which shapes samples rather than information, is left out.

    Parameters
    ----------
    shape, width, layers
        As in :class:`AlignedNetwork`.
    encoded
        Features in which the critics take their dot product.
    """

    def __init__(self, shape: Shape, *, width: int = 32, layers: int = 1, encoded: int = 32) -> None:
        super().__init__(shape, width=width, layers=layers)
        self.critic1 = _Critic(self.side, shape.d2, width=width, encoded=encoded)
        self.critic2 = _Critic(self.side, shape.d1, width=width, encoded=encoded)

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean over both directions of minus the Jensen-Shannon estimate."""
        z1, z2 = self.project(batch)
        return (jensen_shannon(self.critic1(z1, batch.x2)) + jensen_shannon(self.critic2(z2, batch.x1))) / 2


METHODS = (
    aligned_method("clip", "CLIP", Clip, "radford2021clip", width=512, layers=1),
    aligned_method("simclr", "SimCLR", SimClr, "chen2020simclr", width=512, layers=1, projected=128, temperature=0.07),
    aligned_method("deep_infomax", "Deep InfoMax", DeepInfoMax, "hjelm2019infomax", width=512, layers=1, encoded=256),
)
