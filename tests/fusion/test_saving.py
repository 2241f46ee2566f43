"""A saved method predicts what it predicted; a file that is not one is refused in one sentence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from beyond_alignment.errors import InputError
from beyond_alignment.fusion import make_fusion
from beyond_alignment.fusion.neural import NeuralFusion
from beyond_alignment.fusion.saving import KEY, load_fusion, save_fusion
from tests.fusion.small_networks import Noisy, Plain

OWN = (Plain, Noisy)
QUICK = {"steps": 5, "width": 4, "dimension": 6, "device": "cpu", "reads_neighbours": True}


def data(kind):
    rng = np.random.default_rng(0)
    pair, near = (rng.normal(size=(50, 5)), rng.normal(size=(50, 4))), rng.integers(-1, 50, (50, 2))
    labels = np.array(["a", "b", "c"])[rng.integers(0, 3, 50)] if kind == "classification" else rng.normal(size=(50, 2))
    return pair, labels, near


def methods(kind):
    simple = [make_fusion(name, kind=kind) for name in ("expression_only", "concat", "late_average")]
    plain = NeuralFusion(Plain, kind=kind, options={"sharpness": 2.0}, **QUICK)
    return [*simple, plain, NeuralFusion(Noisy, kind=kind, **QUICK)]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    pair, labels, near = data("classification")
    path = tmp_path_factory.mktemp("saved") / "plain.safetensors"
    save_fusion(NeuralFusion(Plain, **QUICK).fit(pair, labels, neighbours=near), path)
    return path


@pytest.mark.parametrize("kind", ["classification", "regression"])
@pytest.mark.parametrize("which", range(5))
def test_a_loaded_method_is_the_saved_one(kind, which, tmp_path):
    pair, labels, near = data(kind)
    labels = labels.astype(object) if which == 1 and kind == "classification" else labels
    model = methods(kind)[which].fit(pair, labels, groups=np.arange(50) % 4, neighbours=near)
    paths = [tmp_path / f"{i}.safetensors" for i in range(2)]
    save_fusion(model, paths[0])
    loaded = load_fusion(paths[0], classes=OWN)
    save_fusion(loaded, paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert loaded.get_params() == model.get_params()
    assert loaded.n_parameters_ == model.n_parameters_
    for x in (pair, (pair[0], None)):
        assert np.array_equal(loaded.transform(x, neighbours=near), model.transform(x, neighbours=near))
        assert np.array_equal(loaded.predict(x, neighbours=near), model.predict(x, neighbours=near))
        if kind == "classification":
            expected = model.predict_proba(x, neighbours=near)
            assert np.array_equal(loaded.predict_proba(x, neighbours=near), expected)


@settings(max_examples=60, deadline=None)
@given(at=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255), cut=st.booleans())
def test_a_damaged_file_is_refused(saved, at, flip, cut):
    whole = saved.read_bytes()
    place = int(at * len(whole))
    spoilt = whole[:place] if cut else whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :]
    path = saved.with_name("spoilt.safetensors")
    path.write_bytes(spoilt)
    with pytest.raises(InputError):
        load_fusion(path, classes=OWN)


def test_a_class_that_is_not_allowed_is_not_made(saved):
    with pytest.raises(InputError, match=r"names tests.fusion.small_networks:Plain.*pass its class"):
        load_fusion(saved)


def test_foreign_and_missing_files_are_named(tmp_path):
    pair, labels, _ = data("classification")
    path = tmp_path / "x.safetensors"
    with pytest.raises(InputError, match="There is no file"):
        load_fusion(path)
    path.write_text("hello")
    with pytest.raises(InputError, match="not a whole safetensors file"):
        load_fusion(path)
    save_file({"a": np.ones(3)}, path)
    with pytest.raises(InputError, match="holds no fusion method"):
        load_fusion(path)
    save_file({"a": np.ones(3)}, path, metadata={KEY: "{}"})
    with pytest.raises(InputError, match="cannot be read"):
        load_fusion(path)
    save_file({"a": np.ones(3)}, path, metadata={KEY: '{"format": 9}'})
    with pytest.raises(InputError, match="has format 9"):
        load_fusion(path)
    with pytest.raises(InputError, match="not fitted"):
        save_fusion(make_fusion("concat"), path)
    model = make_fusion("concat").fit(pair, labels)
    model.note_ = object()
    with pytest.raises(InputError, match="cannot be written"):
        save_fusion(model, path)
