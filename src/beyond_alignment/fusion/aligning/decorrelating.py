"""Alignment by second moments: features that agree across modalities and differ among each other."""

from torch import Tensor

from beyond_alignment.fusion.aligning.objectives import barlow_twins, trace_norm, vicreg
from beyond_alignment.fusion.aligning.record import aligned_method
from beyond_alignment.fusion.aligning.towers import AlignedNetwork, ProjectedNetwork
from beyond_alignment.fusion.network import Batch, Shape


class DeepCca(AlignedNetwork):
    """Towers whose projections have the largest canonical correlations (:cite:t:`andrew2013dcca`).

    The batch must hold clearly more spots than one modality has features (32 at the common size), or every correlation
    of the batch is 1. Differs from the code of :cite:t:`richter2026beyond`, whose batches hold 32 spots for 256
    features.

    Parameters
    ----------
    shape
        Sizes.
    width
        Units of every hidden layer.
    layers
        Hidden layers of each tower; with 0 the optimum is canonical correlation analysis.
    ridge
        Added to the diagonal of each covariance, relative to its mean variance.
    """

    def __init__(self, shape: Shape, *, width: int = 32, layers: int = 1, ridge: float = 1e-3) -> None:
        super().__init__(shape, width=width, layers=layers)
        self.ridge = ridge

    def loss(self, batch: Batch) -> Tensor:
        """Return minus the mean canonical correlation of the batch: -1 to 0."""
        return trace_norm(*self.project(batch), self.ridge) / self.side


class BarlowTwins(ProjectedNetwork):
    """Projections whose cross-correlation matrix is the identity (:cite:t:`zbontar2021barlow`).

    Parameters
    ----------
    shape, width, layers, projected
        As in :class:`ProjectedNetwork`.
    redundancy
        Weight of the squared correlations beside the diagonal.
    """

    def __init__(
        self, shape: Shape, *, width: int = 32, layers: int = 1, projected: int = 64, redundancy: float = 0.005
    ) -> None:
        super().__init__(shape, width=width, layers=layers, projected=projected, offset=False)
        self.redundancy = redundancy

    def loss(self, batch: Batch) -> Tensor:
        """Return the distance of the cross-correlation matrix from the identity."""
        return barlow_twins(*self.seen(batch), self.redundancy)


class VicReg(ProjectedNetwork):
    """Projections that agree, vary, and have uncorrelated features (:cite:t:`bardes2022vicreg`).

    What the method's paper calls expanders are the projectors.

    Parameters
    ----------
    shape, width, layers, projected
        As in :class:`ProjectedNetwork`.
    invariance, variance, covariance
        Weights of the three terms.
    """

    def __init__(
        self,
        shape: Shape,
        *,
        width: int = 32,
        layers: int = 1,
        projected: int = 64,
        invariance: float = 25.0,
        variance: float = 25.0,
        covariance: float = 1.0,
    ) -> None:
        super().__init__(shape, width=width, layers=layers, projected=projected)
        self.weights = (invariance, variance, covariance)

    def loss(self, batch: Batch) -> Tensor:
        """Return the weighted sum of the three terms."""
        return vicreg(*self.seen(batch), *self.weights)


METHODS = (
    aligned_method("deep_cca", "deep CCA", DeepCca, "andrew2013dcca", width=1024, layers=2),
    aligned_method(
        "barlow_twins", "Barlow Twins", BarlowTwins, "zbontar2021barlow", width=512, layers=1, projected=256
    ),
    aligned_method("vicreg", "VICReg", VicReg, "bardes2022vicreg", width=512, layers=1, projected=256),
)
