"""The networks of the posterior estimator: what each head can learn, and what trains it."""

import numpy as np
import pytest
import torch

from beyond_alignment.errors import InputError
from beyond_alignment.information.posterior_network import HEADS, Part, PosteriorNetwork, train

JOINT = HEADS.index("joint")


def pair(seed, n_models=2, n=40, d=5):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(n_models, n, d, generator=g), torch.randn(n_models, n, d, generator=g)


def test_the_additive_heads_have_no_interaction_and_the_joint_head_has():
    network = PosteriorNetwork(2, 5, 3, seed=0)
    with torch.no_grad():
        network.out.mul_(50)
    (a, b), (c, d) = pair(0), pair(1)

    def contrast(head, x1, x2):
        logs = network(x1, x2)[HEADS.index(head)]
        return logs[..., 1:] - logs[..., :1]

    def interaction(head):
        return contrast(head, a, b) - contrast(head, c, b) - contrast(head, a, d) + contrast(head, c, d)

    for head in ("first", "second", "additive", "refined"):
        assert interaction(head).abs().max() < 1e-4
    assert interaction("joint").abs().max() > 1e-2


def test_a_single_head_sees_its_own_source_alone():
    network = PosteriorNetwork(2, 5, 3, seed=0)
    (a, b), (c, d) = pair(0), pair(1)
    for head, other in ((0, (a, d)), (1, (c, b))):
        torch.testing.assert_close(network(a, b)[head], network(*other)[head])
        assert not torch.allclose(network(a, b)[head], network(c, d)[head])


def moved_by(head):
    """Parameters and the places on their first axis that the loss of a head moves."""
    network = PosteriorNetwork(1, 5, 3, seed=0)
    network(*pair(2, n_models=1))[HEADS.index(head), ..., 0].sum().backward()
    moved = {}
    for name, p in network.named_parameters():
        if p.grad is not None and (places := torch.nonzero(p.grad.abs().flatten(1).sum(dim=1)).flatten().tolist()):
            moved.setdefault(name.split(".")[0], set()).update(places)
    return moved


def test_heads_that_add_to_the_additive_one_do_not_train_it():
    additive, refined, joint = (moved_by(head) for head in ("additive", "refined", "joint"))
    assert set(refined) == {"single", "out", "biases"}
    assert set(joint) == {"both", "out", "biases"}
    for name, places in additive.items():
        assert not places & refined.get(name, set())
        assert not places & joint.get(name, set())


def test_the_loss_reaches_every_parameter():
    network = PosteriorNetwork(2, 5, 3, seed=0)
    network(*pair(3))[..., 0].sum().backward()
    assert all(p.grad is not None and p.grad.abs().flatten(1).sum(dim=1).all() for p in network.parameters())


def parts(x1, x2, y, log_shares, n_fitted):
    """Training and validation samples of arrays (model, sample, ...)."""
    arrays = [torch.from_numpy(np.asarray(v)) for v in (x1, x2, y, log_shares)]
    return (Part(*(a[:, s] for a in arrays)) for s in (slice(0, n_fitted), slice(n_fitted, None)))


def test_training_repeats_and_learns_xor_in_the_joint_head_alone():
    rng = np.random.default_rng(7)
    bits = rng.integers(0, 2, (2, 3, 600))
    x1, x2 = ((2.0 * b[..., None] - 1 + 0.1 * rng.standard_normal((3, 600, 4))).astype(np.float32) for b in bits)
    even = np.full((3, 600, 2), np.log(0.5), dtype=np.float32)
    training, held = parts(x1, x2, bits[0] ^ bits[1], even, 400)
    found = [train(training, held, seed=1)(2, held.x1[2], held.x2[2]) for _ in range(2)]
    assert torch.equal(found[0], found[1])
    right = (found[0].argmax(dim=2) == held.y[2]).float().mean(dim=1)
    assert right[JOINT] > 0.98
    assert right[:JOINT].max() < 0.7


def test_what_names_the_group_is_worth_nothing():
    rng = np.random.default_rng(8)
    group = rng.integers(0, 2, (1, 2000))
    shares = np.array([[0.9, 0.1], [0.1, 0.9]], dtype=np.float32)[group]
    y = (rng.random((1, 2000)) < shares[..., 1]).astype(np.int64)
    x = (2.0 * group[..., None] - 1 + 0.1 * rng.standard_normal((1, 2000, 2))).astype(np.float32)
    even = np.full_like(shares, 0.5)
    for given, least, most in ((shares, 0.0, 0.8), (even, 1.8, 2.6)):
        training, held = parts(x, x, y, np.log(given), 1500)
        logits = train(training, held, seed=0)(0, held.x1[0], held.x2[0])
        gap = (logits[..., 1] - logits[..., 0]).abs().mean(dim=1)
        assert least <= gap.min()
        assert gap.max() <= most


def test_a_loss_that_is_not_finite_is_one_sentence():
    rng = np.random.default_rng(9)
    x = rng.standard_normal((1, 100, 2)).astype(np.float32)
    x[0, 90] = 3e38
    training, held = parts(x, x, rng.integers(0, 2, (1, 100)), np.full((1, 100, 2), np.log(0.5), dtype=np.float32), 80)
    with pytest.raises(InputError, match="diverged"):
        train(training, held, seed=0)
