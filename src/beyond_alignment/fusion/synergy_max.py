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
the label. Experts that maximise (1) instead leave all synergy to z (``known="union"``). The
representation is (u1, u2, z), of which f, g and h are linear maps: a linear probe can say all that the objective says.

**Targets.** Those are continuous with noise of unit variance: the experts are the additive model f(x1) + g(x2), and z
gets the squared error that it leaves. (1) is trivial there, because a worst partner has no limit.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from beyond_alignment.errors import InputError
from beyond_alignment.fusion.network import Batch, FusionNetwork, Shape, label_loss
from beyond_alignment.fusion.record import FusionMethod

Known = Literal["additive", "union", "nothing"]


def expert_log_likelihood(f: Tensor, g: Tensor, y: Tensor) -> Tensor:
    """Return E[f_Y(X1) + g_Y(X2) - c(X1)] in nats: with H(Y) added, a lower bound of the union information.

    The bound holds for the empirical distribution of these spots, since every pair of them is looked at.

    Parameters
    ----------
    f, g
        Scores of each class by each source (spot, class).
    y
        Class (spot,).
    """
    top1, top2 = f.amax(dim=-1, keepdim=True), g.amax(dim=-1, keepdim=True)
    mass = (f - top1).exp() @ (g - top2).exp().transpose(-1, -2)  # sum over classes, every pair of spots
    worst = (top1 + top2.transpose(-1, -2) + mass.clamp(min=1e-30).log()).amax(dim=-1)
    return (f + g).gather(-1, y.unsqueeze(-1)).squeeze(-1).sub(worst).mean()


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
    known
        What z need not learn: ``additive``, what an additive model of both tells, equation (2); ``union``, what the
        sources tell alone, equation (1), for classes only; ``nothing``, so that z is trained as if there were no
        experts, which are those of ``additive``.

    Raises
    ------
    InputError
        If the representation has fewer than 4 features, or ``known`` is none of the three.
    """

    def __init__(self, shape: Shape, *, width: int = 64, known: Known = "additive") -> None:
        super().__init__(shape)
        if shape.dimension < 4 or known not in ("additive", "union", "nothing"):
            msg = (
                f"{shape.dimension} features, known={known!r}: give 4 features or more, and additive, union or nothing."
            )
            raise InputError(msg)
        part = shape.dimension // 4
        self.known = known
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
        """Return the cost of the experts, less (2) or (1), and that of the joint model, less its log-likelihood."""
        f, g, h = self._scores(batch)
        alone = self._cost_of_experts(f, g, batch.y)
        given = 0.0 if self.known == "nothing" else (f + g).detach()
        return alone + label_loss(given + h, batch.y, self.shape.kind)

    def synergy(self, batch: Batch) -> Tensor:
        """Return the log-likelihood of the joint model less (1), nats, for classes: S if ``known`` is ``union``."""
        f, g, h = self._scores(batch)
        return -label_loss(f + g + h, batch.y, self.shape.kind) - expert_log_likelihood(f, g, batch.y)

    def _parts(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return u1, u2 and z."""
        product = torch.tanh(self.first(batch.x1)) * torch.tanh(self.second(batch.x2))
        return self.expert1(batch.x1), self.expert2(batch.x2), self.pool(product)

    def _scores(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return f, g and h (spot, output)."""
        u1, u2, z = self._parts(batch)
        return self.head1(u1), self.head2(u2), self.head(z)

    def _cost_of_experts(self, f: Tensor, g: Tensor, y: Tensor) -> Tensor:
        """Return what the experts minimise."""
        if self.shape.kind == "classification" and self.known == "union":
            return -expert_log_likelihood(f, g, y)
        return label_loss(f + g, y, self.shape.kind)


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
