"""The contrastive loss of SimCLR (Chen et al. 2020), with chosen negatives."""

from torch import Tensor, arange, cat
from torch.nn import functional


def contrastive_loss(first: Tensor, second: Tensor, rivals: Tensor, *, temperature: float) -> tuple[Tensor, Tensor]:
    """Tell the other view of an image from the views of its rivals (InfoNCE, NT-Xent).

    For views z of norm 1: -log exp(z_i.z_j / t) / sum_k exp(z_i.z_k / t), j the other view of the same image and k
    over j and both views of each rival, averaged over i.

    Parameters
    ----------
    first, second
        Projections (image, feature) of the two views, of any norm.
    rivals
        Whether the second image is a negative of the first (image, image); an image is none of its own.
    temperature
        t.

    Returns
    -------
    tuple
        The loss in nats, and the share of views that are nearer to the other view of their image than to any rival,
        both without axes.
    """
    n = len(first)
    views = functional.normalize(cat([first, second]).float(), dim=1)
    index = arange(2 * n, device=views.device)
    other = (index + n) % (2 * n)
    allowed = rivals.repeat(2, 2) | (index[None, :] == other[:, None])
    similarity = (views @ views.T / temperature).masked_fill(~allowed, float("-inf"))
    return functional.cross_entropy(similarity, other), (similarity.argmax(dim=1) == other).float().mean()
