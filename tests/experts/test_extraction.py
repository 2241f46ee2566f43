import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from beyond_alignment.datasets.patches import extract_patches
from beyond_alignment.errors import InputError
from beyond_alignment.experts.embedding_cache import EmbeddingCache
from beyond_alignment.experts.extraction import embed_slide, embed_stored
from beyond_alignment.experts.forward import state_sha256
from beyond_alignment.experts.patch_stream import SlidePatches, StoredPatches, stream
from beyond_alignment.experts.slides import open_slide
from tests.experts.slide_images import MPP, Means, small_model, tissue, write_large, write_pyramid

IMAGE = tissue()
CENTRES = np.random.default_rng(1).uniform((100, 100), (700, 500), (37, 2))
ROOT = Path(__file__).parents[2]
# What is promised: root mean square of the difference from float32 on the CPU, as a share of the features' spread.
TOLERANCE = {"float32": 1e-3, "bfloat16": 0.04}


@pytest.fixture
def slide():
    return open_slide(IMAGE, microns_per_pixel=MPP)


@pytest.fixture
def small():
    return small_model()


def difference(found, exact):
    return np.sqrt(np.mean((found - exact) ** 2)) / exact.std()


def spots(centres):
    adata = ad.AnnData(
        obs=pd.DataFrame({"section": ["S"] * len(centres)}, index=[f"s{i}" for i in range(len(centres))])
    )
    adata.obsm["spatial"] = centres
    scales = {"microns_per_pixel": MPP, "tissue_image_scalef": 1.0}
    adata.uns["spatial"] = {"S": {"scalefactors": scales}}
    return adata


@settings(max_examples=12, deadline=None)
@given(view=st.floats(4.0, 180.0), size=st.integers(1, 64), seed=st.integers(0, 99))
def test_patches_are_those_of_extract_patches(view, size, seed):
    centres = np.random.default_rng(seed).uniform((-50, -50), (850, 650), (6, 2))
    slide = open_slide(IMAGE, microns_per_pixel=MPP)
    wanted = extract_patches(spots(centres), "S", field_of_view_um=view, size_px=size, image=IMAGE)
    source = SlidePatches(slide, centres, view / MPP)
    (rows, found), *rest = stream(source, np.arange(6), size_px=size, batch_size=6, workers=2)
    assert not rest
    np.testing.assert_array_equal(found.numpy(), wanted[rows])


def test_a_pyramid_gives_nearly_the_patches_of_its_full_level(tmp_path):
    source = open_slide(IMAGE, microns_per_pixel=MPP)
    with open_slide(write_pyramid(tmp_path / "p.tif", IMAGE)) as pyramid:
        for field in (
            200.0,
            300.0,
            450.0,
        ):  # full-resolution pixels into 64: levels 0, 1 and 2 where they are fine enough
            for x, y in CENTRES[:5]:
                difference = pyramid.patch(x, y, field, 64).astype(int) - source.patch(x, y, field, 64)
                assert np.abs(difference).max() <= 6


def test_embeddings_agree_with_those_of_the_book(slide, model):
    model = replace(model, expert=replace(model.expert, input_px=64))
    patches = extract_patches(spots(CENTRES[:4]), "S", field_of_view_um=60.0, size_px=64, image=IMAGE)
    options = {"model": model, "field_of_view_um": 60.0, "device": "cpu"}
    exact = embed_slide(slide, CENTRES[:4], precision="float32", **options).values
    with torch.inference_mode():
        mean, sd = (torch.tensor(v).view(1, 3, 1, 1) for v in (model.expert.mean, model.expert.sd))
        images = (torch.from_numpy(patches).permute(0, 3, 1, 2) / 255 - mean) / sd
        bare = model.module.float()(images).numpy()
    np.testing.assert_allclose(exact, bare, atol=1e-4 * np.abs(bare).max())
    rounded = embed_slide(slide, CENTRES[:4], precision="bfloat16", **options).values
    assert 0 < difference(rounded, exact) < TOLERANCE["bfloat16"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize(("precision", "used"), [("float32", "float32"), ("auto", "bfloat16")])
def test_a_gpu_agrees_with_the_cpu(slide, model, precision, used):
    exact = embed_slide(slide, CENTRES, model=model, field_of_view_um=60.0, device="cpu", precision="float32").values
    found = embed_slide(slide, CENTRES, model=model, field_of_view_um=60.0, device="cuda", precision=precision)
    model.module.cpu()
    assert found.provenance["precision"] == used
    assert difference(found.values, exact) < TOLERANCE[used]


@pytest.mark.parametrize(("batch_size", "workers"), [(1, 0), (8, 1), (8, 3), (100, 3)])
def test_neither_batches_nor_threads_nor_order_change_a_value(slide, small, workers, batch_size):
    wanted = embed_slide(slide, CENTRES, model=small, device="cpu").values
    shuffled = np.random.default_rng(2).permutation(len(CENTRES))
    found = embed_slide(slide, CENTRES[shuffled], model=small, device="cpu", workers=workers, batch_size=batch_size)
    np.testing.assert_allclose(found.values, wanted[shuffled], rtol=1e-5, atol=1e-6)
    assert len(np.unique(wanted, axis=0)) == len(CENTRES)


def test_the_default_field_of_view_is_the_experts(slide, small):
    found = embed_slide(slide, CENTRES, model=small, device="cpu")
    same = embed_slide(slide, CENTRES, model=small, device="cpu", field_of_view_um=16.0)
    np.testing.assert_array_equal(found.values, same.values)
    assert found.provenance["microns_per_pixel"] == 0.5
    assert found.provenance["field_of_view_um"] == 16.0


def test_an_image_that_is_too_coarse_is_told(small):
    found = embed_slide(open_slide(IMAGE, microns_per_pixel=2.0), CENTRES, model=small, device="cpu")
    assert found.provenance["image_notes"] == [
        "the image is coarser than what the expert reads: patches are enlarged 4.0 times."
    ]
    fine = embed_slide(open_slide(IMAGE, microns_per_pixel=0.6), CENTRES, model=small, device="cpu")
    assert fine.provenance["image_notes"] == []


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), view=st.floats(2.0, 60.0))
def test_patches_over_the_edge_are_padded_and_counted_or_dropped_and_reported(seed, view):
    slide, small = open_slide(IMAGE, microns_per_pixel=MPP), small_model(8)
    centres = np.vstack([np.random.default_rng(seed).uniform((-150, -150), (950, 750), (12, 2)), [[400.0, 300.0]]])
    half = view / MPP / 2
    over = ((centres < half) | (centres > np.array([800, 600]) - half)).any(axis=1)
    padded = embed_slide(slide, centres, model=small, field_of_view_um=view, device="cpu", workers=0)
    dropped = embed_slide(slide, centres, model=small, field_of_view_um=view, device="cpu", workers=0, edge="drop")
    assert (padded.n_padded, padded.n_dropped, dropped.n_padded, dropped.n_dropped) == (over.sum(), 0, 0, over.sum())
    assert padded.kept.all()
    np.testing.assert_array_equal(dropped.kept, ~over)
    assert np.isnan(dropped.values[over]).all()
    np.testing.assert_allclose(dropped.values[~over], padded.values[~over], rtol=1e-5, atol=1e-6)
    assert dropped.provenance["n_dropped"] == over.sum()


def test_what_cannot_be_embedded_is_refused_in_a_sentence(slide, small):
    for centres, options, words in (
        (CENTRES[:, :1], {}, "give .patch, 2."),
        (np.vstack([CENTRES, [[np.nan, 0]]]), {}, "1 of 38 points"),
        (CENTRES + 10_000, {}, "All 37 points lie off"),
        (CENTRES, {"edge": "mirror"}, "pad or drop"),
        (CENTRES, {"batch_size": 0}, "1 or more"),
        (CENTRES, {"precision": "float8"}, "float32 or bfloat16"),
        (CENTRES, {"field_of_view_um": -3.0}, "field of view"),
        (CENTRES, {"device": "tpu"}, "Unknown device"),
    ):
        with pytest.raises(InputError, match=words):
            embed_slide(slide, centres, model=small, **options)
    with pytest.raises(InputError, match="give its microns per pixel"):
        embed_slide(open_slide(IMAGE), CENTRES, model=small)
    with pytest.raises(InputError, match="load_morphology"):
        embed_slide(slide, CENTRES, model=replace(small, expert=replace(small.expert, input_px=0)))


class Broken(Means):
    def __init__(self, change):
        super().__init__()
        self.change = change

    def forward(self, images):
        return self.change(super().forward(images))


def test_a_model_that_gives_nonsense_is_refused(slide):
    for change, words in (
        (lambda f: f / 0, "not finite"),
        (lambda f: f[:, :, None], "shape"),
        (lambda f: f[:, :5], "5 features"),
    ):
        with pytest.raises(InputError, match=words):
            embed_slide(slide, CENTRES, model=small_model(module=Broken(change)), device="cpu")


def test_no_points_give_no_embeddings(slide, small, tmp_path):
    found = embed_slide(slide, np.empty((0, 2)), model=small, device="cpu", cache_dir=tmp_path)
    assert found.values.shape == (0, 12)


def test_nothing_is_embedded_twice(slide, small, tmp_path):
    def embed(centres, **options):
        done = []
        found = embed_slide(
            options.pop("slide", slide), centres, model=options.pop("model", small), device="cpu", batch_size=8,
            cache_dir=tmp_path, advance=done.append, **options,
        )  # fmt: skip
        assert sum(done) == len(centres)
        return found

    first = embed(CENTRES)
    calls = small.module.calls
    assert (first.n_cached, calls) == (0, 5)
    again = embed(CENTRES[::-1])
    assert (again.n_cached, small.module.calls) == (37, calls)
    np.testing.assert_array_equal(again.values, first.values[::-1])
    more = embed(np.vstack([CENTRES, CENTRES[:3] + 0.25]))
    assert (more.n_cached, small.module.calls) == (37, calls + 1)
    np.testing.assert_array_equal(more.values[:37], first.values)


def test_nothing_stale_is_used(slide, small, tmp_path):
    def n_cached(**changes):
        options = {"slide": slide, "model": small, "device": "cpu", "cache_dir": tmp_path} | changes
        return embed_slide(options.pop("slide"), CENTRES, **options).n_cached

    assert n_cached() == 0
    assert n_cached() == 37
    changed = IMAGE.copy()
    changed[0, 0, 0] ^= 1
    other = small_model()
    with torch.no_grad():
        other.module.weight[0] += 1e-3
    record = small.expert
    for changes in (
        {"slide": open_slide(changed, microns_per_pixel=MPP)},
        {"slide": open_slide(IMAGE, microns_per_pixel=MPP * 1.01)},
        {"field_of_view_um": 17.0},
        {"precision": "bfloat16"},
        {"model": other},
        {"model": replace(small, sha256="f" * 64)},
        {"model": replace(small, expert=replace(record, mean=(0.5, 0.5, 0.5)))},
        {"model": replace(small, expert=replace(record, input_px=16, microns_per_pixel=1.0))},
    ):
        assert n_cached(**changes) == 0, changes
    assert n_cached() == 37


def test_a_weight_changed_in_memory_is_another_model(small):
    before = state_sha256(small.module)
    with torch.no_grad():
        small.module.weight[3] = 0
    assert state_sha256(small.module) != before
    assert state_sha256(nn.Identity()) != state_sha256(nn.Flatten())


@settings(max_examples=15, deadline=None)
@given(
    points=st.lists(st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False)), max_size=30, unique=True),
    cut=st.integers(0, 30), seed=st.integers(0, 99),
)  # fmt: skip
def test_the_cache_gives_back_what_was_put_in(tmp_path_factory, points, cut, seed):
    cache = EmbeddingCache(tmp_path_factory.mktemp("c"), {"k": 1})
    centres = np.array(points, dtype=np.float64).reshape(-1, 2)
    values = np.random.default_rng(seed).normal(size=(len(centres), 3)).astype(np.float32)
    for part in (slice(0, cut), slice(cut, cut + 5)):
        cache.add(centres[part], values[part])
    for _ in range(2):
        found, known = cache.find(centres, 3)
        assert known[: cut + 5].all()
        assert not known[cut + 5 :].any()
        np.testing.assert_array_equal(found[known], values[known])
        cache.join()
    assert len(list(cache.folder.glob("*.safetensors"))) == 1


def test_a_damaged_batch_is_embedded_again(slide, small, tmp_path):
    first = embed_slide(slide, CENTRES, model=small, device="cpu", cache_dir=tmp_path)
    (file,) = tmp_path.rglob("*.safetensors")
    content = bytearray(file.read_bytes())
    for damage in (content[:-40], content[:20], b"", content[:-1] + bytes([content[-1] ^ 1])):
        file = next(tmp_path.rglob("*.safetensors"))
        file.write_bytes(damage)
        again = embed_slide(slide, CENTRES, model=small, device="cpu", cache_dir=tmp_path)
        assert again.n_cached == 0
        np.testing.assert_array_equal(again.values, first.values)


def test_what_a_killed_run_left_half_written_is_swept_after_a_day(tmp_path):
    cache = EmbeddingCache(tmp_path, {"k": 1})
    old, new = cache.folder / ".old.safetensors", cache.folder / ".new.safetensors"
    for file in (old, new):
        file.write_bytes(b"half")
    os.utime(old, (0, 0))
    found, known = EmbeddingCache(tmp_path, {"k": 1}).find(np.zeros((1, 2)), 3)
    assert (found.shape, known.any()) == ((1, 3), False)
    assert new.exists()
    assert not old.exists()


def test_a_cache_that_cannot_be_written_is_named(slide, small, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        embed_slide(slide, CENTRES, model=small, device="cpu", cache_dir=tmp_path / "file")


SLOW = """
import sys, time
import numpy as np
from tests.experts import slide_images as made
from beyond_alignment.experts.extraction import embed_slide
from beyond_alignment.experts.slides import open_slide

class Slow(made.Means):
    def forward(self, images):
        time.sleep(0.15)
        return super().forward(images)

Slow.__name__ = Slow.__qualname__ = "Means"
centres = np.load(sys.argv[1])
model = made.small_model(module=Slow())
embed_slide(open_slide(made.tissue(), microns_per_pixel=made.MPP), centres, model=model, device="cpu", batch_size=4,
            cache_dir=sys.argv[2])
"""


def started(script, *arguments):
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)], env=environment, stdout=subprocess.PIPE, text=True
    )


def test_a_run_that_is_killed_goes_on_at_the_last_whole_batch(slide, small, tmp_path):
    centres = np.random.default_rng(3).uniform((100, 100), (700, 500), (100, 2))
    np.save(tmp_path / "centres.npy", centres)
    process = started(SLOW, tmp_path / "centres.npy", tmp_path / "cache")
    end = time.monotonic() + 120
    while len(batches := list((tmp_path / "cache").rglob("[!.]*.safetensors"))) < 3 and time.monotonic() < end:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    batches = list((tmp_path / "cache").rglob("[!.]*.safetensors"))
    assert 3 <= len(batches) < 25
    resumed = embed_slide(slide, centres, model=small, device="cpu", batch_size=4, cache_dir=tmp_path / "cache")
    assert resumed.n_cached == 4 * len(batches)
    assert small.module.calls == 25 - len(batches)
    whole = embed_slide(slide, centres, model=small, device="cpu", batch_size=4)
    np.testing.assert_array_equal(resumed.values, whole.values)


WHOLE_SLIDE = """
import resource, sys
import numpy as np
from tests.experts import slide_images as made
from beyond_alignment.experts.extraction import embed_slide
from beyond_alignment.experts.slides import open_slide

model = made.small_model(224)
image = open_slide(made.tissue(), microns_per_pixel=made.MPP)
embed_slide(image, np.full((64, 2), 300.0), model=model, device="cpu", workers=2)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    with open_slide(path) as slide:
        side = slide.size_px[0]
        for field in (56.0, 448.0):
            centres = np.random.default_rng(0).uniform(1000, side - 1000, (50, 2))
            found = embed_slide(slide, centres, model=model, field_of_view_um=field, device="cpu", workers=2)
            assert np.isfinite(found.values).all()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_grow_with_the_slide(tmp_path):
    paths = [write_large(tmp_path / f"{side}.tif", side) for side in (4096, 16384)]
    process = started(WHOLE_SLIDE, *paths)  # the highest use so far, after either
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    small, large = (int(line) * (1 if sys.platform == "darwin" else 1024) for line in out.split())
    assert large < 250 * 2**20 < 16384**2 * 3 / 3
    assert large < small + 100 * 2**20


def stored(path, patches, names, **attributes):
    with h5py.File(path, "w") as file:
        file.create_dataset("img", data=patches, chunks=(1, *patches.shape[1:])).attrs.update(attributes)
        file["barcode"] = np.array(names, dtype="S")[:, None]
        file["coords"] = np.zeros((len(names), 2), dtype=int)
    return path


def test_patches_that_were_cut_before_are_embedded_as_they_are(tmp_path, slide, small):
    source = SlidePatches(slide, CENTRES[:7], 64.0)
    patches = np.stack([source.cut(row, 32) for row in range(7)])
    names = [f"b{row}" for row in range(7)]
    path = stored(tmp_path / "p.h5", patches, names, patch_size=32, patch_size_src=64, pixel_size=MPP)
    wanted = embed_slide(slide, CENTRES[:7], model=small, field_of_view_um=16.0, device="cpu").values
    for _ in range(2):
        with StoredPatches(path) as opened:
            assert opened.names == names
            found = embed_stored(opened, model=small, device="cpu", cache_dir=tmp_path / "cache")
        np.testing.assert_allclose(found.values, wanted, rtol=1e-6)
        assert found.provenance["field_of_view_um"] == 16.0
    assert found.n_cached == 7


def test_files_of_patches_are_checked(tmp_path):
    ok = np.zeros((2, 8, 8, 3), np.uint8)
    (tmp_path / "bytes.h5").write_bytes(b"no hdf5")
    stored(tmp_path / "sixteen.h5", ok.astype(np.uint16), ["a", "b"])
    stored(tmp_path / "names.h5", ok, ["a"])
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    for name, words in {
        "bytes.h5": "damaged",
        "sixteen.h5": "uint16",
        "names.h5": "one patch",
        "other.h5": "img",
    }.items():
        with pytest.raises(InputError, match=words):
            StoredPatches(tmp_path / name)
    with StoredPatches(stored(tmp_path / "plain.h5", ok, ["a", "b"])) as opened:
        assert opened.field_of_view_um == 4.0


def test_an_error_of_a_thread_reaches_the_caller(slide):
    class Bad:
        def cut(self, row, size_px):
            raise InputError("tile 3 is damaged")

    with pytest.raises(InputError, match="tile 3"):
        list(stream(Bad(), np.arange(9), size_px=8, batch_size=4, workers=2))
