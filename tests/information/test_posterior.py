"""The posterior estimator as a whole, on small samples whose decomposition is known."""

import numpy as np
import pytest

from beyond_alignment.errors import InputError
from beyond_alignment.information import estimate_pid
from beyond_alignment.information.estimate import TERMS
from beyond_alignment.simulate import linear_embedding_task

SMALL = {"n_bootstrap": 20, "n_folds": 2}


def sample(kind, n=1200, seed=0):
    task = linear_embedding_task(kind, n=n, dim=8, noise=0.15, seed=seed, n_donors=12)
    return task.x1, task.x2, task.y, task.groups


@pytest.fixture(scope="module")
def xor():
    return estimate_pid(*sample("xor"), n_bootstrap=100, n_folds=3)


@pytest.fixture(scope="module")
def small():
    return estimate_pid(*sample("unique1", n=360), **SMALL)


@pytest.fixture(scope="module")
def copy():
    return estimate_pid(*sample("copy"), n_bootstrap=100, n_folds=3)


def test_xor_is_interaction_synergy(xor):
    assert xor.sis == pytest.approx(1, abs=0.05)
    assert xor.pid.synergy == pytest.approx(1, abs=0.1)
    assert xor.pid.synergy_interaction == pytest.approx(xor.pid.synergy, abs=0.05)
    assert xor.p_synergy < 0.05
    assert xor.p_interaction < 0.05


def test_copy_is_unique_information_and_no_synergy(copy):
    assert copy.pid.unique1 == pytest.approx(1, abs=0.1)
    assert copy.pid.unique2 == pytest.approx(1, abs=0.1)
    assert copy.sis < 0.03
    assert copy.p_synergy > 0.05


def test_the_sum_of_two_bits_is_additive_synergy():
    x1, x2, both, groups = sample("copy")
    found = estimate_pid(x1, x2, both // 2 + both % 2, groups, n_bootstrap=50, n_folds=3)
    assert found.pid.synergy_additive == pytest.approx(1, abs=0.12)
    assert found.pid.synergy_interaction < 0.05
    assert found.p_synergy < 0.05


def test_labels_that_nothing_tells_about_have_no_score():
    x1, x2, _, groups = sample("xor")
    y = np.random.default_rng(3).integers(0, 2, len(x1))
    found = estimate_pid(x1, x2, y, groups, n_bootstrap=100, n_folds=3)
    assert found.sis == 0
    assert found.intervals["sis"] == (0, 1)
    assert found.p_synergy > 0.05
    assert any("nothing certain" in warning for warning in found.warnings)


def test_terms_are_consistent_and_intervals_hold_them(xor, copy):
    for found in (xor, copy):
        pid = found.pid
        assert min(getattr(pid, term) for term in TERMS) >= 0
        assert pid.synergy_additive + pid.synergy_interaction == pytest.approx(pid.synergy, abs=1e-12)
        assert pytest.approx(pid.I12) == found.mutual_information.I12
        assert set(found.intervals) == set(TERMS)
        for term, (low, high) in found.intervals.items():
            assert low <= getattr(pid, term) <= high
        assert 0 <= pid.gap < 1e-6


def test_exchanging_the_sources_exchanges_the_terms(small):
    x1, x2, y, groups = sample("unique1", n=360)
    back = estimate_pid(x2, x1, y, groups, **SMALL)
    assert small.pid.unique1 == pytest.approx(back.pid.unique2, abs=0.05)
    assert small.pid.unique1 > 0.9


def test_the_same_seed_gives_the_same_answer_whatever_names_of_classes_and_memory_mapped_sources(tmp_path, small):
    x1, x2, y, groups = sample("unique1", n=360)
    mapped = []
    for name, x in (("first", x1), ("second", x2)):
        np.save(tmp_path / f"{name}.npy", x)
        mapped.append(np.load(tmp_path / f"{name}.npy", mmap_mode="r"))
    found = estimate_pid(*mapped, np.array(["a", "b"])[y], groups, **SMALL)
    assert found.pid == small.pid
    assert found.intervals == small.intervals
    assert found.classes == ("a", "b")


@pytest.mark.parametrize(
    ("options", "said"),
    [({"n_bootstrap": 3}, "replicates"), ({"device": "tpu"}, "device"), ({"n_folds": 40}, "groups")],
)
def test_bad_options_are_one_sentence(options, said):
    with pytest.raises(InputError, match=said):
        estimate_pid(*sample("xor", n=240), **options)


def test_few_samples_and_few_groups_are_warned_of():
    x1, x2, y, groups = sample("redundant", n=300)
    found = estimate_pid(x1, x2, y, groups % 3, n_folds=3, n_bootstrap=20)
    said = " ".join(found.warnings)
    assert "300 samples" in said
    assert "3 groups" in said
