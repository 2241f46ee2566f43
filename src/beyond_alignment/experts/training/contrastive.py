"""The contrastive loss of SimCLR (Chen et al. 2020), with negatives from the same group only."""

from torch import Tensor, arange, cat
from torch.nn import functional


def contrastive_loss(first: Tensor, second: Tensor, groups: Tensor, *, temperature: float) -> tuple[Tensor, Tensor]:
    """Tell the other view of an image from all views of its group (InfoNCE, NT-Xent).

    For views z of 2n: -log exp(z_i.z_j / t) / sum_k exp(z_i.z_k / t), k over the other views of i's group and j the
    other view of the same image, averaged over i; z has norm 1.

    Parameters
    ----------
    first, second
        Projections (image, feature) of the two views, of any norm.
    groups
        Group of each image (image,).
    temperature
        t.

    Returns
    -------
    tuple
        The loss in nats, and the share of views whose nearest view is that of the same image, both without axes.
    """
    n = len(first)
    views = functional.normalize(cat([first, second]).float(), dim=1)
    group = cat([groups, groups])
    index = arange(2 * n, device=views.device)
    similarity = views @ views.T / temperature
    barred = (group[:, None] != group[None, :]) | (index[:, None] == index[None, :])
    similarity = similarity.masked_fill(barred, float("-inf"))
    other = (index + n) % (2 * n)
    return functional.cross_entropy(similarity, other), (similarity.argmax(dim=1) == other).float().mean()
