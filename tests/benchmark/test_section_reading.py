"""Reading the section: a planted offset is read, smooth tissue and permuted names are not."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import KFold, cross_val_predict

from beyond_alignment.benchmark.section_reading import (
    balanced_accuracy,
    donors_with_sections,
    matching_blocks,
    read_section,
    section_leakage,
)
from beyond_alignment.errors import InputError
from beyond_alignment.tasks.splits import microns
from tests.tissue import make_tissue


def tissue_of(*sections, side=20):
    adata = make_tissue(side=side, sections=sections)
    return adata, microns(adata), adata.obs["section"].astype(str).to_numpy()


def smooth_fields(points, sections, *, length, n=12, seed=0):
    """Return a random smooth field over every section, independent from section to section: (spot, field)."""
    rng = np.random.default_rng(seed)
    values = np.empty((len(points), n))
    for name in np.unique(sections):
        rows = sections == name
        waves, phase, weight = rng.normal(0, 1 / length, (2, 300)), rng.uniform(0, 7, 300), rng.normal(size=(300, n))
        values[rows] = np.cos(points[rows] @ waves + phase) @ weight / np.sqrt(150)
    return values


def test_a_planted_offset_is_read():
    _, points, sections = tissue_of("A1", "A2", "A3")
    offset = np.eye(3, 10)[np.unique(sections, return_inverse=True)[1]]
    noise = np.random.default_rng(0).normal(size=(len(points), 10))
    found = section_leakage(8 * offset + noise, sections, points, n_replicates=50)
    assert found["value"] > 0.99
    assert found["excess"] > 0.98
    assert (found["chance"], found["n_sections"], found["n"]) == (pytest.approx(1 / 3), 3, 1200)


def test_the_accuracy_of_a_known_offset_is_the_bayes_rate():
    """Two normal distributions d apart are told apart with probability Phi(d / 2)."""
    _, points, sections = tissue_of("A1", "A2", side=40)
    x = np.random.default_rng(0).normal(size=(len(points), 3))
    x[sections == "A2", 0] += 2.0
    found = section_leakage(x, sections, points, n_replicates=200)
    assert found["value"] == pytest.approx(0.8413, abs=0.02)
    assert found["low"] < 0.8413 < found["high"]


def test_permuted_names_and_unequal_sections_are_at_chance():
    _, points, sections = tissue_of("A1", "A2", "A3")
    kept = np.r_[0:400, 400:600, 800:900]  # the sections differ in size
    x = np.random.default_rng(0).normal(size=(len(points), 10))[kept]
    values = [
        section_leakage(x[np.random.default_rng(s).permutation(len(x))], sections[kept], points[kept],
                        n_replicates=1, buffer_um=200, seed=s)["value"]
        for s in range(5)
    ]  # fmt: skip
    assert np.mean(values) == pytest.approx(1 / 3, abs=0.04)


def test_smooth_tissue_is_read_by_a_random_split_but_not_past_a_buffer():
    """Fields that are smooth over 400 um and know nothing of the section tell neighbours, and so sections, apart."""
    _, points, sections = tissue_of("A1", "A2", side=24)
    naive, blocked = [], []
    for seed in range(4):
        x = smooth_fields(points, sections, length=400, seed=seed)
        x = np.hstack([x, x**2])
        folds = KFold(4, shuffle=True, random_state=0)
        guess = cross_val_predict(LogisticRegression(max_iter=500), x, sections, cv=folds)
        naive.append(balanced_accuracy_score(sections, guess))
        blocked.append(section_leakage(x, sections, points, buffer_um=1000, n_replicates=1)["value"])
    assert np.mean(naive) > 0.6
    assert np.mean(blocked) == pytest.approx(0.5, abs=0.06)


def test_the_same_region_of_every_section_is_held_out_behind_a_buffer():
    _, points, sections = tissue_of("A1", "A2")
    splits, blocks = matching_blocks(points, sections, n_blocks=4, buffer_um=500)
    assert sorted(np.concatenate([split.test for split in splits])) == list(range(len(points)))
    assert (blocks[sections == "A1"] == blocks[sections == "A2"]).all()
    for split in splits:
        for name in ("A1", "A2"):
            test, train = (rows[sections[rows] == name] for rows in (split.test, split.train))
            assert np.abs(points[test][:, None] - points[train][None]).max(axis=2).min() > 500


def test_balanced_accuracy_equals_scikit_learn_in_every_replicate():
    rng = np.random.default_rng(0)
    truth, guess, tile = rng.integers(0, 3, 300), rng.integers(0, 3, 300), rng.integers(0, 9, 300)
    weights = np.vstack([np.ones(9), rng.integers(0, 3, (4, 9))]).astype(float)
    found = balanced_accuracy(truth, guess, tile, weights)
    for value, row in zip(found, weights, strict=True):
        assert value == pytest.approx(balanced_accuracy_score(truth, guess, sample_weight=row[tile]))


def test_donors_with_two_sections_are_read_and_one_section_is_refused():
    adata, points, sections = tissue_of("A1", "A2", "B1", side=10)
    adata.obsm["X_pca"] = np.random.default_rng(0).normal(size=(adata.n_obs, 4))
    assert donors_with_sections(adata) == ["A"]
    found = read_section(adata, "pca", "A", buffer_um=200, n_replicates=20)
    assert (found["chance"], found["n_sections"], found["n"], found["reads"]) == (0.5, 2, 200, "expression")
    assert read_section(adata, "pca", "A", buffer_um=200, n_replicates=20) == found
    with pytest.raises(InputError, match="No donor"):
        donors_with_sections(adata[sections != "A2"].copy())
    with pytest.raises(InputError, match="two or more"):
        section_leakage(np.ones((100, 2)), sections[:100], points[:100])
    with pytest.raises(InputError, match="narrower buffer"):
        section_leakage(np.ones((200, 2)), sections[:200], points[:200], buffer_um=5000)
