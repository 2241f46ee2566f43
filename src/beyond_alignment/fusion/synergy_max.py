r"""``synergy_max``: an objective of this project that spends its capacity on what neither modality tells alone.

**What the experts know.** Synergy is what both sources tell beyond the union information, S = I(X1, X2; Y) - I_u, of
which I_u is the least that any joint distribution with the same p(x1, y) and p(x2, y) tells (Bertschinger et al.,
2014). By the dual of that convex problem

    I_u = H(Y) + max_{f, g} E[f_Y(X1) + g_Y(X2)]   such that   sum_y exp(f_y(x1) + g_y(x2)) <= 1 for all x1, x2:

the best log-likelihood of a product of one expert a source that is a probability, or less than one, for *every* pair,
whether or not it occurs. Any f and g are made feasible by the worst partner of each x1,
c(x1) = max_{x2} log sum_y exp(f_y(x1) + g_y(x2)):

    I_u >= H(Y) + E[f_Y(X1) + g_Y(X2) - c(X1)].                                                                  (1)

Normalised by the partner that a spot has, A(x1, x2) = log sum_y exp(f_y(x1) + g_y(x2)), the same product is an additive
model, whose best log-likelihood is the union information and the additive part of the synergy:

    I_u + S_additive = H(Y) + max_{f, g} E[f_Y(X1) + g_Y(X2) - A(X1, X2)].                                       (2)

**What is left for the product.** For p(y | x1, x2) ~ exp(f_y(x1) + g_y(x2) + h_y(z)), z a function of both sources,
Gibbs' inequality gives I(X1, X2; Y) >= H(Y) + E log p(Y | X1, X2). So z is rewarded with

    E[ log p(Y | X1, X2) - (f_Y(X1) + g_Y(X2) - A(X1, X2)) ],                                                    (3)

the experts being constants in it: with experts at the maximum of (2) its largest value is the interaction synergy.
The gradient that h gets from a spot is the class less p(y | x1, x2), to which the experts belong: none where they know
the label. Experts that maximise (1) instead would leave all synergy to z. The representation is (u1, u2, z), of which
f, g and h are linear maps: a linear probe can say all that the objective says.

**Targets.** Those are continuous with noise of unit variance: the experts are the additive model f(x1) + g(x2), and z
gets the squared error that it leaves.
"""

import torch
from torch import Tensor, nn

from beyond_alignment.errors import InputError
from beyond_alignment.fusion.network import Batch, FusionNetwork, Shape, label_loss
from beyond_alignment.fusion.record import FusionMethod


class SynergyMax(FusionNetwork):
    """One expert a modality, trained on what they tell without interacting, and a product of both trained on the rest.

    u1 and u2, a quarter of the representation each, are networks of one modality; z is
    P (tanh(U x1 + u) * tanh(V x2 + v)).

    Parameters
    ----------
    shape
        Sizes; at least 4 features of the representation.
    width
        Hidden units of each expert, and products behind z.

    Raises
    ------
    InputError
        If the representation has fewer than 4 features.
    """

    def __init__(self, shape: Shape, *, width: int = 64) -> None:
        super().__init__(shape)
        if shape.dimension < 4:
            raise InputError(f"The representation has {shape.dimension} features: give 4 or more.")
        part = shape.dimension // 4
        self.expert1, self.expert2 = (
            nn.Sequential(nn.Linear(d, width), nn.GELU(), nn.Linear(width, part)) for d in (shape.d1, shape.d2)
        )
        self.first = nn.Linear(shape.d1, width)
        self.second = nn.Linear(shape.d2, width)
        self.pool = nn.Linear(width, shape.dimension - 2 * part)
        self.head1 = nn.Linear(part, shape.n_outputs)
        self.head2 = nn.Linear(part, shape.n_outputs, bias=False)
        self.head = nn.Linear(shape.dimension - 2 * part, shape.n_outputs, bias=False)

    def forward(self, batch: Batch) -> Tensor:
        """Return the representation (spot, feature): both experts' features and what the product adds."""
        return torch.cat(self._parts(batch), dim=-1)

    def loss(self, batch: Batch) -> Tensor:
        """Return the cost of the experts, less (2), and that of the joint model, less its log-likelihood."""
        f, g, h = self._scores(batch)
        alone = label_loss(f + g, batch.y, self.shape.kind)
        return alone + label_loss((f + g).detach() + h, batch.y, self.shape.kind)

    def _parts(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return u1, u2 and z."""
        product = torch.tanh(self.first(batch.x1)) * torch.tanh(self.second(batch.x2))
        return self.expert1(batch.x1), self.expert2(batch.x2), self.pool(product)

    def _scores(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return f, g and h (spot, output)."""
        u1, u2, z = self._parts(batch)
        return self.head1(u1), self.head2(u2), self.head(z)


METHODS = (
    FusionMethod(
        "synergy_max",
        "synergy_max (ours)",
        "own",
        "R + U1 + U2 + S",
        network=SynergyMax,
        trained_on="labels",
        citation=("bertschinger2014quantifying",),
    ),
)
