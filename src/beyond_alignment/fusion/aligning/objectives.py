"""Objectives of the methods that are trained on pairs: what two views of the same spots should have in common.

All are pure functions of their inputs (no branch on a value, no boolean index, no in-place change), so that
:func:`torch.func.vmap` runs them for many networks at once, and do not depend on the order of the spots. The
contrastive ones are 0, with gradient 0, for a single spot, which has no other to be told from.
"""

import torch
from torch import Tensor
from torch.nn import functional

EPSILON = 1e-8
BATCH_EPSILON = 1e-5


def unit(z: Tensor) -> Tensor:
    """Scale each row of (spot, feature) to length 1; a row of zeros stays zero, with a finite gradient."""
    return z * torch.rsqrt((z * z).sum(dim=-1, keepdim=True) + EPSILON)


def standardise(z: Tensor) -> Tensor:
    """Centre and scale each feature over the spots (spot, feature), as batch normalisation does in training."""
    centred = z - z.mean(dim=0)
    return centred * torch.rsqrt((centred * centred).mean(dim=0) + BATCH_EPSILON)


def info_nce(z1: Tensor, z2: Tensor, scale: Tensor | float) -> Tensor:
    """Return the symmetric InfoNCE objective between two views, in nats.

    The mean of two cross-entropies: which second view belongs to a first one, and which first to a second.

    Parameters
    ----------
    z1, z2
        Views (spot, feature), compared by their cosine.
    scale
        Inverse temperature that multiplies the cosines.

    Notes
    -----
    :cite:t:`oord2018cpc`; as in :cite:t:`radford2021clip`. log n minus it bounds the mutual information from below.
    """
    logits = scale * unit(z1) @ unit(z2).T  # (spot of the first view, spot of the second)
    forth, back = torch.log_softmax(logits, dim=1), torch.log_softmax(logits, dim=0)
    return -0.5 * (torch.diagonal(forth).mean() + torch.diagonal(back).mean())


def nt_xent(z1: Tensor, z2: Tensor, temperature: float) -> Tensor:
    """Return the normalised, temperature-scaled cross-entropy between two views, in nats.

    As :func:`info_nce`, but each view is also told from the other spots of its own kind of view.

    Parameters
    ----------
    z1, z2
        Views (spot, feature), compared by their cosine.
    temperature
        Divides the cosines.

    Notes
    -----
    :cite:t:`chen2020simclr`.
    """
    n = len(z1)
    z = unit(torch.cat([z1, z2]))  # (2 spots, feature)
    itself = torch.eye(2 * n, dtype=torch.bool, device=z.device)
    given = torch.log_softmax((z @ z.T / temperature).masked_fill(itself, -torch.inf), dim=1)
    return -0.5 * (torch.diagonal(given, offset=n).mean() + torch.diagonal(given, offset=-n).mean())


def jensen_shannon(scores: Tensor) -> Tensor:
    """Return minus the Jensen-Shannon estimate of the mutual information that a critic's scores give.

    Parameters
    ----------
    scores
        T (spot of the first view, spot of the second); the diagonal holds the pairs that belong together.

    Notes
    -----
    E[softplus(-T)] over the pairs plus E[softplus(T)] over the others: equation 4 of :cite:t:`hjelm2019infomax`.
    2 log 2 for a critic that knows nothing. 0 for one spot.
    """
    n = len(scores)
    if n == 1:
        return 0 * scores.sum()
    others = functional.softplus(scores).sum() - functional.softplus(torch.diagonal(scores)).sum()
    return functional.softplus(-torch.diagonal(scores)).mean() + others / (n * (n - 1))


def negative_cosine(prediction: Tensor, target: Tensor) -> Tensor:
    """Return minus the mean cosine between predictions and targets (spot, feature); no gradient to the targets.

    Half the squared distance of the unit vectors is 1 more than it (:cite:t:`grill2020byol`,
    :cite:t:`chen2021simsiam`).
    """
    return -(unit(prediction) * unit(target.detach())).sum(dim=-1).mean()


def _off_diagonal_squares(matrix: Tensor) -> Tensor:
    """Sum of the squares beside the diagonal of (feature, feature)."""
    return (matrix * matrix).sum() - (torch.diagonal(matrix) ** 2).sum()


def barlow_twins(z1: Tensor, z2: Tensor, redundancy: float = 0.005) -> Tensor:
    """Return the distance of the views' cross-correlation matrix from the identity.

    Parameters
    ----------
    z1, z2
        Views (spot, feature), standardised over the spots.
    redundancy
        Weight of the squares beside the diagonal.

    Notes
    -----
    :cite:t:`zbontar2021barlow`. For one spot, or views that are constant, it is the number of features.
    """
    correlation = standardise(z1).T @ standardise(z2) / len(z1)  # (feature, feature)
    return ((1 - torch.diagonal(correlation)) ** 2).sum() + redundancy * _off_diagonal_squares(correlation)


def vicreg(z1: Tensor, z2: Tensor, invariance: float = 25.0, variance: float = 25.0, covariance: float = 1.0) -> Tensor:
    """Return the weighted sum of the views' distance, their lack of spread and the covariance of their features.

    Parameters
    ----------
    z1, z2
        Views (spot, feature).
    invariance, variance, covariance
        Weights of the mean squared distance, of the mean of max(0, 1 - standard deviation), and of the squared
        covariances beside the diagonal.

    Notes
    -----
    :cite:t:`bardes2022vicreg`; the variance term is the mean of both views, as in the code that its numbers come from
    (in its text it is their sum). A single spot has no variance and no covariance.
    """
    total = invariance * functional.mse_loss(z1, z2)
    for z in (z1, z2):
        centred = z - z.mean(dim=0)
        covariances = centred.T @ centred / max(len(z) - 1, 1)
        spread = torch.sqrt(torch.diagonal(covariances) + 1e-4)
        total = total + variance / 2 * torch.relu(1 - spread).mean()
        total = total + covariance * _off_diagonal_squares(covariances) / z.shape[1]
    return total


def trace_norm(z1: Tensor, z2: Tensor, ridge: float = 1e-3) -> Tensor:
    """Return minus the sum of the canonical correlations between two views.

    Parameters
    ----------
    z1, z2
        Views (spot, feature).
    ridge
        Added to the diagonal of each covariance, relative to its mean variance: the scale of a view does not matter.

    Notes
    -----
    The trace norm of S1^-1/2 S12 S2^-1/2 (:cite:t:`andrew2013dcca`). Cholesky factors stand for the square roots:
    the singular values are the same, and their gradient stays finite where eigenvalues coincide. A view that is not
    finite gives NaN rather than an error, which would stop every network that is trained beside it.
    """
    centred = [z - z.mean(dim=0) for z in (z1, z2)]
    whitened = []
    for x in centred:
        covariance = x.T @ x / len(x)
        floor = ridge * torch.diagonal(covariance).mean() + EPSILON
        ridged = covariance + floor * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
        factor, _ = torch.linalg.cholesky_ex(ridged)
        whitened.append(torch.linalg.solve_triangular(factor, x.T, upper=False))  # (feature, spot)
    correlations = whitened[0] @ whitened[1].T / len(z1)
    finite = torch.isfinite(correlations).all()
    singular = torch.linalg.svdvals(torch.where(finite, correlations, torch.zeros_like(correlations)))
    return torch.where(finite, -singular.sum(), torch.nan)
