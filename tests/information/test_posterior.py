"""The pieces of the posterior estimator, each against a closed form, a slow reference or an invariance."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax

from beyond_alignment.information import posterior as estimator
from beyond_alignment.information.exact import broja, information
from beyond_alignment.information.gates import gate
from beyond_alignment.information.posterior import (
    Components,
    blend,
    common_association,
    count,
    cross_fit,
    make_folds,
    measure,
    n_states,
    quantise,
)
from beyond_alignment.information.samples import Centred, Samples
from beyond_alignment.resampling import default_units, unit_weights

GATES = ("redundant", "unique1", "copy", "xor", "and", "sum", "noisy_views")
ALONE = np.zeros((0, 1), dtype=np.int64)
PAIRS = (1, 2, 3)  # the axis that is summed over, of (problem, group, state, class)


def made_samples(codes, groups=None, x=None):
    x = np.zeros((len(codes), 1)) if x is None else x
    names = tuple(map(str, range(codes.max() + 1)))
    return Samples(x, x, np.asarray(codes, dtype=np.int64), names, groups, None, "", (), None)


def within(tables):
    """Information given the group of tables (group, state, class)."""
    mass = tables.sum(axis=(1, 2))
    return float(mass @ information(tables / mass[:, None, None]) / mass.sum())


# ------------------------------------------------------------------------- one association of state and class


def poisson_fit(counts):
    """Slow reference: Newton steps on the likelihood of the log-linear model without the three-way interaction."""
    n_of_states, n_classes = counts.shape[1:]
    group, state, label = (v.ravel() for v in np.indices(counts.shape))
    pairs = (group * n_of_states + state, group * n_classes + label, state * n_classes + label)
    design = np.hstack([np.eye(pair.max() + 1)[pair] for pair in pairs])
    seen = counts.ravel()
    log_rate = np.linalg.pinv(design) @ np.log(seen + 0.5)
    for _ in range(50):
        rate = np.exp(design @ log_rate)
        log_rate += np.linalg.lstsq(design.T @ (design * rate[:, None]), design.T @ (seen - rate), rcond=1e-12)[0]
    return np.exp(design @ log_rate).reshape(counts.shape)


@pytest.mark.parametrize("seed", range(3))
def test_the_common_association_is_that_of_the_log_linear_model(seed):
    counts = np.random.default_rng(seed).integers(1, 60, (4, 3, 3)).astype(float)
    assert_allclose(common_association(counts[None])[0], poisson_fit(counts), rtol=1e-4)


@given(hnp.arrays(np.float64, st.tuples(*[st.integers(1, 4)] * 4), elements=st.integers(0, 30).map(float)))
def test_the_counts_of_every_pair_are_met_and_information_within_groups_is_the_least(counts):
    fitted = common_association(counts)
    most = max(counts.sum(axis=(1, 2, 3)).max(), 1.0)
    assert np.isfinite(fitted).all()
    assert (fitted >= 0).all()
    for axis in PAIRS:
        assert_allclose(fitted.sum(axis=axis), counts.sum(axis=axis), atol=2e-3 * most)
    for problem, own in zip(fitted, counts, strict=True):
        held = own.sum(axis=(1, 2)) > 0
        if held.any():
            assert within(problem[held]) <= within(own[held]) + 0.01


def test_one_group_is_returned_as_it_is():
    counts = np.random.default_rng(0).integers(0, 9, (2, 1, 5, 3)).astype(float)
    assert_allclose(common_association(counts), counts, atol=1e-9)


def test_states_and_classes_that_only_the_group_binds_tell_nothing():
    of_state = np.array([[8, 1, 1], [1, 8, 1], [1, 1, 8]]) / 10
    of_class = np.array([[9, 1], [1, 9], [5, 5]]) / 10
    counts = np.array([300.0, 200, 100])[:, None, None] * of_state[:, :, None] * of_class[:, None]
    pooled = counts.sum(axis=0)
    assert information(pooled[None] / pooled.sum())[0] > 0.1
    assert within(common_association(counts[None])[0]) == pytest.approx(0, abs=1e-9)


# ------------------------------------------------------------------------------------------------ from posteriors


def exact_posteriors(name, n=2000):
    """Evidence log p(y | x) / p(y) of an unlimited learner, and classes; their counts are those of a gate."""
    p = gate(name)
    i, j, y = np.array([cell for cell in np.ndindex(p.shape) for _ in range(round(n * p[cell]))]).T
    assert len(y) == n

    def logs(table):
        return np.log(np.clip(table / table.sum(axis=-1, keepdims=True), 1e-12, 1))

    both = np.where(p.sum(axis=2, keepdims=True) > 0, p, 1 / p.shape[2])
    told = [logs(p.sum(axis=1))[i], logs(p.sum(axis=0))[j], pairwise_posterior(p)[i, j], logs(both)[i, j]]
    return np.stack(told) - np.log(p.sum(axis=(0, 1))), y


def pairwise_posterior(p):
    """Log posterior of the distribution of largest entropy with the pairwise marginals of p, by slow fitting."""
    q = np.full(p.shape, 1 / p.size)
    for _ in range(5000):
        for axis in (2, 1, 0):
            now, wanted = q.sum(axis=axis, keepdims=True), p.sum(axis=axis, keepdims=True)
            q = q * np.divide(wanted, now, out=np.zeros_like(now), where=now > 0)
    return np.log(np.clip(q / np.clip(q.sum(axis=2, keepdims=True), 1e-300, None), 1e-12, 1))


def measured(evidence, y, groups=None, weights=None, units=None):
    units = units or default_units(None, None, len(y))
    weights = np.zeros((0, units.n_units), dtype=np.int64) if weights is None else weights
    return measure(evidence, made_samples(y, groups), units, weights, seed=0)


@pytest.mark.parametrize("name", GATES)
def test_exact_posteriors_give_the_exact_decomposition(name):
    truth = broja(gate(name))
    found = measured(*exact_posteriors(name))
    expected = [truth.I1, truth.I2, truth.union_information, truth.I12, truth.synergy_interaction]
    assert_allclose(found.values[0], expected, atol=2e-3)
    assert 0 <= found.gap < 1e-6


def test_the_same_gate_in_every_group_is_the_gate_and_is_that_of_every_group():
    evidence, y = exact_posteriors("and", 400)
    alone = measured(evidence, y)
    found = measured(np.tile(evidence, (1, 3, 1)), np.tile(y, 3), np.repeat(np.arange(3), 400))
    assert_allclose(found.values[0], alone.values[0], atol=1e-4)
    assert_allclose(found.by_group, np.tile(alone.values[0], (3, 1)), atol=1e-3)


def test_the_groups_add_up_to_the_whole():
    rng = np.random.default_rng(8)
    y, groups = rng.integers(0, 3, 900), np.sort(rng.integers(0, 5, 900))
    evidence = rng.standard_normal((4, 900, 3)) + np.array([1, 1, 1.5, 1.5])[:, None, None] * np.eye(3)[y]
    found = measured(evidence, y, groups)
    together = np.bincount(groups) @ found.by_group / 900
    assert_allclose(together[[0, 1, 3, 4]], found.values[0, [0, 1, 3, 4]], atol=1e-4)
    assert together[2] == pytest.approx(found.values[0, 2], abs=0.02)


def test_evidence_that_only_names_the_group_tells_nothing():
    rng = np.random.default_rng(9)
    groups = np.repeat(np.arange(3), 300)
    shares = np.array([[0.8, 0.2], [0.5, 0.5], [0.1, 0.9]])
    y = (rng.random(900) < shares[groups, 1]).astype(int)
    evidence = np.log(shares)[groups] + 1e-3 * rng.standard_normal((4, 900, 2))
    assert_allclose(measured(evidence, y, groups).values[0, :4], 0, atol=0.02)
    assert measured(evidence, y).values[0, 3] > 0.2


def test_states_of_an_additive_posterior_would_tell_more_than_an_additive_model():
    p = np.zeros((3, 3, 2))
    for i, j in np.ndindex(3, 3):
        p[i, j, int(i + j in (1, 2))] = 1 / 9
    i, j, y = np.array([cell for cell in np.ndindex(p.shape) for _ in range(round(180 * p[cell]))]).T
    joint = np.log(np.clip(p / p.sum(axis=2, keepdims=True), 1e-12, 1))[i, j]
    prior = np.log(np.bincount(y) / 180)
    evidence = np.stack([np.tile(prior, (180, 1))] * 2 + [pairwise_posterior(p)[i, j], joint]) - prior
    found = measured(evidence, y)
    assert_allclose(found.values[0, 4], broja(p).synergy_interaction, atol=1e-3)
    assert found.values[0, 4] > 0.1


def test_replicates_by_unit_equal_replicates_by_sample():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 600)
    evidence = rng.standard_normal((4, 600, 3)) + 2 * np.eye(3)[y]
    blocks = default_units(None, np.repeat(np.arange(60), 10), 600)
    weights = unit_weights(60, n_bootstrap=5)
    whole = measured(evidence, y, None, weights, blocks)
    single = measured(evidence, y, None, weights[:, blocks.codes])
    assert_allclose(whole.values, single.values, atol=1e-3)


@pytest.mark.parametrize("blocks", [None, np.arange(200) // 20])
def test_counts_are_those_of_a_plain_loop(blocks):
    rng = np.random.default_rng(1)
    state, y, groups = rng.integers(0, 4, 200), rng.integers(0, 3, 200), rng.integers(0, 3, 200)
    units = default_units(None, blocks, 200)
    weights = unit_weights(units.n_units, n_bootstrap=3)
    expected = np.zeros((4, 3, 4, 3))
    for sample in range(200):
        cell = groups[sample], state[sample], y[sample]
        expected[(0, *cell)] += 1
        for replicate, weight in enumerate(weights, start=1):
            expected[(replicate, *cell)] += weight[units.codes[sample]]
    assert_array_equal(count(state, y, groups, units, weights, 4), expected)


def test_quantised_states_lose_little():
    share = np.random.default_rng(1).uniform(size=40_000)
    state = quantise(np.stack([1 - share, share], axis=1), n_states(40_000, 2), seed=0)
    means = np.bincount(state, share) / np.bincount(state)
    entropy = -(means * np.log2(means) + (1 - means) * np.log2(1 - means))
    exact = -(share * np.log2(share) + (1 - share) * np.log2(1 - share)).mean()
    assert 0 <= (entropy * np.bincount(state)).sum() / 40_000 - exact < 2e-3


# ---------------------------------------------------------------------------------------------------- calibration


def test_a_blend_undoes_a_wrong_temperature():
    rng = np.random.default_rng(2)
    right = log_softmax(2 * rng.standard_normal((20_000, 3)), axis=1)
    y = (np.exp(right).cumsum(axis=1) < rng.uniform(size=(20_000, 1))).sum(axis=1)
    evidence = np.zeros((5, 20_000, 3))
    evidence[0] = log_softmax(3 * right, axis=1)
    prior = np.log(np.bincount(y) / 20_000)
    found = log_softmax(blend(evidence, y, None, np.arange(20_000) % 5)[0] + prior, axis=1)
    assert np.abs(np.exp(found) - np.exp(right)).max() < 0.03


def test_labels_of_a_fold_do_not_reach_its_own_blend():
    rng = np.random.default_rng(3)
    evidence = log_softmax(rng.standard_normal((5, 300, 2)), axis=2)
    y, folds = rng.integers(0, 2, 300), np.arange(300) % 3
    changed = y.copy()
    changed[folds == 0] = rng.permutation(y[folds == 0])
    before, after = (blend(evidence, labels, None, folds) for labels in (y, changed))
    assert_array_equal(before[:, folds == 0], after[:, folds == 0])
    assert not np.allclose(before[:, folds == 1], after[:, folds == 1])


def test_labels_of_a_held_out_group_enter_its_blend_by_their_shares_alone():
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(6), 60)
    y = (rng.random(360) < np.linspace(0.2, 0.8, 6)[groups]).astype(int)
    evidence = rng.standard_normal((5, 360, 2)) + np.eye(2)[y]
    folds = groups % 3
    moved, other = y.copy(), y.copy()
    for group in (0, 3):
        moved[groups == group] = rng.permutation(y[groups == group])
    other[groups == 0] = 1 - y[groups == 0]
    before, after, shifted = (blend(evidence, labels, groups, folds)[:, folds == 0] for labels in (y, moved, other))
    assert_allclose(before, after, atol=1e-3)
    assert not np.allclose(before, shifted, atol=0.1)


# ------------------------------------------------------------------------------------------------ what is learnt from


def test_components_are_fitted_on_training_rows_alone():
    rng = np.random.default_rng(4)
    x = rng.standard_normal((300, 20))
    x[:, 3] = 5.0
    rows, other = np.arange(200), x.copy()
    other[200:] = 1e3 * rng.standard_normal((100, 20))
    first, second = (Components(Centred(values, None), rows, seed=0) for values in (x, other))
    assert_array_equal(first.map, second.map)
    found = first(Centred(x, None), rows)[:, :19]
    assert_allclose(np.cov(found.T) - np.diag(np.var(found, axis=0, ddof=1)), 0, atol=1e-4)


def test_fewer_features_than_components_are_padded():
    x = Centred(np.random.default_rng(5).standard_normal((100, 3)), None)
    found = Components(x, np.arange(100), seed=0)(x, np.arange(100))
    assert found.shape == (100, 32)
    assert not found[:, 3:].any()


def test_folds_keep_blocks_whole():
    units = np.random.default_rng(6).integers(0, 12, 400)
    samples = Samples(None, None, np.arange(400) % 2, ("a", "b"), None, units, "", (), None)
    folds = make_folds(samples, n_folds=4, seed=0)
    assert all(len(set(folds[units == unit])) == 1 for unit in range(12))
    assert set(folds) == {0, 1, 2, 3}


def shifted_groups(seed=7, n=200):
    """A source that is a shift of the group, an effect of the class and noise, where groups have uneven shares."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(6), n)
    y = (rng.random(6 * n) < np.array([0.1, 0.3, 0.5, 0.7, 0.9, 0.8])[groups]).astype(int)
    effects = np.array([[2.0, 0, -1], [-2, 0, 1]])
    x = 10 * rng.standard_normal((6, 3))[groups] + effects[y] + 0.3 * rng.standard_normal((6 * n, 3))
    return x, y, groups, effects


def at_common_shares(x, y, groups, training):
    source = Centred(x, groups)
    counts = np.zeros((6, 2))
    np.add.at(counts, (groups, y), 1)
    return source, source.at_common_shares(counts, source.sums_by(groups * 2 + y, 12).reshape(6, 2, -1), training)


def test_at_common_shares_shifts_of_groups_go_and_effects_of_classes_stay():
    x, y, groups, effects = shifted_groups()
    rows = np.arange(len(x))
    means = []
    for source in at_common_shares(x, y, groups, np.arange(4)):
        seen = source[rows] * source.spread[groups]
        means.append(np.array([[seen[(groups == g) & (y == c)].mean(axis=0) for c in (0, 1)] for g in range(6)]))
    plain, common = means
    assert np.ptp(plain, axis=0).max() > 2
    assert np.ptp(common, axis=0).max() < 0.25  # also of groups 4 and 5, which were not trained on
    overall = np.bincount(y[groups < 4]) / (groups < 4).sum()
    assert_allclose(common.mean(axis=0), effects - overall @ effects, atol=0.1)


def test_a_held_out_group_is_centred_by_the_shares_of_its_labels_alone():
    x, y, groups, _ = shifted_groups()
    moved = y.copy()
    moved[groups == 5] = np.random.default_rng(0).permutation(y[groups == 5])
    rows = np.arange(len(x))
    before, after = (at_common_shares(x, labels, groups, np.arange(5))[1][rows] for labels in (y, moved))
    assert_array_equal(before, after)


def test_without_groups_nothing_is_centred():
    x = np.random.default_rng(0).standard_normal((50, 2))
    source = Centred(x, None)
    assert_array_equal(source[np.arange(50)], x.astype(np.float32))
    assert source.at_common_shares(np.ones((1, 2)), np.ones((1, 2, 2)), np.array([0])) is source


def test_classes_that_are_missing_where_a_model_was_fitted_are_named(monkeypatch):
    fitted = []

    def train(training, validation, **_):
        fitted.append(training.y.numpy())
        return lambda model, x1, x2: torch.zeros(5, len(x1), training.log_shares.shape[2])

    monkeypatch.setattr(estimator, "train", train)
    rng = np.random.default_rng(10)
    groups = np.repeat(np.arange(10), [200, *[25] * 9])
    n = len(groups)
    named = 0
    for seed in range(4):
        y = rng.integers(0, 2, n)
        y[np.searchsorted(groups, [7, 8, 9])] = 2  # in three donors of ten
        found = cross_fit(
            made_samples(y, groups, rng.standard_normal((n, 2))), n_folds=5, seed=seed, device=torch.device("cpu")
        )
        missing = {label for own in fitted[-2] for label in set(range(3)) - set(own)}
        assert set(found.unseen) == missing
        named += bool(missing)
    assert named
