"""Rings of growing distance around a spot: who is in them, and what a split must leave out."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from beyond_alignment.errors import InputError
from beyond_alignment.tasks import get_task
from beyond_alignment.tasks.labels import labelled
from beyond_alignment.tasks.registry import RING_EDGES_UM, TASKS, ring_name
from beyond_alignment.tasks.rings import distances_within, expression_clusters, label_rings, ring_mean
from beyond_alignment.tasks.splits import microns, split_task
from tests.tissue import make_tissue


def test_ring_means_equal_a_slow_loop():
    adata = make_tissue(side=7)
    places, sections = microns(adata), adata.obs["section"].to_numpy()
    values = adata.obsm["composition"].to_numpy()
    apart = cdist(places, places)
    apart[sections[:, None] != sections[None, :]] = np.inf
    for inner, outer in ((0, 300), (300, 500), (500, 900)):
        slow = np.full(values.shape, np.nan)
        for spot in range(adata.n_obs):
            inside = (apart[spot] > inner) & (apart[spot] <= outer)
            if inside.sum() >= 3:
                slow[spot] = values[inside].mean(axis=0)
        found = ring_mean(distances_within(adata, 900), values, inner_um=inner, outer_um=outer)
        np.testing.assert_allclose(found, slow)


def test_a_ring_leaves_the_spot_and_the_nearer_rings_out():
    adata = make_tissue(side=9, sections=("A1",))
    label_rings(adata, "her2st", adata.obsm["composition"])
    before = {edge: adata.obsm[f"task_ring_{edge}um"].copy() for edge in RING_EDGES_UM["her2st"]}
    centre = 40
    touching = [31, 39, 41, 49, 30, 32, 48, 50]
    adata.obsm["composition"].iloc[[centre, *touching]] = np.eye(8)[0]
    label_rings(adata, "her2st", adata.obsm["composition"])
    assert adata.obsm["task_ring_300um"].iloc[centre, 0] == pytest.approx(1)
    for edge in (500, 700, 900):
        np.testing.assert_allclose(adata.obsm[f"task_ring_{edge}um"].iloc[centre], before[edge].iloc[centre])
    np.testing.assert_allclose(adata.obsm["task_ring_500um"].dropna().sum(axis=1), 1)
    assert adata.uns["task_ring_500um"]["made_from"] == "neighbours"
    assert (adata.uns["task_ring_500um"]["inner_um"], adata.uns["task_ring_500um"]["outer_um"]) == (300, 500)


def test_no_spot_has_a_say_in_ring_labels_of_both_sides_of_a_block_split():
    adata = make_tissue(side=40, sections=("crc",), pitch_um=100.0)
    for edge in RING_EDGES_UM["crc_visium"]:
        for split in split_task(adata, ring_name("crc_visium", edge), "block"):
            places = microns(adata)
            assert cdist(places[split.train], places[split.test]).min() > 2 * edge
            assert cdist(places[split.train], places[split.test], "chebyshev").min() > 600


def test_every_data_set_has_rings_from_near_to_far():
    for data_set, edges in RING_EDGES_UM.items():
        assert list(edges) == sorted(edges)
        assert [get_task(ring_name(data_set, edge)).reach_um for edge in edges] == list(edges)
    assert {task.data_set for task in TASKS.values() if "ring" in task.name} == set(RING_EDGES_UM)


def test_spots_without_enough_company_carry_no_label():
    adata = make_tissue(side=2, sections=("A1",))
    label_rings(adata, "her2st", adata.obsm["composition"])
    assert len(labelled(adata, "ring_300um")[0]) == 4
    assert len(labelled(adata, "ring_900um")[0]) == 0


def test_clusters_are_whole_spots_and_blind_to_the_means_of_sections():
    adata = make_tissue(side=6)
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, adata.n_obs)
    signal = np.repeat(np.eye(3)[kind] * 6, 10, axis=1) + rng.normal(size=(adata.n_obs, 30)) * 0.1
    adata.X = signal + 50 * (adata.obs["section"] == "A1").to_numpy()[:, None]
    found = expression_clusters(adata, n_clusters=3)
    np.testing.assert_array_equal(found.sum(axis=1), 1)
    table = pd.crosstab(kind, found.to_numpy().argmax(axis=1))
    assert (table > 0).sum().sum() == 3  # the three kinds again, although one section's mean is shifted
    assert list(found.sum()) == sorted(found.sum(), reverse=True)


def test_two_spots_at_one_place_are_refused():
    adata = make_tissue(side=4)
    adata.obsm["spatial"][1] = adata.obsm["spatial"][0]
    with pytest.raises(InputError, match="section A1 lie at the same place"):
        label_rings(adata, "her2st", adata.obsm["composition"])
