"""What the trained networks find, against closed forms and a truth that is known by construction."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression

from beyond_alignment.fusion.aligning.objectives import unit
from beyond_alignment.fusion.canonical import CanonicalCorrelation
from tests.fusion.aligning.plain_loop import NETWORKS, batch_of, make, represent, shape_of, train

N = 800


@pytest.fixture(scope="module")
def latents():
    """Two shared latents, two in the first modality alone, two in the second alone; each modality mixes its four."""
    rng = np.random.default_rng(0)
    shared, only1, only2 = rng.normal(size=(3, N, 2))
    x1, x2 = (
        np.hstack([shared, only]) @ np.linalg.qr(rng.normal(size=(8, 8)))[0][:4] + 0.1 * rng.normal(size=(N, 8))
        for only in (only1, only2)
    )
    x1, x2 = (torch.tensor(x / x.std()).float() for x in (x1, x2))  # mean variance 1, as after the reduction
    return x1, x2, shared, only1, only2


def explained(z, target):
    """R² on the second half of the spots of a linear map fitted on the first."""
    half = N // 2
    return LinearRegression().fit(z[:half], target[:half]).score(z[half:], target[half:])


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "comm"])
def test_alignment_with_room_for_the_shared_latents_finds_them_and_drops_the_others(name, latents):
    x1, x2, shared, only1, only2 = latents
    dimension = 6 if name == "clip" else 4  # directions of three features have two degrees of freedom
    network = make(name, shape_of(x1, x2, dimension=dimension), width=24)
    before = represent(network, x1, x2)
    train(network, x1, x2, steps=100, size=96, learning_rate=1e-2)
    after = represent(network, x1, x2)
    assert explained(after, shared) > max(0.75, explained(before, shared) + 0.2)
    for only in (only1, only2):
        assert explained(after, only) < 0.2


def test_the_fused_contrast_keeps_the_shared_latents_and_the_others(latents):
    x1, x2, *everything = latents
    least = []
    for jitter in (0.5, 2.0):  # strong noise drowns what sets single spots apart
        network = make("comm", shape_of(x1, x2, dimension=8), width=24, jitter=jitter)
        train(network, x1, x2, steps=60, size=96, learning_rate=1e-2)
        least.append(min(explained(represent(network, x1, x2), target) for target in everything))
    assert least[0] > 0.8
    assert least[1] < least[0] - 0.2


def test_the_fused_contrast_is_harder_with_augmentations(latents):
    x1, x2 = latents[:2]
    bare, augmented = (
        make("comm", shape_of(x1, x2), width=16, **options) for options in ({"hidden": 0.0, "jitter": 0.0}, {})
    )
    drawn = [network.noise(torch.Generator().manual_seed(0), 4) for network in (bare, augmented)]
    assert (drawn[0]["kept1"] == 1).all()
    assert (drawn[0]["jitter1"] == 0).all()
    assert (drawn[1]["kept1"][:, 0] != drawn[1]["kept1"][:, 1]).any()
    losses = [train(network, x1, x2, steps=30, size=64)[-1] for network in (bare, augmented)]
    assert losses[0] < losses[1] - 0.3


def test_linear_deep_cca_is_canonical_correlation_analysis(latents):
    x1, x2 = latents[:2]
    network = make("deep_cca", shape_of(x1, x2, dimension=4), layers=0, ridge=1e-6)
    train(network, x1, x2, steps=300, size=N, learning_rate=3e-2)
    truth = CanonicalCorrelation(2, regularisation=0).fit((x1.numpy(), x2.numpy()))
    assert -network.loss(batch_of(x1, x2)).item() == pytest.approx(truth.correlations_.mean(), abs=2e-3)
    z = represent(network, x1, x2)
    scores = truth.transform((x1.numpy(), x2.numpy()))
    assert LinearRegression().fit(z[:, :2], scores[:, :2]).score(z[:, :2], scores[:, :2]) > 0.99


def test_linear_projection_is_reduced_rank_regression(latents):
    x1, x2 = (x - x.mean(dim=0) for x in latents[:2])
    network = make("projection", shape_of(x1, x2, dimension=4), layers=0)
    train(network, x1, x2, steps=400, size=N, learning_rate=3e-2)
    least = 0.0
    for first, second in ((x1, x2), (x2, x1)):
        a, b = first.numpy().astype(float), second.numpy().astype(float)
        fitted = a @ np.linalg.lstsq(a, b, rcond=None)[0]
        lost = np.linalg.svd(fitted, compute_uv=False)[2:]  # beyond rank two
        least += (np.mean((b - fitted) ** 2) + (lost**2).sum() / b.size) / 2
    assert network.loss(batch_of(x1, x2)).item() == pytest.approx(least, rel=0.01)


@pytest.mark.parametrize("name", ["byol", "simsiam"])
def test_prediction_without_negatives_does_not_collapse(name, latents):
    x1, x2 = latents[:2]
    network = make(name, shape_of(x1, x2), width=24)
    losses = train(network, x1, x2, steps=100, size=128)
    z = unit(torch.from_numpy(represent(network, x1, x2)[:, :32]))
    assert losses[-1] < 0.5 * losses[0] - 0.1
    assert z.std(dim=0).mean() > 0.5 / 32**0.5  # 1 / sqrt(features) where directions are even, 0 after a collapse


def test_the_teacher_follows_and_stands_apart(latents):
    x1, x2 = latents[:2]
    network = make("byol", shape_of(x1, x2), width=8)
    start = {name: value.detach().clone() for name, value in network.named_parameters()}
    for teacher, student in network.teacher.items():
        assert all(
            torch.equal(value, start[student + name.removeprefix(teacher)])
            for name, value in start.items()
            if name.startswith(teacher + ".")
        )
    train(network, x1, x2, steps=1, size=64)
    now = dict(network.named_parameters())
    name = "projector1.0.weight"
    moved = (now[name] - start[name]).detach()
    assert moved.abs().max() > 0
    assert torch.allclose(now["target_" + name] - start[name], 0.01 * moved, atol=1e-6)


def test_the_learned_temperature_stays_above_its_floor(latents):
    x1, x2 = latents[:2]
    network = make("clip", shape_of(x1, x2), width=8)
    with torch.no_grad():
        network.log_scale.fill_(5.0)
    coldest = network.loss(batch_of(x1, x2)).item()
    with torch.no_grad():
        network.log_scale.fill_(50.0)
    assert network.loss(batch_of(x1, x2)).item() == pytest.approx(coldest)


@pytest.mark.parametrize("name", ["clip", "vicreg", "projection"])
def test_two_projections_side_by_side_cannot_hold_exclusive_or(name):
    rng = np.random.default_rng(0)
    bits = 2.0 * rng.integers(0, 2, (N, 2)) - 1
    x1, x2 = (torch.tensor(bits[:, i : i + 1] + 0.1 * rng.normal(size=(N, 4))).float() for i in (0, 1))
    network = make(name, shape_of(x1, x2), width=16)
    train(network, x1, x2, steps=50, size=128)
    assert explained(represent(network, x1, x2), bits.prod(axis=1, keepdims=True)) < 0.1
