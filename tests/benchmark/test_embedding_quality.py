"""Rank, neighbours and sections, each against a known truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beyond_alignment.benchmark.embedding_quality import agreement, effective_rank, near_pairs, nearest
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.splits import microns
from tests.tissue import make_tissue


def of_singular_values(values, *, n=60, d=20, seed=0):
    """Return a centred matrix with these singular values."""
    rng = np.random.default_rng(seed)
    left = rng.normal(size=(n, len(values)))
    left = np.linalg.qr(left - left.mean(axis=0))[0]
    right = np.linalg.qr(rng.normal(size=(d, len(values))))[0]
    return (left * values) @ right.T


@pytest.mark.parametrize("rank", [1, 2, 7, 20])
def test_equal_singular_values_have_their_number_as_rank(rank):
    x = of_singular_values(np.full(rank, 3.0))
    assert effective_rank(x) == pytest.approx(rank)
    assert effective_rank(10 * x + 5) == pytest.approx(rank)  # neither scale nor mean counts


def test_unequal_singular_values_have_the_entropy_of_their_shares():
    p = np.array([0.5, 0.25, 0.125, 0.125])
    assert effective_rank(of_singular_values(7 * p)) == pytest.approx(2**1.75)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 12), st.integers(1, 9), st.integers(0, 99))
def test_the_rank_lies_between_one_and_what_fits(n, d, seed):
    x = np.random.default_rng(seed).normal(size=(n, d))
    assert 1 - 1e-9 <= effective_rank(x) <= min(n - 1, d) + 1e-9


def test_an_embedding_without_variance_or_with_a_gap_is_refused():
    with pytest.raises(InputError, match="the same embedding"):
        effective_rank(np.ones((5, 3)))
    with pytest.raises(InputError, match="finite"):
        effective_rank(np.array([[0.0, np.nan], [1.0, 2.0]]))


def neighbour_agreement(first, second, *, k, **where):
    """Compare two embeddings."""
    return agreement(nearest(first, k=k, **where), nearest(second, k=k, **where), **where)


def slow_neighbours(x, k, barred):
    """Return the neighbours by sorting all distances, one spot at a time."""
    found = []
    for i, row in enumerate(x):
        order = sorted((np.linalg.norm(row - other), j) for j, other in enumerate(x) if j != i and (i, j) not in barred)
        found.append({j for _, j in order[:k]})
    return found


def test_neighbours_and_their_agreement_equal_a_slow_reference():
    rng = np.random.default_rng(1)
    points, names = rng.uniform(0, 900, (50, 2)), np.repeat(["s1", "s2"], 25)
    first, second = rng.normal(size=(50, 3)), rng.normal(size=(50, 4))
    near = near_pairs(points, names, within_um=200)
    far = np.abs(points[:, None] - points[None]).max(axis=2)
    barred = {(i, j) for i in range(50) for j in range(50) if i != j and names[i] == names[j] and far[i, j] <= 200}
    assert set(zip(*near.nonzero(), strict=True)) == barred
    slow = [slow_neighbours(x, 5, barred) for x in (first, second)]
    assert [set(row) for row in nearest(first, k=5, near=near)] == slow[0]
    found = neighbour_agreement(first, second, k=5, near=near)
    assert found["agreement"] == pytest.approx(np.mean([len(a & b) / 5 for a, b in zip(*slow, strict=True)]))
    taken = np.array([sum(i == a for a, _ in barred) for i in range(50)])
    assert found["chance"] == pytest.approx(np.mean(5 / (49 - taken)))


def test_the_same_embedding_agrees_wholly_and_unrelated_ones_at_chance():
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(1200, 5)), rng.normal(size=(1200, 8))
    rotation = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    assert neighbour_agreement(x, 3 * x @ rotation + 1, k=10)["agreement"] == 1
    found = neighbour_agreement(x, z, k=10)
    assert found["chance"] == pytest.approx(10 / 1199)
    assert abs(found["agreement"] - found["chance"]) < 4 * found["error"]


def test_agreement_that_is_the_map_alone_goes_when_near_spots_are_barred():
    """Two embeddings that share nothing but smoothness over the tissue name the same spots, as long as they may."""
    tissue = make_tissue(side=20, sections=("A1",))
    points = microns(tissue)
    rng = np.random.default_rng(0)
    # random Fourier features of two independent smooth fields
    smooth = [np.cos(points @ rng.normal(0, 1 / 400, (2, 200)) + rng.uniform(0, 7, 200)) for _ in range(2)]
    near = near_pairs(points, tissue.obs["section"], within_um=1200)
    free, apart = (neighbour_agreement(*smooth, k=5, near=pairs) for pairs in (None, near))
    assert free["agreement"] > 0.5
    assert apart["agreement"] < 0.1


def test_a_slide_that_both_experts_see_is_no_agreement_within_it():
    tissue = make_tissue(side=16, sections=("A1", "A2", "B1", "C1"))
    rng = np.random.default_rng(0)
    slide = 9 * np.eye(4)[tissue.obs["section"].cat.codes]
    first, second = (slide + rng.normal(size=(tissue.n_obs, 4)) for _ in range(2))
    near = near_pairs(microns(tissue), tissue.obs["section"], within_um=200)
    for groups, excess in ((None, 4.0), (tissue.obs["section"], 1.0)):
        found = neighbour_agreement(first, second, k=5, near=near, groups=groups)
        assert found["agreement"] / found["chance"] == pytest.approx(excess, rel=0.2)


def test_neighbours_in_a_group_are_those_of_the_group_alone():
    rng = np.random.default_rng(0)
    x, groups = rng.normal(size=(40, 3)), np.repeat(["b", "a"], 20)
    found = nearest(x, k=4, groups=groups)
    for part in (np.arange(20), np.arange(20, 40)):
        assert (np.sort(found[part]) == np.sort(part[nearest(x[part], k=4)])).all()


def test_wrong_sizes_are_refused():
    x = np.random.default_rng(0).normal(size=(20, 3))
    with pytest.raises(InputError, match="20 and 19 spots"):
        neighbour_agreement(x, x[1:], k=3)
    with pytest.raises(InputError, match="smaller k"):
        nearest(x, k=20)
