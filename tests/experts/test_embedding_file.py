import hashlib
import json
import string

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from beyond_alignment.errors import InputError
from beyond_alignment.experts.embedding_file import attach_embedding, read_embedding_file, write_embedding_file

PROVENANCE = {"model": "a model", "revision": "abc", "seed": 0, "flash": False, "scale": 0.5}
NAMES = ("s1", "s2", "s3")
VALUES = np.arange(12, dtype=np.float32).reshape(3, 4)
OWN = "my_model"

quiet = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


def write(path, *, values=VALUES, names=NAMES, expert=OWN, provenance=PROVENANCE):
    return write_embedding_file(path, values, names, expert=expert, provenance=provenance)


@quiet
@given(data=st.data(), names=st.lists(text, min_size=1, max_size=6, unique=True), n_features=st.integers(1, 4))
def test_what_is_written_is_read(tmp_path, data, names, n_features):
    finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
    values = data.draw(arrays(np.float32, (len(names), n_features), elements=finite))
    written = write(tmp_path / "e.h5", values=values, names=names)
    read = read_embedding_file(tmp_path / "e.h5")
    np.testing.assert_array_equal(read.values, values)
    assert read.values.dtype == np.float32
    assert (read.expert, read.obs_names, read.provenance) == (OWN, tuple(names), PROVENANCE)
    assert read.sha256 == written.sha256


def test_the_sha256_is_that_of_names_provenance_shape_and_values(tmp_path):
    header = (
        '{"expert":"my_model","obs_names":["s1","s2","s3"],"provenance":'
        + json.dumps(json.dumps(PROVENANCE, sort_keys=True))
        + ',"schema":"beyond-alignment/embedding","shape":[3,4],"version":1}'
    )
    assert write(tmp_path / "e.h5").sha256 == hashlib.sha256(header.encode() + VALUES.tobytes()).hexdigest()


def test_the_same_content_gives_the_same_bytes_and_other_content_another_sha256(tmp_path):
    first = write(tmp_path / "a.h5")
    write(tmp_path / "b.h5")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    others = [
        write(tmp_path / "c.h5", values=VALUES + 1),
        write(tmp_path / "c.h5", names=("s1", "s2", "s4")),
        write(tmp_path / "c.h5", expert="other"),
        write(tmp_path / "c.h5", provenance=PROVENANCE | {"seed": 1}),
        write(tmp_path / "c.h5", values=VALUES.reshape(2, 6), names=("s1", "s2")),
    ]
    assert len({first.sha256, *(other.sha256 for other in others)}) == 6


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_refused_or_holds_what_was_written(tmp_path, data):
    write(tmp_path / "e.h5")
    whole = (tmp_path / "e.h5").read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[place] ^= data.draw(st.integers(1, 255))
    damaged = data.draw(st.sampled_from([bytes(flipped), whole[:place]]))
    (tmp_path / "d.h5").write_bytes(damaged)
    try:
        read = read_embedding_file(tmp_path / "d.h5")
    except InputError:
        return
    np.testing.assert_array_equal(read.values, VALUES)
    assert (read.obs_names, read.expert, read.provenance) == (NAMES, OWN, PROVENANCE)


def test_changed_values_are_noticed(tmp_path):
    write(tmp_path / "e.h5")
    with h5py.File(tmp_path / "e.h5", "r+") as handle:
        handle["values"][0, 0] = 99
    with pytest.raises(InputError, match="sha256 differs"):
        read_embedding_file(tmp_path / "e.h5")


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"names": ("s1", "s2", "s1")}, "1 spot names occur more than once, such as 's1'"),
        ({"names": ("s1", "s2")}, r"shape is \(3, 4\) for 2 spot names"),
        ({"names": ("s1", "", "s3")}, "empty or no plain text"),
        ({"names": ("s1", "a\0b", "s3")}, "empty or no plain text"),
        ({"values": VALUES[0]}, "must be"),
        ({"values": np.zeros((0, 4)), "names": ()}, "must be"),
        ({"values": np.where(VALUES == 5, np.nan, VALUES)}, "1 spots have NaN or infinite values, such as 's2'"),
        ({"values": np.where(VALUES > 9, np.inf, VALUES)}, "such as 's3'"),
        ({"values": VALUES.astype(np.float64) * 1e300}, "infinite"),
        ({"expert": "a/b"}, "cannot name an expert"),
        ({"expert": ""}, "cannot name an expert"),
        ({"expert": "pca"}, "4 features, and pca has 50"),
        ({"provenance": {"nested": {"a": 1}}}, r"these are not: \['nested'\]"),
        ({"provenance": {"nothing": None}}, "these are not"),
        ({"provenance": {"a/b": 1}}, "these are not"),
        ({"provenance": {"nan": float("nan")}}, "these are not"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_what_cannot_be_handed_over_is_refused_and_not_written(tmp_path, changed, match):
    with pytest.raises(InputError, match=match):
        write(tmp_path / "e.h5", **changed)
    assert list(tmp_path.iterdir()) == []


def test_an_embedding_of_a_registered_expert_has_its_dimension(tmp_path):
    write(tmp_path / "e.h5", values=np.ones((3, 50)), expert="pca")
    assert read_embedding_file(tmp_path / "e.h5").values.shape == (3, 50)


@pytest.mark.parametrize(("attribute", "value"), [("schema", "something else"), ("version", 2)])
def test_a_file_of_another_kind_is_refused(tmp_path, attribute, value):
    write(tmp_path / "e.h5")
    with h5py.File(tmp_path / "e.h5", "r+") as handle:
        handle.attrs[attribute] = value
    with pytest.raises(InputError, match="is no beyond-alignment/embedding file of version 1"):
        read_embedding_file(tmp_path / "e.h5")


def test_a_missing_file_and_a_file_of_text_are_refused(tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        read_embedding_file(tmp_path / "e.h5")
    (tmp_path / "e.h5").write_text(string.printable, encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read as a whole file"):
        read_embedding_file(tmp_path / "e.h5")


def test_embeddings_go_to_the_spots_that_they_belong_to(tmp_path):
    write(tmp_path / "e.h5")
    adata = AnnData(np.ones((2, 1)), obs=pd.DataFrame(index=["s3", "s1"]))
    file = read_embedding_file(tmp_path / "e.h5")
    attach_embedding(adata, file)
    np.testing.assert_array_equal(adata.obsm["X_my_model"], VALUES[[2, 0]])
    params = adata.uns["my_model"]["params"]
    assert params == {"expert": OWN, **PROVENANCE, "embedding_sha256": file.sha256}
    adata.write_h5ad(tmp_path / "a.h5ad")
    again = anndata.read_h5ad(tmp_path / "a.h5ad")
    np.testing.assert_array_equal(again.obsm["X_my_model"], VALUES[[2, 0]])
    assert again.uns["my_model"]["params"]["embedding_sha256"] == file.sha256


def test_provenance_of_the_file_outranks_the_record(tmp_path):
    write(tmp_path / "e.h5", values=np.ones((3, 50)), expert="pca", provenance={"licence": "mine"})
    adata = AnnData(np.ones((3, 1)), obs=pd.DataFrame(index=list(NAMES)))
    attach_embedding(adata, read_embedding_file(tmp_path / "e.h5"))
    assert adata.uns["pca"]["params"]["licence"] == "mine"
    assert "principal components" in adata.uns["pca"]["params"]["source"]


@pytest.mark.parametrize(
    ("names", "match"),
    [(["s1", "s9", "s8"], "lacks 2 of 3 spots, such as 's9'; it has 3, such as 's1'"), (["s1", "s1"], "repeat")],
)
@pytest.mark.filterwarnings("ignore:Observation names")
def test_spots_that_are_not_in_the_file_are_named(tmp_path, names, match):
    write(tmp_path / "e.h5")
    adata = AnnData(np.ones((len(names), 1)), obs=pd.DataFrame(index=names))
    with pytest.raises(InputError, match=match):
        attach_embedding(adata, read_embedding_file(tmp_path / "e.h5"))
    assert "X_my_model" not in adata.obsm
