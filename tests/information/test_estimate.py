"""The frame of all estimators: what it makes of informations, its nulls and intervals, and samples of known truth."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from beyond_alignment.errors import InputError
from beyond_alignment.information import estimate_pid, neural
from beyond_alignment.information.estimate import (
    MEASURED,
    PARTS,
    PID_ESTIMATORS,
    TERMS,
    _estimate,
    _terms,
    shuffle_within,
)
from beyond_alignment.information.exact import mutual_information
from beyond_alignment.information.informations import Informations
from beyond_alignment.information.samples import check_samples
from beyond_alignment.resampling import default_units, reflected_p_value
from beyond_alignment.simulate import draw, linear_embedding_task

SMALL = {"n_bootstrap": 20, "n_folds": 2, "n_null": 0}


def planted(kind, n=1200, shift=0.0):
    """Samples of a gate; donors move both sources by `shift`."""
    task = linear_embedding_task(kind, n=n, dim=8, noise=0.15, seed=0, n_donors=12)
    moves = shift * np.random.default_rng(1).standard_normal((2, 12, 8))[:, task.groups]
    return task.x1 + moves[0], task.x2 + moves[1], task.y, task.groups


# ---------------------------------------------------------------------------------------------- from informations

bits = st.lists(st.floats(-0.5, 3), min_size=5, max_size=5)


@given(st.lists(bits, min_size=1, max_size=5))
def test_any_informations_become_consistent_terms(rows):
    table = _terms(np.array(rows))
    assert tuple(table) == TERMS
    assert (table[list(PARTS)].to_numpy() >= 0).all()
    assert (table[["sis", "sis_interaction"]].to_numpy() <= 1).all()
    raw = np.array(rows)
    for name, own, column in (("I1", "unique1", 0), ("I2", "unique2", 1)):
        np.testing.assert_allclose(table["redundancy"] + table[own], np.maximum(raw[:, column], 0), atol=1e-12)
        np.testing.assert_array_equal(table[name], raw[:, column])
    np.testing.assert_array_equal(table["synergy_raw"], raw[:, 3] - raw[:, 2])
    parts = table["synergy_additive"] + table["synergy_interaction"]
    np.testing.assert_allclose(table["synergy"], parts, atol=1e-12)


def test_informations_that_allow_a_decomposition_are_kept():
    row = _terms(np.array([[0.5, 0.4, 0.7, 1.2, 0.3]])).iloc[0]
    expected = {"redundancy": 0.2, "unique1": 0.3, "unique2": 0.2, "synergy": 0.5, "synergy_additive": 0.2}
    for name, value in (expected | {"I1": 0.5, "I2": 0.4, "I12": 1.2, "synergy_raw": 0.5, "sis": 5 / 12}).items():
        assert row[name] == pytest.approx(value)


def made_samples(n_groups=8, n=400, seed=0):
    """Samples whose groups differ in size; the sources say nothing."""
    rng = np.random.default_rng(seed)
    groups = None if n_groups is None else np.minimum(rng.integers(0, n_groups + 3, n), n_groups - 1)
    return check_samples(rng.normal(size=(n, 2)), rng.normal(size=(n, 2)), rng.integers(0, 2, n), groups)


def estimated(values, *, samples=None, by_group=None, null=None, reflected=False, bias=0.0):
    """Estimate of hand-made informations, whose 200 replicates lie around them."""
    samples = samples or made_samples()
    values = np.array(values)
    drawn = values + bias + 0.01 * np.random.default_rng(0).standard_normal((200, 5))
    found = Informations(np.vstack([values, drawn]), by_group, 0.0, reflected, ())
    refits = pd.DataFrame(columns=list(TERMS), dtype=float)
    if null is not None:
        refits = _terms(np.array(null)[:, None] * np.array([0.1, 0.1, 0.1, 1, 0]))
    units = default_units(samples.groups, None, samples.n)
    return _estimate(found, samples, units, refits, method="posterior", level=0.95)


def test_a_joint_model_that_tells_less_than_one_source_is_told_and_clips_nothing_that_was_measured():
    found = estimated([0.5, 0.4, 0.6, 0.45, 0.0])
    assert found.pid.synergy == 0
    assert found.synergy_raw == pytest.approx(-0.15)
    assert (found.mutual_information.I1, found.mutual_information.I12) == (0.5, 0.45)
    assert found.value("synergy_raw") == found.synergy_raw
    low, high = found.intervals["synergy_raw"]
    assert low < -0.15 < high < 0
    said = "tells less (0.45 bits) than one source alone (0.50), so the synergy as measured is -0.15 bits"
    assert any(said in warning for warning in found.warnings)
    assert not any("tells less" in warning for warning in estimated([0.5, 0.4, 0.6, 0.7, 0.0]).warnings)


def test_the_score_is_not_determined_where_the_joint_information_does_not_exceed_its_null():
    told, null = [0.1, 0.1, 0.15, 0.2, 0.0], np.linspace(0, 0.1, 19)
    above = estimated(told, null=null)
    assert above.p_information == pytest.approx(1 / 20)
    assert above.sis == pytest.approx(0.25)
    within = estimated(told, null=np.where(np.arange(19) < 3, 0.3, null))
    assert within.p_information == pytest.approx(4 / 20)
    assert within.sis is None
    assert any("SIS is not determined" in warning for warning in within.warnings)
    assert within.table().set_index("term").at["I12", "null_most"] == pytest.approx(0.3)


def test_without_a_null_what_reaches_zero_has_no_score():
    found = estimated([0.001, 0.001, 0.001, 0.002, 0.001])
    assert np.isnan(found.p_information)
    assert found.null.empty
    assert found.sis is None
    assert found.intervals["sis"] == (0, 1)
    assert found.p_synergy > 0.05
    assert any("nothing certain" in warning for warning in found.warnings)


def test_replicates_of_a_biased_estimate_are_reflected_in_it():
    found = estimated([0.5, 0.4, 0.7, 1.2, 0.3], reflected=True)
    drawn = found.replicates["I12"]
    low, high = found.intervals["I12"]
    np.testing.assert_allclose([low, high], 2.4 - np.quantile(drawn, [0.975, 0.025]))
    plain = estimated([0.5, 0.4, 0.7, 1.2, 0.3])
    np.testing.assert_allclose(plain.intervals["I12"], np.quantile(drawn, [0.025, 0.975]))
    biased = estimated([0.5, 0.4, 0.7, 1.2, 0.3], reflected=True, bias=0.2).intervals["I12"]
    assert biased[0] == pytest.approx(low - 0.2)
    assert biased[1] == pytest.approx(1.2)  # widened to hold the estimate


def test_the_p_value_of_what_is_bias_alone_is_large():
    rng = np.random.default_rng(0)
    assert reflected_p_value(0.2 + 0.01 * rng.normal(size=200), 0.1) > 0.3
    assert reflected_p_value(0.6 + 0.01 * rng.normal(size=200), 0.5) == pytest.approx(1 / 201)
    assert reflected_p_value(np.zeros(200), 0.0) == 1


def test_intervals_over_groups_are_those_of_a_plain_jackknife():
    samples = made_samples()
    rng = np.random.default_rng(2)
    sizes = np.bincount(samples.group_codes)
    told = np.array([0.5, 0.4, 0.7, 1.2, 0.3])
    by_group = told + 0.05 * rng.standard_normal((8, 5))
    found = estimated(told, samples=samples, by_group=by_group)
    whole = np.average(by_group, axis=0, weights=sizes)
    without = [np.average(np.delete(by_group, g, 0), axis=0, weights=np.delete(sizes, g)) for g in range(8)]
    left_out = [_terms((told + one - whole)[None]).iloc[0] for one in without]
    assert set(found.group_intervals) == set(TERMS)
    for term in ("I12", "synergy_raw", "redundancy", "synergy", "sis"):
        values = [row[term] for row in left_out]
        error = np.sqrt(7 / 8 * sum((value - np.mean(values)) ** 2 for value in values))
        reach = student.ppf(0.975, 7) * error
        expected = found.value(term) - reach, found.value(term) + reach
        np.testing.assert_allclose(found.group_intervals[term], expected, atol=1e-12)


@pytest.mark.parametrize("n_groups", [None, 5])
def test_fewer_than_six_groups_have_no_intervals_over_groups(n_groups):
    by_group = None if n_groups is None else np.full((5, 5), 0.5)
    found = estimated([0.5, 0.4, 0.7, 1.2, 0.3], samples=made_samples(n_groups), by_group=by_group)
    assert found.group_intervals == {}


def test_what_speaks_against_the_samples_is_said():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(4), 100)
    y = np.where(groups < 2, "a", np.where(rng.random(400) < 0.5, "a", "b"))
    y = y.astype(object)
    y[:30], y[100:130] = "b", "b"
    y[50:70], y[150] = "rare", "rare"
    samples = check_samples(rng.normal(size=(400, 2)), rng.normal(size=(400, 2)), y, groups)
    said = " ".join(estimated([0.5, 0.4, 0.7, 0.9, 0.3], samples=samples).warnings)
    assert "'rare' (1 of 4)" in said
    assert "The group alone tells" in said
    assert "There are 400 samples" in said
    assert "There are 4 groups" in said


# ------------------------------------------------------------------------------------------------------- the null


@pytest.mark.parametrize("n_groups", [None, 8])
def test_shuffled_labels_keep_the_classes_of_every_group_and_their_numbers(n_groups):
    samples = made_samples(n_groups)
    samples = replace(samples, numbers=samples.codes[:, None] + np.linspace(0, 0.5, samples.n)[:, None])
    shuffled, again, other = (shuffle_within(samples, seed=seed) for seed in (1, 1, 2))
    for group in np.unique(samples.group_codes):
        held = samples.group_codes == group
        np.testing.assert_array_equal(np.sort(shuffled.numbers[held, 0]), np.sort(samples.numbers[held, 0]))
    np.testing.assert_array_equal(shuffled.numbers[:, 0].astype(int), shuffled.codes)
    assert (shuffled.codes != samples.codes).mean() > 0.3
    np.testing.assert_array_equal(shuffled.codes, again.codes)
    assert (shuffled.codes != other.codes).any()
    assert shuffled.x1 is samples.x1


def test_the_same_seed_gives_the_same_null_and_the_order_of_samples_does_not_matter():
    x1, x2, y, groups = planted("unique1", n=240)
    order = np.random.default_rng(0).permutation(240)
    options = {"method": "gaussian", "n_null": 3, "n_bootstrap": 20}
    found, again = (estimate_pid(x1, x2, y, groups, seed=4, **options) for _ in range(2))
    moved = estimate_pid(x1[order], x2[order], y[order], groups[order], seed=4, **options)
    pd.testing.assert_frame_equal(found.null, again.null)
    assert len(found.null) == 3
    assert found.p_information == 1 / 4
    for term in MEASURED:
        assert found.value(term) == pytest.approx(moved.value(term), abs=1e-5)
    assert found.replicates.to_numpy().tobytes() == again.replicates.to_numpy().tobytes()


def test_the_information_of_the_group_is_that_of_its_table():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(4), [60, 80, 100, 160])
    y = (rng.random(400) < np.array([0.1, 0.4, 0.6, 0.9])[groups]).astype(int)
    samples = check_samples(rng.normal(size=(400, 2)), rng.normal(size=(400, 2)), y, groups)
    table = np.zeros((4, 2))
    np.add.at(table, (groups, y), 1 / 400)
    found = estimated([0.1, 0.1, 0.15, 0.2, 0.0], samples=samples)
    assert found.group_information == pytest.approx(mutual_information(table), abs=1e-9)
    assert estimated([0.1, 0.1, 0.15, 0.2, 0.0], samples=made_samples(None)).group_information == 0


# --------------------------------------------------------------------------------------------------- every method


def test_every_estimator_has_a_record():
    assert {"posterior", "cvx", "batch", "gaussian"} == set(PID_ESTIMATORS)
    for name, estimator in PID_ESTIMATORS.items():
        assert estimator.name == name
        assert estimator.title
        assert estimator.source


def noisy(n=300):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, n)
    return rng.normal(size=(n, 3)) + y[:, None], rng.normal(size=(n, 3)), y, np.arange(n) % 12


@pytest.mark.parametrize("method", ["cvx", "batch", "gaussian"])
def test_every_estimator_answers_alike(method, monkeypatch):
    monkeypatch.setattr(neural, "CLASSIFIER_STEPS", (100, 100))
    monkeypatch.setattr(neural, "COUPLING_STEPS", (20, 20))
    options = {"blocks": np.arange(300) // 20, "seed": 1, "n_bootstrap": 20, "n_null": 0, "level": 0.9}
    found = estimate_pid(*noisy(), method=method, **options)
    assert (found.method, found.n, found.n_groups, found.n_bootstrap, found.level) == (method, 300, 12, 20, 0.9)
    assert found.pid.unique1 > 0.2
    assert tuple(found.table()["term"]) == tuple(found.intervals) == TERMS
    assert np.isfinite(found.p_interaction) == PID_ESTIMATORS[method].estimates_parts


@pytest.mark.parametrize(
    ("options", "said"),
    [({"method": "magic"}, "There is no estimator 'magic'"), ({"device": "tpu"}, "There is no device 'tpu'")],
)
def test_bad_options_are_one_sentence(options, said):
    with pytest.raises(InputError, match=said):
        estimate_pid(*noisy(), **options)


# ----------------------------------------------------------------------------- the estimator of this project as a whole


@pytest.fixture(scope="module")
def xor():
    return estimate_pid(*planted("xor", shift=3.0), n_bootstrap=50, n_folds=2, n_null=0)


@pytest.fixture(scope="module")
def copy():
    return estimate_pid(*planted("copy"), n_bootstrap=50, n_folds=2, n_null=0)


@pytest.fixture(scope="module")
def small():
    return estimate_pid(*planted("unique1", n=360), **SMALL)


def test_xor_is_interaction_synergy_however_donors_move_the_sources(xor):
    assert xor.sis == pytest.approx(1, abs=0.05)
    assert xor.pid.synergy == pytest.approx(1, abs=0.1)
    assert xor.pid.synergy_interaction == pytest.approx(xor.pid.synergy, abs=0.05)
    assert xor.p_synergy < 0.05
    assert xor.p_interaction < 0.05


def test_copy_is_unique_information_and_no_synergy(copy):
    assert copy.pid.unique1 == pytest.approx(1, abs=0.1)
    assert copy.pid.unique2 == pytest.approx(1, abs=0.1)
    assert copy.pid.sis < 0.03
    assert copy.p_synergy > 0.05


def test_the_sum_of_two_bits_is_additive_synergy():
    x1, x2, both, groups = planted("copy")
    found = estimate_pid(x1, x2, both // 2 + both % 2, groups, n_bootstrap=50, n_folds=2, n_null=0)
    assert found.pid.synergy_additive == pytest.approx(1, abs=0.12)
    assert found.pid.synergy_interaction < 0.05
    assert found.p_synergy < 0.05


def test_terms_are_consistent_and_intervals_hold_them(xor, copy):
    for found in (xor, copy):
        pid = found.pid
        assert min(getattr(pid, term) for term in PARTS) >= 0
        assert pid.synergy_additive + pid.synergy_interaction == pytest.approx(pid.synergy, abs=1e-12)
        assert set(found.intervals) == set(found.group_intervals) == set(TERMS)
        for term in TERMS:
            for intervals in (found.intervals, found.group_intervals):
                assert intervals[term][0] <= found.value(term) <= intervals[term][1]
        assert 0 <= pid.gap < 1e-6


def test_exchanging_the_sources_exchanges_the_terms(small):
    x1, x2, y, groups = planted("unique1", n=360)
    back = estimate_pid(x2, x1, y, groups, **SMALL)
    assert small.pid.unique1 == pytest.approx(back.pid.unique2, abs=0.05)
    assert small.pid.unique1 > 0.9


def test_the_same_seed_gives_the_same_answer_whatever_names_of_classes_and_memory_mapped_sources(tmp_path, small):
    x1, x2, y, groups = planted("unique1", n=360)
    mapped = []
    for name, x in (("first", x1), ("second", x2)):
        np.save(tmp_path / f"{name}.npy", x)
        mapped.append(np.load(tmp_path / f"{name}.npy", mmap_mode="r"))
    found = estimate_pid(*mapped, np.array(["a", "b"])[y], groups, **SMALL)
    assert found.pid == small.pid
    assert found.intervals == small.intervals
    assert found.classes == ("a", "b")


@pytest.fixture(scope="module")
def donors_alone():
    noise = draw("donors_noise", n=600, seed=0)
    return estimate_pid(noise.x1, noise.x2, noise.y, noise.groups, n_bootstrap=20, n_folds=2, n_null=3)


def test_donors_that_differ_in_shares_and_sources_tell_nothing_within_donors(donors_alone):
    assert donors_alone.group_information > 0.3
    assert abs(donors_alone.mutual_information.I12) < 0.05
    assert donors_alone.p_information >= 1 / 4
    assert donors_alone.value("I12") < donors_alone.null["I12"].max() + 0.02
    assert donors_alone.sis is None
    assert any("The group alone tells" in warning for warning in donors_alone.warnings)


def test_pure_noise_is_not_biased_upwards(donors_alone):
    told = [donors_alone.value("I12"), *donors_alone.null["I12"]]
    rng = np.random.default_rng(0)
    x1, x2, y = rng.normal(size=(300, 4)), rng.normal(size=(300, 4)), rng.integers(0, 2, 300)
    told.append(estimate_pid(x1, x2, y, **SMALL).value("I12"))  # without groups
    assert np.mean(told) == pytest.approx(0, abs=0.02)
    assert np.max(told) < 0.05
