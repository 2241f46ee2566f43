"""Clusters of tile embeddings: planted ones are found, and their measures have closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from beyond_alignment.errors import InputError
from beyond_alignment.tokens import TileFold, cluster_tiles, compare_clusters
from beyond_alignment.tokens.cluster_measures import coherence, variance_between
from tests.tokens.fields import lattice, tiles_at

STEP, WIDTH = 16.0, 32.0
CENTRES = lattice(12, 12, STEP)
STRIPES = (CENTRES[:, 0] // 64.0).astype(int)  # three stripes of four columns


def planted(labels, *, width=12, apart=6.0, seed=0):
    """Return an embedding (tile, feature) of well separated groups."""
    rng = np.random.default_rng(seed)
    return apart * rng.normal(size=(labels.max() + 1, width))[labels] + rng.normal(size=(len(labels), width))


def test_planted_clusters_are_found_and_measured():
    targets = np.stack([STRIPES == 0, STRIPES == 1], axis=1).astype(float)
    found = cluster_tiles(planted(STRIPES), CENTRES, targets, tile_um=WIDTH, n_clusters=3)
    assert adjusted_rand_score(STRIPES, found.labels) == 1.0
    assert found.molecular == pytest.approx(1.0)
    assert found.coherence == pytest.approx(coherence(STRIPES, CENTRES, tile_um=WIDTH))


def test_clusters_are_the_same_twice():
    noise = np.random.default_rng(1).normal(size=(144, 16))
    twice = [cluster_tiles(noise, CENTRES, noise[:, :2], tile_um=WIDTH, n_clusters=4) for _ in range(2)]
    np.testing.assert_array_equal(twice[0].labels, twice[1].labels)
    assert len(np.unique(twice[0].labels)) == 4


def test_coherence_of_stripes_counts_the_pairs_that_do_not_overlap():
    # 12 rows of 10 pairs two columns apart, 4 of which cross a border, and 120 pairs down the columns; chance is 1/3
    agree = (120 + 12 * 6) / 240
    assert coherence(STRIPES, CENTRES, tile_um=WIDTH) == pytest.approx((agree - 1 / 3) / (2 / 3))


def test_coherence_of_one_cluster_and_of_opposites():
    assert coherence(np.zeros(144, int), CENTRES, tile_um=WIDTH) == 0.0
    checked = (CENTRES.sum(axis=1) // WIDTH).astype(int) % 2
    assert coherence(checked, CENTRES, tile_um=WIDTH) == pytest.approx(-1.0)


def test_shuffled_labels_are_worth_nothing():
    rng = np.random.default_rng(2)
    genes = rng.normal(size=(144, 30))
    runs = [rng.permutation(STRIPES) for _ in range(200)]
    for values in (
        [coherence(labels, CENTRES, tile_um=WIDTH) for labels in runs],
        [variance_between(labels, genes) for labels in runs],
    ):
        assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values)) + 0.01


def test_variance_between_is_the_adjusted_r2_of_a_regression():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 4, 60)
    gene = labels + rng.normal(size=60)
    design = np.eye(4)[labels]
    rest = gene - design @ np.linalg.lstsq(design, gene, rcond=None)[0]
    expected = 1 - (rest @ rest / 56) / gene.var(ddof=1)
    assert variance_between(labels, np.stack([gene, np.ones(60)], axis=1)) == pytest.approx(expected)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=144, max_size=144))
def test_names_of_clusters_do_not_matter(labels):
    labels = np.asarray(labels)
    named = np.array([3, 0, 4, 1, 2])[labels]
    first, second = (coherence(each, CENTRES, tile_um=WIDTH) for each in (labels, named))
    assert first == pytest.approx(second)
    assert first <= 1.0


def test_fields_are_clustered_apart():
    centres = np.concatenate([CENTRES, CENTRES])
    labels = np.concatenate([STRIPES, STRIPES])
    targets = np.stack([labels == 0, labels == 1], axis=1)
    tiles = tiles_at(centres, group=np.repeat(["a", "b"], 144), targets=targets.astype(float), tile_um=WIDTH)
    every = np.arange(288)
    fold = TileFold(name="both", train=every[:0], validation=every[:0], test=every)
    table = compare_clusters(tiles, {"expression_tile": (planted(labels),)}, [fold])
    assert table["group"].tolist() == ["a", "b"]
    assert table["n_tiles"].tolist() == [144, 144]
    alone = cluster_tiles(planted(labels)[:144], CENTRES, targets[:144].astype(float), tile_um=WIDTH)
    assert table.loc[0, "coherence"] == alone.coherence


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"embedding": np.ones((144, 4))}, "no 10 components"),
        ({"embedding": np.full((144, 12), np.nan)}, "not finite"),
        ({"tile_um": 7.0}, "No two tiles"),
        ({"targets": np.ones((144, 3))}, "genes that vary"),
    ],
)
def test_what_cannot_be_clustered_is_said(change, message):
    given_ = {"embedding": planted(STRIPES), "targets": planted(STRIPES), "tile_um": WIDTH} | change
    with pytest.raises(InputError, match=message):
        cluster_tiles(given_.pop("embedding"), CENTRES, given_.pop("targets"), **given_)
