"""Raw input of real spots against what the release was embedded from, where a mirror of it is at hand."""

import os

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch

from beyond_alignment.datasets import read_release
from beyond_alignment.errors import InputError
from beyond_alignment.experts.finetuning import VitStages, raw_patches, raw_spots, starting_tissue_vit
from beyond_alignment.experts.finetuning.raw_spots import raw_absence, raw_counts
from beyond_alignment.experts.finetuning.starting_weights import starting_gene_transformer

MIRROR = os.environ.get("BEYOND_ALIGNMENT_MIRROR")
mirrored = pytest.mark.skipif(not MIRROR, reason="BEYOND_ALIGNMENT_MIRROR names no mirror of the real data")


def section(release, name):
    return release[(release.obs["section"] == name).to_numpy()]


@pytest.fixture(scope="module")
def release():
    return read_release("her2st")


@mirrored
def test_patches_are_those_that_the_release_was_embedded_from():
    spots = section(read_release("mob"), "MOB1")[::-9]  # another order than that of the raw data
    model = starting_tissue_vit(tested_donors=["1"])
    raw = raw_patches(spots, model, field_of_view_um=200)
    assert raw.shape == (spots.n_obs, 112, 112, 3)
    with torch.inference_mode():
        found = VitStages(model)(torch.from_numpy(raw)).numpy()
    stored = spots.obsm["X_tissue_vit_without_1_A_B_200um"]
    assert np.abs(found - stored).max() < 5e-3 * np.abs(stored).max()  # the release is float16


@mirrored
def test_counts_are_those_that_the_release_was_embedded_from():
    spots = read_release("crc_visium")[::-200]
    stages, bins = raw_counts(spots, starting_gene_transformer(tested_donors=["crc"]))
    with torch.inference_mode():
        found = stages(torch.from_numpy(bins)).numpy()
    stored = spots.obsm["X_gene_transformer"]
    assert np.abs(found - stored).max() < 0.55 / 64  # the release keeps expression to 1 / 64


def test_a_spot_that_the_raw_data_lack_is_named(release, monkeypatch):
    spots = section(release, "C3")[:3]
    monkeypatch.setattr(raw_spots, "at_hand", lambda name, *, sections, images: sections)
    monkeypatch.setattr(raw_spots, "load", lambda name, **options: spots[1:])
    with pytest.raises(InputError, match="1 of 3 spots are not in the raw data"):
        raw_counts(spots, starting_gene_transformer(tested_donors=["C"]))


def test_a_clone_without_a_mirror_is_told_so_in_a_sentence(release, monkeypatch, tmp_path):
    monkeypatch.delenv("BEYOND_ALIGNMENT_MIRROR", raising=False)
    monkeypatch.setenv("BEYOND_ALIGNMENT_CACHE", str(tmp_path))
    spots = section(release, "C3")
    reason = raw_absence(spots, modality="morphology")
    assert "H&E images of section C3 of her2st" in reason
    assert "surrogate" in reason
    assert "counts of section A1, A2" in raw_absence(spots, modality="expression")
    with pytest.raises(InputError, match="set BEYOND_ALIGNMENT_MIRROR"):
        raw_patches(spots, starting_tissue_vit(tested_donors=["C"]), field_of_view_um=200)


def test_spots_that_the_registry_does_not_know_have_no_raw_input():
    own = ad.AnnData(obs=pd.DataFrame({"section": ["s"]}, index=["a"]))
    assert "pass patches or counts yourself" in raw_absence(own, modality="expression")


@pytest.mark.parametrize("donors", [["B", "A"], ["C"]])
def test_weights_are_those_of_a_network_that_never_saw_the_tested_donors(donors):
    assert set(donors) <= set(starting_tissue_vit(tested_donors=donors).details["excluded_donors"])


def test_donors_that_every_variant_saw_are_refused():
    with pytest.raises(InputError, match="kept from donor A, C"):
        starting_tissue_vit(tested_donors=["A", "C"])
    with pytest.raises(InputError, match="counts of donor D"):
        starting_gene_transformer(tested_donors=["A", "D"])
    assert starting_gene_transformer(tested_donors=["crc"]).module.shape.genes == 512
