"""The tables of the alignment page, on known truth and on synthetic tissue."""

import numpy as np
import pytest

from beyond_alignment.alignment import (
    ALIGNED,
    RAW,
    ReducedPair,
    average_over_seeds,
    held_out_correlations,
    retained_by_size,
    retained_on_tissue,
    spectrum_by_size,
)


@pytest.fixture(scope="module")
def shared():
    """Two embeddings of 8 donors that share one bit; each has a private bit too."""
    rng = np.random.default_rng(0)
    n = 800
    bit, private = rng.integers(0, 2, (2, n))
    x1 = np.column_stack([2 * bit - 1, 2 * private - 1, rng.normal(size=(n, 6))]) + 0.3 * rng.normal(size=(n, 8))
    x2 = np.column_stack([2 * bit - 1, rng.normal(size=(n, 4))]) + 0.3 * rng.normal(size=(n, 5))
    donors = np.array([f"d{i % 8}" for i in range(n)])
    labels = {"shared": np.array(["a", "b"], dtype=object)[bit], "private": np.array(["a", "b"], dtype=object)[private]}
    return (x1, x2), labels, donors


def test_alignment_keeps_what_is_shared_and_drops_what_is_private(shared):
    pair, labels, donors = shared
    labels = {name: values.copy() for name, values in labels.items()}
    labels["private"][:50] = None  # spots without a label are left out
    table = retained_on_tissue(pair, labels, {"donor": donors}, n_directions=1).set_index(["label", "representation"])
    assert table.loc[("shared", ALIGNED), "fraction"] > 0.9
    assert table.loc[("private", ALIGNED), "fraction"] < 0.05
    assert table.loc[("private", RAW), "fraction"] > 0.9
    assert table.loc[("private", RAW), "n"] == 750


def test_a_shared_direction_holds_in_a_group_held_out(shared):
    pair, _, donors = shared
    table = held_out_correlations(pair, donors, n_directions=2)
    first = table[table["direction"] == 1]
    assert len(first) == 8
    assert first["held-out"].min() > 0.8
    second = table[table["direction"] == 2]
    assert second["training"].max() < 0.3  # nothing else is shared


def test_the_reduced_pair_is_fitted_on_training_samples_alone(shared):
    (x1, x2), _, _ = shared
    model = ReducedPair(n_components=3).fit((x1[:400], x2[:400]))
    z = model.transform((x1, x2))
    assert z.shape == (800, 6)
    again = ReducedPair(n_components=3).fit((x1[:400], x2[:400])).transform((x1[:10], x2[:10]))
    assert np.allclose(z[:10], again)


def test_the_ceiling_falls_to_its_population_value_and_the_excess_is_near_it_at_every_size():
    table = spectrum_by_size([400, 3000], seeds=[0], n_permutations=40).set_index("n")
    population = (1 / (1 + 0.25**2)) ** 2  # one shared bit in noise of sd 0.25
    assert table.loc[3000, "ceiling"] < table.loc[400, "ceiling"]
    assert table.loc[3000, "excess"] == pytest.approx(population, abs=0.06)
    assert (table["rank"] == 1).all()


def test_synergy_is_in_the_concatenation_and_not_in_the_aligned_subspace():
    table = average_over_seeds(retained_by_size([800], seeds=[0, 1])).set_index(["representation", "label", "probe"])
    assert table.loc[(RAW, "synergy", "nonlinear"), "fraction"] > 0.8
    assert abs(table.loc[(ALIGNED, "synergy", "nonlinear"), "fraction"]) < 0.05
    assert table.loc[(ALIGNED, "redundant", "linear"), "fraction"] > 0.9
    assert (table["low"] <= table["fraction"]).all()
