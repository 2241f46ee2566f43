"""The real tissue, where a mirror of it is at hand."""

import os

import numpy as np
import pytest
from PIL import Image

from beyond_alignment.datasets import at_hand, load, measured_microns_per_pixel
from beyond_alignment.datasets.fetch import fetch
from beyond_alignment.datasets.genesets import hallmark_sets
from beyond_alignment.datasets.registry import data_set
from beyond_alignment.datasets.weights import weights_path

MIRROR = os.environ.get("BEYOND_ALIGNMENT_MIRROR")
pytestmark = pytest.mark.skipif(not MIRROR, reason="BEYOND_ALIGNMENT_MIRROR names no mirror of the real data")
SPOTS = {
    "her2st": {"A1": 346, "A2": 325, "B4": 283, "C2": 187, "C3": 180, "C4": 184, "C5": 181, "C6": 178},
    "mob": {"MOB1": 379, "MOB2": 407, "MOB3": 438, "MOB4": 403},
    "crc_visium": {"crc": 3106},
}
GENES = {"her2st": 17842, "mob": 1000, "crc_visium": 36601}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return {"cache": tmp_path_factory.mktemp("cache"), "mirror": MIRROR}


@pytest.fixture(scope="module")
def tissue(places):
    return {name: load(name, network=False, **places) for name in SPOTS}


@pytest.mark.parametrize("name", SPOTS)
def test_spots_and_genes(tissue, name):
    adata = tissue[name]
    assert adata.obs["section"].value_counts().to_dict() == SPOTS[name]
    assert adata.n_vars == GENES[name]
    assert adata.obs_names.is_unique
    assert adata.var_names.is_unique
    assert np.isfinite(adata.X.data).all()
    assert (adata.X.data > 0).all()
    assert (adata.X.data == adata.X.data.round()).all()
    assert adata.obs.drop(columns="pathologist", errors="ignore").notna().all(axis=None)


@pytest.mark.parametrize("name", SPOTS)
def test_every_spot_lies_inside_its_image(tissue, places, name, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    adata = tissue[name]
    for section, spatial in adata.uns["spatial"].items():
        with Image.open(fetch(name, spatial["metadata"]["image"], **places)) as image:
            size = np.array(image.size)
        centres = (
            adata.obsm["spatial"][adata.obs["section"] == section] * spatial["scalefactors"]["tissue_image_scalef"]
        )
        assert (centres > 0).all()
        assert (centres < size).all()


@pytest.mark.parametrize("name", SPOTS)
def test_the_scale_in_the_registry_is_the_one_the_spots_give(tissue, name):
    for section in SPOTS[name]:
        stated = data_set(name).sections[section].microns_per_pixel
        assert measured_microns_per_pixel(tissue[name], section) == pytest.approx(stated, rel=0.005)


def test_her2st_has_compositions_labels_and_names_what_is_absent(tissue, places):
    adata = tissue["her2st"]
    np.testing.assert_allclose(adata.obsm["composition"].sum(axis=1), 1.0, atol=1e-6)
    assert adata.obsm["composition"].shape == (1864, 8)
    labelled = adata.obs["pathologist"].notna()
    assert set(adata.obs["section"][labelled]) == {"A1"}
    assert labelled.sum() == 346
    assert at_hand("her2st", **places) == tuple(SPOTS["her2st"])
    assert len(at_hand("her2st", images=False, **places)) == 36
    assert set(adata.uns["dataset"]["sections_absent"]) == set(data_set("her2st").sections) - set(SPOTS["her2st"])


def test_bacteria(tissue):
    bacteria = tissue["crc_visium"].obs["bacterial_umis"]
    assert (bacteria.sum(), (bacteria > 0).sum(), bacteria.max()) == (183376, 1268, 3397)


def test_xenium_gene_sets_and_weights(places):
    field = load("xenium_breast_crop", **places)
    assert field["table"].shape == (122, 313)
    assert field["he_image"]["scale0"].image.shape == (3, 448, 527)
    assert len(field["transcripts"]) == 23691
    assert len(hallmark_sets(**places)) == 50
    assert weights_path("mobilenetv2_100", **places).stat().st_size == 4543856
