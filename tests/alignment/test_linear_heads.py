"""Each objective is what book/alignment.md says it is: its theorems on samples whose moments are exact."""

import numpy as np
import pytest
import torch

from beyond_alignment.alignment.linear_heads import (
    InnerProductNce,
    LinearBarlowTwins,
    LinearVicReg,
    Regression,
    SecondOrderNce,
)
from beyond_alignment.alignment.linear_methods import LINEAR_METHODS
from beyond_alignment.fusion.batches import SpotSet
from beyond_alignment.fusion.network import Shape

SIGMA = np.array([0.9, 0.8, 0.5])
TRAINED = [name for name, method in LINEAR_METHODS.items() if method.network]


def whitened(n, *, sigma=SIGMA, spare=1, seed=0):
    """Views whose sample covariances are exactly the identity and whose cross-covariance is exactly diag(sigma)."""
    d = len(sigma) + spare
    z = np.random.default_rng(seed).standard_normal((n, 2 * d))
    z = np.linalg.qr(z - z.mean(axis=0))[0] * np.sqrt(n)
    rho = np.concatenate([sigma, np.zeros(spare)])
    return z[:, :d], rho * z[:, :d] + np.sqrt(1 - rho**2) * z[:, d:], np.diag(rho)


def batch(x1, x2):
    first, second = (torch.from_numpy(np.ascontiguousarray(x)).float() for x in (x1, x2))
    spots = SpotSet(first, second, torch.zeros(len(first)), torch.zeros(len(first), 0, dtype=torch.int64))
    return spots.batch(torch.arange(len(first)))


def heads(network, a, b, **options):
    """Untrained heads with the given maps (feature, component)."""
    built = network(Shape(len(a), len(b), 1, "classification", 2 * a.shape[1]), **options)
    for tower, weights in ((built.tower1, a), (built.tower2, b)):
        next(iter(tower.parameters())).data = torch.from_numpy(np.ascontiguousarray(weights.T)).float()
    return built


def loss(network, a, b, sample, **options):
    with torch.no_grad():
        return float(heads(network, a, b, **options).loss(batch(*sample[:2])))


@pytest.mark.parametrize("seed", [0, 1])
def test_second_order_is_the_squared_distance_from_the_cross_covariance(seed):
    sample = whitened(2500)
    a, b = 0.5 * np.random.default_rng(seed).standard_normal((2, 4, 2))
    m, k = a @ b.T, sample[2]
    expected = ((m - k) ** 2).sum() / 2 - (k**2).sum() / 2
    assert loss(SecondOrderNce, a, b, sample) == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_least_second_order_is_minus_half_the_ceiling_of_k_directions(k):
    sample = whitened(2500)
    best = np.eye(4)[:, :k] * np.sqrt(SIGMA[:k])
    least = loss(SecondOrderNce, best, best, sample)
    assert least == pytest.approx(-(SIGMA[:k] ** 2).sum() / 2, abs=2e-3)
    rng = np.random.default_rng(0)
    for size in (0.03, 0.3):
        a, b = best + size * rng.standard_normal((2, 4, k))
        assert loss(SecondOrderNce, a, b, sample) > least


def test_for_gaussian_strangers_info_nce_is_its_second_order_and_for_bits_it_is_not():
    sample = whitened(2500)
    for a, b in 0.3 * np.random.default_rng(3).standard_normal((3, 2, 4, 2)):
        second = loss(SecondOrderNce, a, b, sample)
        assert loss(InnerProductNce, a, b, sample) - np.log(2500) == pytest.approx(second, abs=0.01)
    bits = np.random.default_rng(0).choice([-1.0, 1.0], (2500, 1))
    one, large = (bits, bits, None), np.full((1, 1), np.sqrt(2.0))  # log cosh 2, not 2^2 / 2, over strangers
    assert loss(SecondOrderNce, large, large, one) == pytest.approx(-2 + 2, abs=0.01)
    nce = loss(InnerProductNce, large, large, one) - np.log(2500)
    assert nce == pytest.approx(-2 + np.log(np.cosh(2)), abs=0.05)


def test_regression_on_canonical_heads_leaves_what_reduced_rank_regression_leaves():
    sample, k = whitened(2000), 2
    x1, x2, cross = sample

    def best_loss(a, b):
        network = heads(Regression, a, b)
        for decoder, z, target in ((network.decoder1, x1 @ a, x2), (network.decoder2, x2 @ b, x1)):
            decoder.weight.data = torch.from_numpy(np.linalg.lstsq(z, target)[0].T.copy()).float()
            decoder.bias.data.zero_()
        with torch.no_grad():
            return float(network.loss(batch(x1, x2)))

    canonical = np.eye(4)[:, :k]
    least = 1 - (SIGMA[:k] ** 2).sum() / 4
    assert best_loss(canonical, canonical) == pytest.approx(least, abs=1e-5)
    rng = np.random.default_rng(0)
    for a, b in rng.standard_normal((5, 2, 4, k)):
        (q, _), (p, _) = np.linalg.qr(a), np.linalg.qr(b)
        explained = ((q.T @ cross) ** 2).sum() + ((p.T @ cross) ** 2).sum()
        assert best_loss(a, b) == pytest.approx(1 - explained / 8, abs=1e-5)
        assert best_loss(a, b) > least


PAIR, DOUBLE = np.eye(4)[:, :2], np.eye(4)[:, [0, 0]]


@pytest.mark.parametrize(("weight", "double_wins"), [(0.005, True), (1.0, False)])
def test_the_weight_of_barlow_twins_decides_whether_a_double_is_cheaper(weight, double_wins):
    sample, (s1, s2) = whitened(2000), SIGMA[:2]
    double = loss(LinearBarlowTwins, DOUBLE, DOUBLE, sample, redundancy=weight)
    pair = loss(LinearBarlowTwins, PAIR, PAIR, sample, redundancy=weight)
    assert double == pytest.approx(2 * (1 - s1) ** 2 + 2 * weight * s1**2, abs=1e-4)
    assert pair == pytest.approx((1 - s1) ** 2 + (1 - s2) ** 2, abs=1e-4)
    assert (double < pair) == double_wins


@pytest.mark.parametrize(("weight", "double_wins"), [(1.0, True), (25.0, False)])
def test_the_weight_of_vicreg_decides_whether_a_double_is_cheaper(weight, double_wins):
    sample, (s1, s2), k = whitened(2000), SIGMA[:2], 2
    double = loss(LinearVicReg, DOUBLE, DOUBLE, sample, covariance=weight)
    pair = loss(LinearVicReg, PAIR, PAIR, sample, covariance=weight)
    assert double - pair == pytest.approx(-50 * (s1 - s2) / k + 4 * weight / k, abs=0.02 * weight)
    assert (double < pair) == double_wins


def test_published_vicreg_tilts_two_heads_where_correlations_are_close():
    sample, s1, s2 = whitened(2000), *SIGMA[:2]
    tilt = np.arcsin(np.sqrt((1 - 100 * (s1 - s2) / 16) / 2))  # neither a double nor the pair: least of all tilts
    tilted = np.zeros((4, 2))
    tilted[:2] = [[np.cos(tilt)] * 2, [np.sin(tilt), -np.sin(tilt)]]
    pair, double, least = (loss(LinearVicReg, w, w, sample) for w in (PAIR, DOUBLE, tilted))
    assert least < double < pair
    assert least == pytest.approx(6.71875, abs=0.03)


def test_vicreg_lets_the_spread_of_a_weak_direction_go():
    sample = whitened(2000, sigma=np.array([0.6]))
    one, spread = np.eye(2)[:, :1], 1 / (4 * (1 - 0.6))
    assert loss(LinearVicReg, one, one, sample) == pytest.approx(50 * 0.4, abs=0.03)
    least = loss(LinearVicReg, spread * one, spread * one, sample)
    assert least == pytest.approx(50 * spread**2 * 0.4 + 25 * (1 - spread), abs=0.03)


def test_barlow_twins_at_weight_1_gives_a_weak_direction_up_as_its_heads_are_not_whitened():
    sample = whitened(2000, sigma=np.array([0.9, 0.3, 0.1]))
    two = np.zeros((4, 3))
    two[:2] = [[np.sqrt(0.5)] * 2 + [0], [np.sqrt(0.5), -np.sqrt(0.5), 1]]
    canonical, fewer = (loss(LinearBarlowTwins, w, w, sample, redundancy=1.0) for w in (np.eye(4)[:, :3], two))
    assert canonical == pytest.approx(0.1**2 + 0.7**2 + 0.9**2, abs=1e-3)
    assert fewer == pytest.approx(2 * 0.4**2 + 2 * 0.3**2 + 0.7**2 + 4 * 0.3**2 / 2, abs=1e-3)
    assert fewer < canonical


@pytest.mark.parametrize("name", TRAINED)
def test_every_trained_parameter_gets_a_finite_gradient_and_one_spot_stays_finite(name):
    method = LINEAR_METHODS[name]
    torch.manual_seed(0)
    network = method.network(Shape(4, 4, 1, "classification", 4), **method.options)
    network.loss(batch(*whitened(64)[:2])).backward()
    for parameter, value in network.named_parameters():
        if value.requires_grad:
            assert value.grad is not None, parameter
            assert value.grad.isfinite().all(), parameter
            assert value.grad.abs().max() > 0, parameter
        else:
            assert parameter.startswith("target_")
    network.zero_grad()
    alone = network.loss(batch(*(x[:1] for x in whitened(64)[:2])))
    alone.backward()
    assert alone.isfinite()
    assert all(value.grad.isfinite().all() for value in network.parameters() if value.grad is not None)
