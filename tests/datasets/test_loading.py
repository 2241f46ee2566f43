import importlib
import logging

import anndata as ad
import numpy as np
import pytest

from beyond_alignment.datasets import at_hand, load
from beyond_alignment.datasets.fetch import Unavailable
from beyond_alignment.errors import InputError

loading = importlib.import_module("beyond_alignment.datasets.loading")

pytestmark = pytest.mark.usefixtures("bare_environment")


def test_what_is_absent_is_left_out_and_said(tiny_her2st, mirror, caplog):
    with caplog.at_level(logging.WARNING):
        adata = load(tiny_her2st(absent=["imgs/C2.jpg"]), mirror=mirror, overview=["A1"])
    told = adata.uns["dataset"]
    assert told["sections_present"] == ["A1", "A2"]
    assert list(told["sections_absent"]) == ["C2"]
    assert "her2st/imgs/C2.jpg" in told["sections_absent"]["C2"]
    assert "network could not be reached" in told["sections_absent"]["C2"]
    assert len(caplog.records) == 1
    assert "C2" in caplog.text
    assert list(adata.obs["section"].cat.categories) == ["A1", "A2"]


def test_a_section_that_is_named_must_be_there(tiny_her2st, mirror):
    record = tiny_her2st(absent=["imgs/C2.jpg"])
    with pytest.raises(InputError, match=r"C2 of her2st is absent: her2st/imgs/C2\.jpg"):
        load(record, sections=["A1", "C2"], mirror=mirror, overview=["A1"])
    with pytest.raises(InputError, match="C9: it has A1, A2, C2"):
        load(record, sections=["C9"], mirror=mirror)
    assert load(record, sections="C2", images=False, mirror=mirror, overview=["A1"]).n_obs == 3


def test_the_network_is_tried_once_when_it_cannot_be_reached(tiny_her2st, mirror, monkeypatch):
    tried = []

    def fetch(record, path, *, network, **options):
        if path.startswith("imgs/"):
            tried.append(network)
            raise Unavailable(path, "is nowhere, and the network could not be reached", offline=network)
        return real(record, path, network=network, **options)

    real = loading.fetch
    monkeypatch.setattr(loading, "fetch", fetch)
    adata = load(tiny_her2st(), mirror=mirror, overview=["A1"])
    assert adata.uns["dataset"]["sections_present"] == ["A1"]
    assert tried == [True, False]
    assert all("network could not be reached" in why for why in adata.uns["dataset"]["sections_absent"].values())


def test_nothing_at_all_is_an_error(tiny_her2st, tmp_path):
    with pytest.raises(InputError, match="No section of her2st"):
        load(tiny_her2st(), cache=tmp_path / "elsewhere", network=False, overview=["A1"])


def test_a_damaged_file_stops_the_load(tiny_her2st, mirror):
    record = tiny_her2st()
    (mirror / "her2st/imgs/C2.jpg").write_bytes(b"gibberish")
    with pytest.raises(InputError, match=r"C2\.jpg is not the registered"):
        load(record, mirror=mirror, overview=["A1"])


def test_at_hand_asks_cache_and_mirror_only(tiny_her2st, mirror, tmp_path):
    record = tiny_her2st(absent=["imgs/A1.jpg", "imgs/C2.jpg"])
    places = {"cache": tmp_path / "c", "mirror": mirror}
    assert at_hand(record, overview=["A1"], **places) == ("A1", "A2")
    assert at_hand(record, overview=(), **places) == ("A2",)
    assert at_hand(record, images=False, overview=(), **places) == ("A1", "A2", "C2")
    assert at_hand(record, sections=["C2"], overview=(), **places) == ()
    (mirror / "her2st/cnts/A2.tsv.gz").write_bytes(b"damaged")
    assert at_hand(record, overview=["A1"], **places) == ("A1",)
    assert not (tmp_path / "c").exists()


def test_the_image_and_its_scale_are_those_loaded(tiny_her2st, mirror):
    adata = load(tiny_her2st(), mirror=mirror, overview=["A1"])
    first, second = adata.uns["spatial"]["A1"], adata.uns["spatial"]["A2"]
    assert first["metadata"] == {"image": "app/A1.png"}
    assert first["scalefactors"] == {
        "microns_per_pixel": 2.0,
        "spot_diameter_fullres": 50.0,
        "tissue_image_scalef": 0.25,
    }
    assert second["metadata"] == {"image": "imgs/A2.jpg"}
    full = load(tiny_her2st(), mirror=mirror, overview=())
    assert full.uns["spatial"]["A1"]["metadata"] == {"image": "imgs/A1.jpg"}
    none = load(tiny_her2st(), mirror=mirror, images=False, overview=())
    assert none.uns["spatial"]["A1"]["metadata"] == {}


def test_an_unknown_overview_or_data_set_is_named(tiny_her2st, mirror):
    with pytest.raises(InputError, match="no overview frame of A2: it has A1"):
        load(tiny_her2st(), mirror=mirror, overview=["A2"])
    with pytest.raises(InputError, match="genesets is no tissue"):
        load("genesets")
    with pytest.raises(InputError, match="no data set nothing"):
        at_hand("nothing")


def test_what_was_loaded_survives_a_file(tiny_her2st, mirror, tmp_path):
    adata = load(tiny_her2st(), mirror=mirror, overview=["A1"])
    adata.write_h5ad(tmp_path / "a.h5ad")
    again = ad.read_h5ad(tmp_path / "a.h5ad")
    np.testing.assert_array_equal(again.X.toarray(), adata.X.toarray())
    assert list(again.uns["dataset"]["sections_present"]) == ["A1", "A2", "C2"]
    assert again.obsm["composition"].equals(adata.obsm["composition"])
