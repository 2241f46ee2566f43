"""What the aligned networks are made of: a tower and a training head for each modality."""

from torch import Tensor, cat, nn, ones, zeros

from beyond_alignment.errors import InputError
from beyond_alignment.fusion.aligning.objectives import standardise, unit
from beyond_alignment.fusion.network import Batch, FusionNetwork, Shape


class BatchStandardisation(nn.Module):
    """Batch normalisation without a memory: each feature is centred and scaled over the spots of the batch alone.

    For training heads, which no prediction goes through.

    Parameters
    ----------
    n_features
        Features that it learns a scale and an offset for.
    """

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(ones(n_features))
        self.bias = nn.Parameter(zeros(n_features))

    def forward(self, z: Tensor) -> Tensor:
        """Return the standardised features (spot, feature)."""
        return standardise(z) * self.weight + self.bias


def tower(n_inputs: int, n_outputs: int, *, width: int, layers: int) -> nn.Sequential:
    """Return the network of one modality: hidden layers with layer normalisation and GELU, then a linear map.

    The map has no offset: most objectives, and the common probe, would not see it.

    Parameters
    ----------
    n_inputs, n_outputs
        Features of the reduced embedding and of its projection.
    width
        Units of a hidden layer.
    layers
        Number of hidden layers; with 0 the projection is linear.
    """
    modules: list[nn.Module] = []
    for _ in range(layers):
        modules += [nn.Linear(n_inputs, width), nn.LayerNorm(width), nn.GELU()]
        n_inputs = width
    return nn.Sequential(*modules, nn.Linear(n_inputs, n_outputs, bias=False))


def training_head(n_inputs: int, n_outputs: int, *, width: int, offset: bool = True) -> nn.Sequential:
    """Return a projector or a predictor: one hidden layer, standardised over the batch, that training alone uses.

    Parameters
    ----------
    n_inputs, n_outputs
        Features that it takes and gives.
    width
        Units of the hidden layer.
    offset
        Whether what it gives has a learned offset; without where the objective would not see it.
    """
    hidden = nn.Linear(n_inputs, width, bias=False)
    return nn.Sequential(hidden, BatchStandardisation(width), nn.ReLU(), nn.Linear(width, n_outputs, bias=offset))


class AlignedNetwork(FusionNetwork):
    """Two towers, one a modality, represented by their two projections side by side.

    Parameters
    ----------
    shape
        Sizes; half of ``dimension`` belongs to each modality.
    width
        Units of every hidden layer.
    layers
        Hidden layers of each tower; with 0 both projections are linear.

    Attributes
    ----------
    side
        Features of one modality's projection.

    Raises
    ------
    InputError
        If ``dimension`` is odd.
    """

    def __init__(self, shape: Shape, *, width: int = 32, layers: int = 1) -> None:
        super().__init__(shape)
        if shape.dimension % 2:
            msg = f"A representation of {shape.dimension} features has no two equal halves: pass an even dimension."
            raise InputError(msg)
        self.side = shape.dimension // 2
        self.tower1 = tower(shape.d1, self.side, width=width, layers=layers)
        self.tower2 = tower(shape.d2, self.side, width=width, layers=layers)

    def project(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the projection of each modality (spot, feature)."""
        return self.tower1(batch.x1), self.tower2(batch.x2)

    def forward(self, batch: Batch) -> Tensor:
        """Return both projections side by side (spot, feature)."""
        return cat(self.project(batch), dim=1)


class CosineNetwork(AlignedNetwork):
    """An aligned network whose objective sees directions alone: each projection is scaled to unit mean square."""

    def forward(self, batch: Batch) -> Tensor:
        """Return both projections side by side (spot, feature), each of length sqrt(feature)."""
        return cat([self.side**0.5 * unit(z) for z in self.project(batch)], dim=1)


class ProjectedNetwork(AlignedNetwork):
    """An aligned network that its objective sees through two projectors, which are dropped after training.

    Parameters
    ----------
    shape, width, layers
        As in :class:`AlignedNetwork`.
    projected
        Features that the projectors give.
    offset
        Whether what they give has a learned offset; without where the objective would not see it.
    """

    def __init__(
        self, shape: Shape, *, width: int = 32, layers: int = 1, projected: int = 64, offset: bool = True
    ) -> None:
        super().__init__(shape, width=width, layers=layers)
        self.projector1 = training_head(self.side, projected, width=width, offset=offset)
        self.projector2 = training_head(self.side, projected, width=width, offset=offset)

    def seen(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return what the objective sees of each modality (spot, projected feature)."""
        z1, z2 = self.project(batch)
        return self.projector1(z1), self.projector2(z2)
