from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2, chi2_contingency, chisquare, kstest

from beyond_alignment.errors import InputError
from beyond_alignment.information.exact import joint_informations
from beyond_alignment.simulate import SCENARIOS, draw, truth
from beyond_alignment.simulate.draw import dealt_counts

DONORS = [name for name, s in SCENARIOS.items() if s.family == "donors"]
NOISE = [name for name in DONORS if "noise" in name]
FEW = {"d1": 16, "d2": 16}


def entropy(p):
    return -float((p[p > 0] * np.log2(p[p > 0])).sum())


def joint_of(sample):
    """Enumerate p(donor, state 1, state 2, label) from the labels of each donor and the table given the label."""
    table = SCENARIOS[sample.name].p
    given_label = table / table.sum(axis=(0, 1))
    counts = np.zeros(sample.shares.shape)
    np.add.at(counts, (sample.groups, sample.y), 1 / len(sample.y))
    return counts[:, None, None, :] * given_label


def conditional_information(p, *sources):
    """I(sources; label | donor) of a joint table by its entropies, axis 0 the donor and axis 3 the label."""
    p = p.sum(axis=tuple({1, 2} - set(sources)), keepdims=True)
    parts = entropy(p.sum(axis=3)), entropy(p.sum(axis=(1, 2))), entropy(p.sum(axis=(1, 2, 3))), entropy(p)
    return parts[0] + parts[1] - parts[2] - parts[3]


@pytest.mark.parametrize("name", DONORS)
def test_the_truth_is_what_the_enumerated_joint_tells_given_the_donor(name):
    sample = draw(name, n=600, **FEW, seed=0)
    p, found = joint_of(sample), sample.pid
    assert conditional_information(p, 1) == pytest.approx(found.I1, abs=1e-7)
    assert conditional_information(p, 2) == pytest.approx(found.I2, abs=1e-7)
    assert conditional_information(p, 1, 2) == pytest.approx(found.I12, abs=1e-7)
    of_donors = p.sum(axis=(1, 2))
    mutual = entropy(of_donors.sum(axis=0)) + entropy(of_donors.sum(axis=1)) - entropy(of_donors)
    assert sample.group_information == pytest.approx(mutual, abs=1e-9)
    assert sample.p == pytest.approx(p.sum(axis=0))
    assert found.gap < 1e-6


def test_terms_known_by_hand_given_the_donor():
    clean = replace(SCENARIOS["donors_sum"], name="sum_of_two_bits", share_spread=0.5)
    xor = np.zeros((2, 2, 2))
    for i, j in np.ndindex(2, 2):
        xor[i, j, i ^ j] = 1 / 4
    held = SCENARIOS["donors_xor"].first
    sample = draw(replace(clean, p=xor, first=held, second=held), n=600, **FEW, seed=2)
    left = np.average([entropy(shares) for shares in sample.shares], weights=np.bincount(sample.groups))
    assert sample.pid.synergy_interaction == pytest.approx(left, abs=1e-6)  # H(Y | donor)
    assert sample.pid.synergy == pytest.approx(sample.pid.I12, abs=1e-6)
    five = draw("donors_redundant", n=600, **FEW, seed=2)
    assert five.pid.redundancy == pytest.approx(five.pid.I12, abs=1e-6)


@pytest.mark.parametrize("name", NOISE)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_donors_alone_tell_the_label_and_sources_nothing_more(name, seed):
    sample = draw(name, n=600, seed=seed)
    found = sample.pid
    terms = found.redundancy, found.unique1, found.unique2, found.synergy_additive, found.synergy_interaction
    assert terms == (0, 0, 0, 0, 0)
    assert sample.group_information > 0.1
    assert joint_informations(sample.p).I12 < 1e-9
    means = np.stack([sample.x1[sample.groups == g].mean(axis=0) for g in range(len(sample.shares))])
    assert (means.var(axis=0) / sample.x1.var(axis=0)).mean() > 0.3


def test_states_given_the_label_are_the_same_in_every_donor():
    for name in ("donors_views", "donors_sum", "donors_redundant_xor", "donors_noise"):
        sample, table = draw(name, n=30_000, **FEW, seed=0), SCENARIOS[name].p
        counts = np.zeros((len(sample.shares), *table.shape))
        np.add.at(counts, (sample.groups, sample.state1, sample.state2, sample.y), 1)
        assert counts.sum(axis=0)[table == 0].sum() == 0
        statistic = freedom = 0.0
        for y in range(table.shape[2]):
            found, exact = counts[..., y].reshape(len(counts), -1), table[..., y].ravel()
            found, exact = found[:, exact > 0], exact[exact > 0] / exact.sum()
            if len(exact) == 1:
                continue
            assert chisquare(found.sum(axis=0), exact * found.sum()).pvalue > 1e-4
            of_donors = chi2_contingency(found[found.sum(axis=1) > 100], correction=False)
            statistic, freedom = statistic + of_donors.statistic, freedom + of_donors.dof
        assert chi2.sf(statistic, freedom) > 1e-4


@pytest.mark.parametrize("spread", [0.1, 1.0])
def test_shares_of_a_class_follow_the_dirichlet_law(spread):
    scenario, rng = replace(SCENARIOS["donors_views"], share_spread=spread), np.random.default_rng(0)
    counts = [dealt_counts(scenario, np.full(12, 20_000), rng)[:, 0] / 20_000 for _ in range(60)]
    assert kstest(np.concatenate(counts), "beta", args=(0.5 / spread, 0.5 / spread)).pvalue > 1e-3


@pytest.mark.parametrize("name", DONORS)
@pytest.mark.parametrize("n", [250, 1003])
def test_labels_are_dealt_and_every_class_stands_in_two_donors(name, n):
    for seed in range(5):
        sample = draw(name, n=n, **FEW, seed=seed)
        counts = np.zeros(sample.shares.shape)
        np.add.at(counts, (sample.groups, sample.y), 1)
        assert counts == pytest.approx(sample.shares * np.bincount(sample.groups)[:, None])
        assert counts.sum(axis=0).min() >= 10
        assert (counts > 0).sum(axis=0).min() >= 2
        assert np.ptp(np.bincount(sample.groups)) <= 1


def test_donors_shift_and_scale_features_by_the_size_of_the_effect():
    base = replace(SCENARIOS["donors_xor"], share_spread=0.0, n_donors=12)
    for effect in (0.3, 1.0, 2.0):
        shifts, scales = [], []
        for seed in range(10):
            with_it, without = (draw(replace(base, batch_effect=e), n=1200, seed=seed) for e in (effect, 0.0))
            for x, z in ((with_it.x1, without.x1), (with_it.x2, without.x2)):
                for g in range(12):
                    of_donor, plain = x[with_it.groups == g], z[with_it.groups == g] - z.mean(axis=0)
                    scale = (of_donor.std(axis=0) / plain.std(axis=0)).mean()
                    shift = of_donor - z.mean(axis=0) - scale * plain
                    assert np.ptp(shift, axis=0).max() < 1e-9
                    scales.append(scale)
                    shifts.append(shift[0] / z.std(axis=0))
        assert np.std(shifts) == pytest.approx(effect, rel=0.06)
        assert np.std(np.log(scales)) == pytest.approx(0.2 * effect, rel=0.2)


@pytest.mark.parametrize(
    "name", ["donors_sum", "donors_unique", "donors_patches", "sum_donors", "redundant_unique_tilted"]
)
def test_the_same_law_without_differences_between_donors(name):
    sample, even = (draw(name, n=1200, seed=0, donors=donors) for donors in (True, False))
    assert np.array_equal(sample.groups, even.groups)
    assert np.array_equal(sample.coordinates, even.coordinates)
    assert even.group_information < 0.001
    assert even.shares == pytest.approx(np.tile(SCENARIOS[name].prior, (len(even.shares), 1)), abs=0.01)
    assert pytest.approx(truth(name).I12, abs=0.01) == even.pid.I12
    if SCENARIOS[name].spatial_range == 0:
        means = np.stack([even.x1[even.groups == g].mean(axis=0) for g in range(len(even.shares))])
        assert (means.var(axis=0) / even.x1.var(axis=0)).mean() < 0.03


def test_classes_of_a_donor_lie_in_patches_where_the_scenario_says_so():
    sample = draw("donors_patches", n=4000, **FEW, seed=0)
    near = np.linalg.norm(np.diff(sample.coordinates, axis=0), axis=1) < 150
    by_chance = np.average((sample.shares**2).sum(axis=1), weights=np.bincount(sample.groups))
    assert (sample.y[1:] == sample.y[:-1])[near].mean() > by_chance + 0.1


def test_the_family_spans_what_tissue_shows():
    members = [SCENARIOS[name] for name in DONORS]
    assert sum(s.role == "tuning" for s in members) >= 6
    assert sum(s.role == "held_out" for s in members) >= 12
    assert {s.name.removeprefix("tuning_").split("_")[0] for s in members} == {"donors"}
    assert {s.n_donors for s in members} >= {3, 6, 12}
    assert (min(s.batch_effect for s in members), max(s.batch_effect for s in members)) == (0.3, 2.0)


def test_too_few_samples_for_the_classes_are_refused():
    with pytest.raises(InputError, match="45 samples of 'donors_redundant' leave a class with fewer than 10"):
        draw("donors_redundant", n=45, seed=0)
