"""The objectives against slow references, closed forms and the figures of a peer library."""

import math

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch.func import grad, vmap

from beyond_alignment.fusion.aligning import objectives
from beyond_alignment.fusion.canonical import CanonicalCorrelation

OBJECTIVES = {
    "info_nce": lambda a, b: objectives.info_nce(a, b, 10.0),
    "nt_xent": lambda a, b: objectives.nt_xent(a, b, 0.1),
    "jensen_shannon": lambda a, b: objectives.jensen_shannon(a @ b.T),
    "negative_cosine": objectives.negative_cosine,
    "barlow_twins": objectives.barlow_twins,
    "vicreg": objectives.vicreg,
    "trace_norm": objectives.trace_norm,
}
CONTRASTIVE = ("info_nce", "nt_xent", "jensen_shannon")


@pytest.fixture
def views():
    i = torch.arange(1, 36, dtype=torch.float64).reshape(7, 5)
    return torch.sin(i * i), torch.cos(1.3 * i) + torch.sin(i * i)


def cosine(a, b):
    return float(a @ b) / (math.hypot(*a) * math.hypot(*b))


def slow_info_nce(a, b, scale):
    n, total = len(a), 0.0
    for i in range(n):
        hit = math.exp(scale * cosine(a[i], b[i]))
        total -= math.log(hit / sum(math.exp(scale * cosine(a[i], b[j])) for j in range(n)))
        total -= math.log(hit / sum(math.exp(scale * cosine(a[j], b[i])) for j in range(n)))
    return total / (2 * n)


def slow_nt_xent(a, b, temperature):
    z, n, total = [*a, *b], len(a), 0.0
    for i in range(2 * n):
        others = sum(math.exp(cosine(z[i], z[j]) / temperature) for j in range(2 * n) if j != i)
        total -= math.log(math.exp(cosine(z[i], z[(i + n) % (2 * n)]) / temperature) / others)
    return total / (2 * n)


def slow_jensen_shannon(a, b):
    n = len(a)
    together = sum(math.log1p(math.exp(-float(a[i] @ b[i]))) for i in range(n)) / n
    apart = [math.log1p(math.exp(float(a[i] @ b[j]))) for i in range(n) for j in range(n) if i != j]
    return together + sum(apart) / len(apart)


def slow_barlow_twins(a, b, redundancy):
    total = 0.0
    for i in range(a.shape[1]):
        for j in range(b.shape[1]):
            r = np.corrcoef(a[:, i], b[:, j])[0, 1]
            total += (1 - r) ** 2 if i == j else redundancy * r**2
    return total


def slow_vicreg(a, b):
    d = a.shape[1]
    total = 25 * np.mean((a - b) ** 2)
    for z in (a, b):
        covariance = np.cov(z.T)
        total += 12.5 * np.mean([max(0, 1 - math.sqrt(covariance[i, i] + 1e-4)) for i in range(d)])
        total += sum(covariance[i, j] ** 2 for i in range(d) for j in range(d) if i != j) / d
    return total


def slow_trace_norm(a, b, ridge):
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    roots = []
    for z in (a, b):
        s = z.T @ z / len(z)
        roots.append(np.linalg.inv(np.real(sqrtm(s + ridge * np.trace(s) / len(s) * np.eye(len(s))))))
    return -np.linalg.svd(roots[0] @ (a.T @ b / len(a)) @ roots[1], compute_uv=False).sum()


def test_each_is_its_slow_reference(views):
    a, b = (v.numpy() for v in views)
    assert objectives.info_nce(*views, 7.0).item() == pytest.approx(slow_info_nce(a, b, 7.0), abs=1e-6)
    assert objectives.nt_xent(*views, 0.1).item() == pytest.approx(slow_nt_xent(a, b, 0.1), abs=1e-6)
    assert objectives.jensen_shannon(views[0] @ views[1].T).item() == pytest.approx(slow_jensen_shannon(a, b))
    mean_cosine = np.mean([cosine(x, y) for x, y in zip(a, b, strict=True)])
    assert objectives.negative_cosine(*views).item() == pytest.approx(-mean_cosine, abs=1e-6)
    assert objectives.barlow_twins(*views, 0.1).item() == pytest.approx(slow_barlow_twins(a, b, 0.1), abs=1e-4)
    assert objectives.vicreg(*views).item() == pytest.approx(slow_vicreg(a, b))
    assert objectives.trace_norm(*views, 0.2).item() == pytest.approx(slow_trace_norm(a, b, 0.2), abs=1e-6)


def test_they_agree_with_lightly(views):
    """Figures of lightly 1.5.22 on the same views."""
    assert objectives.nt_xent(*views, 0.1).item() == pytest.approx(0.863324108494865, abs=1e-6)
    assert objectives.nt_xent(*views, 0.5).item() == pytest.approx(1.6626817370336073, abs=1e-6)
    assert objectives.barlow_twins(*views).item() == pytest.approx(0.05501676786927618, abs=1e-9)
    assert objectives.barlow_twins(*views, 0.05).item() == pytest.approx(0.1509592921465889, abs=1e-9)
    assert objectives.vicreg(*views).item() == pytest.approx(19.577241682299277)
    assert objectives.vicreg(*views, 2.0, 3.0, 4.0).item() == pytest.approx(2.542722425291803)
    assert objectives.negative_cosine(*views).item() == pytest.approx(-0.6938460141687466, abs=1e-6)


def test_closed_forms():
    n, d = 6, 6
    apart, same = torch.eye(n, dtype=torch.float64), torch.ones(n, d, dtype=torch.float64)
    assert objectives.info_nce(apart, apart, 3.0).item() == pytest.approx(math.log1p((n - 1) * math.exp(-3)))
    assert objectives.info_nce(same, same, 3.0).item() == pytest.approx(math.log(n))
    assert objectives.nt_xent(same, same, 0.1).item() == pytest.approx(math.log(2 * n - 1))
    assert objectives.jensen_shannon(torch.zeros(n, n)).item() == pytest.approx(2 * math.log(2))
    assert objectives.barlow_twins(same, same).item() == pytest.approx(d)
    white = torch.tensor([[1, 1], [1, -1], [-1, 1], [-1, -1.0]], dtype=torch.float64)
    assert objectives.barlow_twins(white, white).item() == pytest.approx(0, abs=1e-8)
    assert objectives.vicreg(white, white).item() == pytest.approx(0, abs=1e-8)
    assert objectives.trace_norm(white, white, 0.0).item() == pytest.approx(-2, abs=1e-6)
    assert objectives.negative_cosine(white, -white).item() == pytest.approx(1)


def test_the_trace_norm_is_the_sum_of_the_canonical_correlations():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(300, 4))
    b = a @ rng.normal(size=(4, 3)) + rng.normal(size=(300, 3))
    truth = CanonicalCorrelation(3, regularisation=0).fit((a, b)).correlations_.sum()
    assert -objectives.trace_norm(torch.tensor(a), torch.tensor(b), 0.0).item() == pytest.approx(truth, abs=1e-6)
    scaled = objectives.trace_norm(torch.tensor(1e3 * a), torch.tensor(b), 1e-3)
    assert scaled.item() == pytest.approx(objectives.trace_norm(torch.tensor(a), torch.tensor(b), 1e-3).item())


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_order_of_the_spots_does_not_matter(name, views):
    order = torch.tensor([3, 1, 6, 0, 2, 5, 4])
    shuffled = OBJECTIVES[name](*(v[order] for v in views))
    assert shuffled.item() == pytest.approx(OBJECTIVES[name](*views).item(), rel=1e-9)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("kind", ["zero", "constant", "duplicated features", "duplicated spots", "one spot"])
def test_degenerate_views_give_finite_losses_and_gradients(name, kind):
    a, b = torch.randn(2, 9, 4, generator=torch.Generator().manual_seed(0))
    a = {
        "zero": torch.zeros_like(a),
        "constant": torch.full_like(a, 3.7),
        "duplicated features": a[:, :1].repeat(1, 4),
        "duplicated spots": a[:1].repeat(9, 1),
        "one spot": a[:1],
    }[kind]
    b = b[: len(a)]
    loss = OBJECTIVES[name](a, b)
    slopes = grad(OBJECTIVES[name], argnums=(0, 1))(a, b)
    assert loss.isfinite()
    assert all(slope.isfinite().all() for slope in slopes)
    if kind == "one spot" and name in CONTRASTIVE:
        assert loss.item() == 0
        assert all((slope == 0).all() for slope in slopes)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_many_at_once_are_one_by_one_and_a_bad_one_spoils_no_other(name):
    a, b = torch.randn(2, 3, 12, 4, generator=torch.Generator().manual_seed(1))
    a[1, 2, 0] = torch.nan
    together = vmap(OBJECTIVES[name])(a, b)
    slopes = vmap(grad(OBJECTIVES[name]))(a, b)
    assert together[1].isnan()
    for i in (0, 2):
        assert together[i].item() == pytest.approx(OBJECTIVES[name](a[i], b[i]).item(), abs=1e-5)
        assert torch.allclose(slopes[i], grad(OBJECTIVES[name])(a[i], b[i]), atol=1e-5)
