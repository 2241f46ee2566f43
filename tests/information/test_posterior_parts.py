"""The pieces of the posterior estimator, each against a closed form or an invariance."""

import numpy as np
import pytest
import torch
from beyond_alignment.information.components import Components
from beyond_alignment.information.cross_fitting import make_folds
from beyond_alignment.information.posterior_tables import blended, count, n_states, quantise
from beyond_alignment.information.posterior_training import Part, TrainingOptions, train
from beyond_alignment.information.stacking import blend
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax

from beyond_alignment.information import broja
from beyond_alignment.information.gates import gate
from beyond_alignment.information.posterior_network import HEADS, PosteriorNetwork
from beyond_alignment.information.samples import check_samples

GATES = ("redundant", "unique1", "copy", "xor", "and", "sum", "noisy_views")


def exact_posteriors(name, n=2000):
    """Return samples whose counts are those of a gate, and the log posteriors that an unlimited learner finds."""
    p = gate(name)
    i, j, y = np.array([cell for cell in np.ndindex(p.shape) for _ in range(round(n * p[cell]))]).T
    assert len(y) == n

    def given(table, *states):
        shares = np.clip(table / table.sum(axis=-1, keepdims=True), 1e-12, 1)
        return np.log(shares)[states]

    first, second = given(p.sum(axis=1), i), given(p.sum(axis=0), j)
    both = np.where(p.sum(axis=2, keepdims=True) > 0, p, 1 / p.shape[2])
    joint = given(both, i, j)
    additive = pairwise_posterior(p)[i, j]
    return np.stack([first, second, additive, joint]), y


def pairwise_posterior(p):
    """Log posterior of the distribution of largest entropy with the pairwise marginals of p, by slow fitting."""
    q = np.full(p.shape, 1 / p.size)
    for _ in range(5000):
        for axis in (2, 1, 0):
            now, wanted = q.sum(axis=axis, keepdims=True), p.sum(axis=axis, keepdims=True)
            q = q * np.divide(wanted, now, out=np.zeros_like(now), where=now > 0)
    return np.log(np.clip(q / np.clip(q.sum(axis=2, keepdims=True), 1e-300, None), 1e-12, 1))


@pytest.mark.parametrize("name", GATES)
def test_exact_posteriors_give_the_exact_decomposition(name):
    logs, y = exact_posteriors(name)
    truth = broja(gate(name))
    found = count(logs, y, np.arange(len(y)), np.zeros((0, len(y)), dtype=int), seed=0)
    union = truth.union_information
    expected = [truth.I1, truth.I2, union, truth.I12, truth.synergy_interaction]
    assert_allclose(found.values[0], expected, atol=2e-3)
    assert 0 <= found.gap < 1e-6


def test_states_of_an_additive_posterior_would_tell_more_than_an_additive_model():
    p = np.zeros((3, 3, 2))
    for i, j in np.ndindex(3, 3):
        p[i, j, int(i + j in (1, 2))] = 1 / 9
    i, j, y = np.array([cell for cell in np.ndindex(p.shape) for _ in range(round(180 * p[cell]))]).T
    joint = np.log(np.clip(p / p.sum(axis=2, keepdims=True), 1e-12, 1))[i, j]
    additive = pairwise_posterior(p)[i, j]
    logs = np.stack([np.zeros((180, 2)) + np.log(np.bincount(y) / 180)] * 2 + [additive, joint])
    found = count(logs, y, np.arange(180), np.zeros((0, 180), dtype=int), seed=0)
    assert_allclose(found.values[0, 4], broja(p).synergy_interaction, atol=1e-3)
    assert found.values[0, 4] > 0.1


def test_replicates_by_unit_equal_replicates_by_sample():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 600)
    logs = log_softmax(rng.standard_normal((4, 600, 3)) + 2 * np.eye(3)[y], axis=2)
    units = np.repeat(np.arange(60), 10)
    weights = rng.multinomial(60, np.full(60, 1 / 60), size=5)
    whole = count(logs, y, units, weights, seed=0)
    single = count(logs, y, np.arange(600), weights[:, units], seed=0)
    assert_allclose(whole.values, single.values, atol=1e-3)


def test_quantised_states_lose_little_and_do_not_see_labels():
    rng = np.random.default_rng(1)
    share = rng.uniform(size=40_000)
    logs = np.log(np.stack([1 - share, share], axis=1))
    state = quantise(logs, n_states(40_000, 2), seed=0)
    means = np.bincount(state, share) / np.bincount(state)
    entropy = -(means * np.log2(means) + (1 - means) * np.log2(1 - means))
    exact = -(share * np.log2(share) + (1 - share) * np.log2(1 - share)).mean()
    assert 0 <= (entropy * np.bincount(state)).sum() / 40_000 - exact < 2e-3


def test_a_blend_undoes_a_wrong_temperature():
    rng = np.random.default_rng(2)
    right = log_softmax(2 * rng.standard_normal((20_000, 3)), axis=1)
    y = (np.exp(right).cumsum(axis=1) < rng.uniform(size=(20_000, 1))).sum(axis=1)
    found = blend([log_softmax(3 * right, axis=1)], y, np.arange(20_000) % 5, start=0)
    assert np.abs(np.exp(found) - np.exp(right)).max() < 0.03


def test_labels_of_a_fold_do_not_reach_its_own_blend():
    rng = np.random.default_rng(3)
    logs = log_softmax(rng.standard_normal((5, 300, 2)), axis=2)
    y, folds = rng.integers(0, 2, 300), np.arange(300) % 3
    changed = np.where(folds == 0, 1 - y, y)
    before, after = blended(logs, y, folds), blended(logs, changed, folds)
    assert_array_equal(before[:, folds == 0], after[:, folds == 0])
    assert not np.allclose(before[:, folds == 1], after[:, folds == 1])


def test_components_are_fitted_on_training_rows_alone():
    rng = np.random.default_rng(4)
    x = rng.standard_normal((300, 20))
    x[:, 3] = 5.0
    rows = np.arange(200)
    other = x.copy()
    other[200:] = 1e3 * rng.standard_normal((100, 20))
    first, second = (Components(8, seed=0).fit(values, rows) for values in (x, other))
    assert_array_equal(first.map_, second.map_)
    found = first.transform(x, rows)
    assert found.shape == (200, 8)
    assert_allclose(np.cov(found.T) - np.diag(np.var(found, axis=0, ddof=1)), 0, atol=1e-4)


def test_fewer_features_than_components_are_padded():
    x = np.random.default_rng(5).standard_normal((100, 3))
    found = Components(32, seed=0).fit(x, np.arange(100)).transform(x, np.arange(100))
    assert found.shape == (100, 32)
    assert not found[:, 3:].any()


@pytest.mark.parametrize("key", ["groups", "blocks"])
def test_folds_keep_units_whole(key):
    rng = np.random.default_rng(6)
    units = rng.integers(0, 12, 400)
    samples = check_samples(
        rng.standard_normal((400, 3)), rng.standard_normal((400, 3)), np.arange(400) % 2, **{key: units}
    )
    folds = make_folds(samples, n_folds=4, seed=0)
    assert all(len(set(folds[units == unit])) == 1 for unit in range(12))
    assert set(folds) == {0, 1, 2, 3}


def pair(seed, n_models=2, n=40, d=5):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(n_models, n, d, generator=g), torch.randn(n_models, n, d, generator=g)


def test_the_additive_head_has_no_interaction_and_the_joint_head_has():
    network = PosteriorNetwork(2, 5, 5, 3, width=16, depth=2, seed=0)
    with torch.no_grad():
        for weights in (network.add_first, network.add_second, network.refine_first, network.interact):
            weights.mul_(50)
    (a, b), (c, d) = pair(0), pair(1)

    def contrast(head, x1, x2):
        logs = network(x1, x2)[HEADS.index(head)]
        return logs[..., 1:] - logs[..., :1]

    def interaction(head):
        return contrast(head, a, b) - contrast(head, c, b) - contrast(head, a, d) + contrast(head, c, d)

    for head in ("additive", "refined"):
        assert interaction(head).abs().max() < 1e-4
    assert interaction("joint").abs().max() > 1e-2


def test_the_refined_head_does_not_train_the_additive_one():
    network = PosteriorNetwork(1, 5, 5, 3, width=16, depth=2, seed=0)
    network(*pair(2, n_models=1))[HEADS.index("refined"), ..., 0].sum().backward()
    moved = {name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None and p.grad.abs().sum()}
    assert moved == {"more_first", "more_second", "refine_first", "refine_second", "biases"}


def test_the_joint_head_does_not_train_the_additive_one():
    network = PosteriorNetwork(1, 5, 5, 3, width=16, depth=2, seed=0)
    network(*pair(2, n_models=1))[HEADS.index("joint"), ..., 0].sum().backward()
    moved = {name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None and p.grad.abs().sum()}
    assert moved == {"both", "interact", "biases"}


def test_the_loss_reaches_every_parameter():
    network = PosteriorNetwork(2, 5, 5, 3, width=16, depth=2, seed=0)
    network(*pair(3))[..., 0].sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_training_repeats_and_learns_xor_in_the_joint_head_alone():
    rng = np.random.default_rng(7)
    bits = rng.integers(0, 2, (2, 3, 600))
    x1, x2 = (2.0 * b[..., None] - 1 + 0.1 * rng.standard_normal((3, 600, 4)) for b in bits)
    parts = [torch.from_numpy(v.astype(np.float32)) for v in (x1, x2)]
    y = torch.from_numpy(bits[0] ^ bits[1])
    training, held = (Part(parts[0][:, s], parts[1][:, s], y[:, s]) for s in (slice(0, 400), slice(400, 600)))
    found = [
        train(training, held, 2, options=TrainingOptions(epochs=20), seed=1)(2, held.x1[2], held.x2[2])
        for _ in range(2)
    ]
    assert torch.equal(found[0], found[1])
    right = (found[0].argmax(dim=2) == held.y[2]).float().mean(dim=1)
    assert right[HEADS.index("joint")] > 0.98
    assert right[: HEADS.index("joint")].max() < 0.7
