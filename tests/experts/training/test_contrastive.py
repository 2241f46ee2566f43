import math

import numpy as np
import pytest
import torch

from beyond_alignment.experts.training.contrastive import contrastive_loss


def slow(first, second, rivals, temperature):
    """The formula, one view after the other."""
    views = [v / np.linalg.norm(v) for v in np.concatenate([first, second])]
    n, costs, right = len(first), [], []
    for i in range(2 * n):
        mates = [k for k in range(2 * n) if rivals[i % n][k % n] or k == (i + n) % (2 * n)]
        scores = {k: math.exp(float(views[i] @ views[k]) / temperature) for k in mates}
        other = (i + n) % (2 * n)
        costs.append(-math.log(scores[other] / sum(scores.values())))
        right.append(max(scores, key=scores.get) == other)
    return np.mean(costs), np.mean(right)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.0])
def test_loss_is_that_of_the_slow_formula(share):
    rng = np.random.default_rng(0)
    rivals = np.triu(rng.random((6, 6)) < share, 1)
    rivals |= rivals.T
    first = rng.normal(size=(6, 5))
    second = first + rng.normal(size=(6, 5))
    loss, top1 = contrastive_loss(
        torch.from_numpy(first), torch.from_numpy(second), torch.from_numpy(rivals), temperature=0.3
    )
    wanted = slow(first, second, rivals, 0.3)
    assert float(loss) == pytest.approx(wanted[0], rel=1e-5)
    assert float(top1) == pytest.approx(wanted[1])


def test_views_that_say_nothing_cost_the_logarithm_of_the_other_views():
    same = torch.ones(8, 3)
    loss, _ = contrastive_loss(same, same, ~torch.eye(8, dtype=torch.bool), temperature=0.1)
    assert float(loss) == pytest.approx(math.log(15))
