"""Labels of known synergy planted on embeddings, and the smallest synergy read off what is found."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.errors import InputError
from beyond_alignment.information import power
from beyond_alignment.information.exact import broja
from beyond_alignment.information.power import (
    KINDS,
    _bits,
    _chance,
    _pairs,
    _smallest,
    _truth,
    plant,
    smallest_effect,
    summarise,
)
from beyond_alignment.information.samples import check_samples

TERMS = ("redundancy", "unique1", "unique2", "synergy")


def sources(n=300, n_groups=6, seed=0):
    """Sources whose first column names the group, and the groups."""
    rng = np.random.default_rng(seed)
    groups = np.arange(n) % n_groups
    return *(np.column_stack([groups, rng.normal(size=(n, 6)) @ rng.normal(size=(6, 6))]) for _ in range(2)), groups


def counted(groups, shared, own, other, chance):
    """Slow truth: each group's own table of states, label probabilities in place of labels."""
    total = dict.fromkeys(TERMS, 0.0)
    for group in np.unique(groups):
        table, held = np.zeros((4, 4, 2)), np.flatnonzero(groups == group)
        for row in held:
            p = chance[shared[row], own[row], other[row]]
            table[2 * shared[row] + own[row], 2 * shared[row] + other[row]] += np.array([1 - p, p]) / len(held)
        found = broja(table)
        for term in TERMS:
            total[term] += getattr(found, term) * len(held) / len(groups)
    return total


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.0, 0.45])
def test_the_planted_truth_is_that_of_counted_states(kind, share):
    # Every combination of bits as often as independence given the shared bit wants it.
    bits = np.array(list(np.ndindex(2, 2, 2)) * 6 + [(0, 0, 0), (0, 0, 1), (0, 0, 0), (0, 0, 1)])
    groups = np.repeat([0, 1], [24, 28])
    chance = _chance(kind, share)
    found, exact = _truth(groups, *bits.T, chance), counted(groups, *bits.T, chance)
    for term in TERMS:
        assert found[term] == pytest.approx(exact[term], abs=1e-6)
    assert (found["synergy"] > 0.01) == (share > 0)


def test_pairs_drawn_anew_have_that_truth():
    rng = np.random.default_rng(0)
    groups, (shared, own, other) = np.repeat(np.arange(3), 2000), rng.integers(0, 2, (3, 6000))
    pairs = _pairs(groups, shared, shared, rng)
    chance = _chance("interaction", 0.5)
    found = _truth(groups, shared, own, other[pairs], chance)
    exact = counted(groups, shared, own, other[pairs], chance)
    for term in TERMS:
        assert found[term] == pytest.approx(exact[term], abs=3e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_labels_follow_the_bits_in_known_shares(kind):
    chance = _chance(kind, 0.6)
    assert chance.min() >= 0
    assert chance.max() <= 1
    assert chance.mean() == pytest.approx(0.5)
    assert (chance[1] - chance[0]).mean() == pytest.approx(power.SHARED)
    rule = {"interaction": [[0, 1], [1, 0]], "additive": [[0, 0.5], [0.5, 1]]}[kind]
    left = chance[0] - 0.6 * np.array(rule)
    np.testing.assert_allclose(left[:, 0], left[:, 1])  # what is left follows the first source alone
    assert left[1, 0] - left[0, 0] == pytest.approx(power.PRIVATE)


def test_bits_halve_every_group():
    x1, _, groups = sources()
    samples = check_samples(x1, x1, np.arange(300) // 6 % 2, groups)
    for bits in _bits(samples, x1, np.random.default_rng(0)):
        assert (np.bincount(groups, bits) == 25).all()


def test_pairs_stay_within_the_group_and_share_the_shared_bit():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(5), [20, 40, 60, 80, 100])
    first, second = (np.concatenate([rng.permutation(n) < n // 2 for n in np.bincount(groups)]) for _ in range(2))
    pairs = _pairs(groups, first.astype(int), second.astype(int), rng)
    np.testing.assert_array_equal(np.sort(pairs), np.arange(300))
    np.testing.assert_array_equal(groups[pairs], groups)
    np.testing.assert_array_equal(second[pairs], first)


def test_what_is_estimated_are_the_same_embeddings_paired_within_groups(monkeypatch):
    given = {}

    def estimate(x1, x2, y, groups, **_):
        given.update(x1=x1, x2=x2, y=y, groups=groups)
        raise InputError("Enough.")

    monkeypatch.setattr(power, "estimate_pid", estimate)
    x1, x2, groups = sources()
    with pytest.raises(InputError, match="Enough"):
        plant(x1, x2, groups, None, "interaction", 0.3, seed=0)
    np.testing.assert_array_equal(given["x1"], x1)
    np.testing.assert_array_equal(given["x2"][:, 0], groups)
    np.testing.assert_array_equal(np.sort(given["x2"], axis=0), np.sort(x2, axis=0))
    assert not np.array_equal(given["x2"], x2)
    np.testing.assert_array_equal(given["groups"], groups)
    assert set(given["y"]) == {0, 1}


def test_a_large_synergy_is_found_and_none_is_not(monkeypatch):
    monkeypatch.setattr(power, "estimate_pid", partial(power.estimate_pid, n_folds=2))  # faster
    x1, x2, groups = sources(n=600)
    nothing = plant(x1, x2, groups, None, "additive", 0.0, seed=0)
    assert nothing["synergy"] < 0.01
    assert not nothing["found"]
    much = plant(x1, x2, groups, None, "interaction", 0.75, seed=0)
    assert much["synergy"] > 0.3
    assert much["sis"] > 0.8
    assert much["found"]


def made_up(found):
    synergy = np.repeat(np.linspace(0, 1, 11), 20)
    return pd.DataFrame({"synergy": synergy, "found": found(synergy)})


def test_the_smallest_synergy_is_where_finds_reach_the_power():
    rng = np.random.default_rng(0)
    likely = made_up(lambda s: rng.random(len(s)) < 1 / (1 + np.exp(-20 * (s - 0.5))))
    assert _smallest(likely) == pytest.approx(0.5 + np.log(4) / 20, abs=0.05)
    assert _smallest(made_up(lambda s: s > 0.55)) == pytest.approx(0.55, abs=0.05)


def test_what_is_never_found_has_no_smallest_and_what_is_always_found_the_least_planted():
    rng = np.random.default_rng(0)
    assert _smallest(made_up(lambda s: s < 0)) is None
    assert _smallest(made_up(lambda s: s >= 0)) == 0
    assert _smallest(made_up(lambda s: rng.random(len(s)) < 0.3 * s)) is None
    assert _smallest(made_up(lambda s: s < 0.5)) is None


def test_draws_are_counted_by_kind_and_share():
    finds = pd.DataFrame(
        {
            "kind": ["additive"] * 4 + ["interaction"] * 2,
            "share": [0.0, 0.0, 0.5, 0.5, 0.5, 0.5],
            "synergy": [0.0, 0.0, 0.1, 0.2, 0.3, 0.3],
            "sis": [0.0, 0.0, 0.2, 0.4, 0.5, 0.5],
            "found": [False, False, True, False, False, False],
        }
    )
    table = summarise(finds)
    assert table["kind"].tolist() == ["additive", "additive", "interaction"]
    np.testing.assert_allclose(table["synergy"], [0, 0.15, 0.3])
    assert table["power"].tolist() == [0, 0.5, 0]
    assert table["n_draws"].tolist() == [2, 2, 2]
    assert table.attrs["smallest"]["interaction"] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [({"shares": (0.9,)}, "from 0 to 0.8"), ({"shares": ()}, "from 0 to 0.8"), ({"n_draws": 0}, "ask for one or more")],
)
def test_what_cannot_be_planted_is_one_sentence(options, said):
    with pytest.raises(InputError, match=said):
        smallest_effect(*sources(), **options)
