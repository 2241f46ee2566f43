"""What the release is made with: the variants of an expert, its network before training, all in one pass."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from beyond_alignment.benchmark.unseen import unseen_variants
from beyond_alignment.datasets.release import write_release
from beyond_alignment.errors import InputError
from beyond_alignment.experts import released, tissue_embedding
from beyond_alignment.experts.architectures import build_morphology
from beyond_alignment.experts.forward import state_sha256
from beyond_alignment.experts.model_card import ModelCard, write_model_card
from beyond_alignment.experts.released import embed_released, random_vit, shipped_variants
from beyond_alignment.experts.tissue_embedding import Reading, embed_readings, embed_tissue
from beyond_alignment.experts.training.run import write_weights
from beyond_alignment.files import file_sha256
from beyond_alignment.tasks import release
from tests.experts.slide_images import small_model, tissue
from tests.tissue import make_tissue


@pytest.fixture(autouse=True)
def book(tmp_path, monkeypatch):
    (tmp_path / "_toc.yml").touch()
    monkeypatch.setenv("BEYOND_ALIGNMENT_ROOT", str(tmp_path))
    monkeypatch.setenv("BEYOND_ALIGNMENT_CACHE", str(tmp_path / "cache"))
    return tmp_path


@cache
def drawn_state():
    torch.manual_seed(1)
    return build_morphology("tissue_vit").state_dict()


def ship(folder, name, excluded):
    place = folder / "data" / "experts" / f"{name}.safetensors"
    place.parent.mkdir(parents=True, exist_ok=True)
    digest = write_weights(place, drawn_state(), {})
    words = dict.fromkeys(("summary", "method", "profile", "hardware", "precision", "torch", "licence"), "-")
    numbers = {"hours": 0.1, "parameters": 1, "dimension": 192, "size": 1, "curve": [{"epoch": 1.0, "loss": 1.0}]}
    lists = {"settings": {}, "data": [{"section": "A1"}], "donors": ["A"], "excluded_donors": excluded, "limits": []}
    card = ModelCard(name=name, sha256=digest, labels_seen=False, **words, **numbers, **lists)
    write_model_card(place.parent, card)
    return place


def spots(sections=("A1", "B1")):
    adata = make_tissue(side=2, sections=sections)
    for number, section in enumerate(sections):
        adata.uns["spatial"][section] = {
            "images": {"hires": np.roll(tissue(), number, axis=2)},
            "scalefactors": {"microns_per_pixel": 0.5, "tissue_hires_scalef": 1.0},
            "metadata": {},
        }
    adata.obsm["spatial"] = np.random.default_rng(0).uniform(200, 400, (adata.n_obs, 2))
    return adata


def test_random_weights_are_those_of_the_seed(monkeypatch):
    monkeypatch.setattr(released, "build_morphology", lambda name: torch.nn.Linear(3, 2))
    one, same, other = random_vit(), random_vit(), random_vit(seed=1)
    assert one.sha256 == same.sha256 == state_sha256(one.module) != other.sha256
    assert not any(weight.requires_grad for weight in one.module.parameters())
    assert not one.module.training
    assert one.details["expert"] == "tissue_vit"


def test_a_variant_says_which_donors_it_never_saw(book):
    ship(book, "tissue_vit_without_A", ["A"])
    ship(book, "tissue_vit_without_B", ["B"])
    first, second = shipped_variants()
    assert (first.expert.name, second.expert.name) == ("tissue_vit_without_A", "tissue_vit_without_B")
    adata = spots()
    fast = [
        replace(small_model(), expert=replace(small_model().expert, name=v.expert.name), details=v.details)
        for v in (first, second)
    ]
    embed_released(adata, fields_um=(60,), models=fast, device="cpu", progress=False)
    assert unseen_variants(adata, "tissue_vit", field_um=60) == {
        "A": "tissue_vit_without_A_60um", "B": "tissue_vit_without_B_60um"
    }  # fmt: skip
    assert adata.uns["tissue_vit_without_A_60um"]["params"]["expert"] == "tissue_vit"


def test_a_variant_that_left_nobody_out_or_is_damaged_is_refused(book):
    place = ship(book, "tissue_vit_without_A", [])
    with pytest.raises(InputError, match="no donor that was left out"):
        shipped_variants()
    place.write_bytes(place.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match="not the file of its model card"):
        shipped_variants()


def test_several_readings_are_those_of_each_alone_and_open_an_image_once(monkeypatch):
    model, opened = small_model(), []
    readings = [Reading(model, 30.0), Reading(model, 60.0)]
    real = tissue_embedding.section_images
    monkeypatch.setattr(
        tissue_embedding, "section_images", lambda *a, **k: (opened.append(f.section) or f for f in real(*a, **k))
    )
    together = spots()
    found = embed_readings(together, readings, device="cpu", progress=False)
    assert opened == ["A1", "B1"]
    for one, told in zip(readings, found, strict=True):
        alone = spots()
        embed_tissue(alone, model=model, field_of_view_um=one.field_of_view_um, device="cpu", progress=False)
        np.testing.assert_array_equal(together.obsm[f"X_{one.name}"], alone.obsm[f"X_{one.name}"])
        assert told.name == one.name
        assert together.uns[one.name]["params"]["field_of_view_um"] == one.field_of_view_um


def test_a_spot_that_one_reading_drops_is_dropped_from_all():
    adata = spots(("A1",))
    adata.obsm["spatial"][0] = 40.0  # 20 um from the edge
    small, wide = embed_readings(
        adata, [Reading(small_model(), 30.0), Reading(small_model(), 60.0)], edge="drop", device="cpu", progress=False
    )
    assert (small.n_dropped, wide.n_dropped) == (0, 1)
    assert small.adata is wide.adata
    assert small.adata.n_obs == 3
    assert np.isfinite(small.adata.obsm[f"X_{small.name}"]).all()


def test_a_second_extraction_computes_anew_and_gives_the_same_bytes(book, monkeypatch):
    models, digests, batches = (small_model(), random_vit()), [], []
    models[0].module.register_forward_pre_hook(lambda module, images: batches.append(len(images[0])))
    monkeypatch.setattr(released, "released_models", lambda: models)
    monkeypatch.setitem(release.PREPARE, "mob", lambda *, seed, progress: spots(("A1",)))
    for folder in ("first", "second"):
        built = release.build_release("mob", device="cpu", progress=False)
        built.uns["dataset"] = {"name": "mob", "licence": "CC0", "source": "drawn"}
        (book / folder / "data").mkdir(parents=True)
        digests.append(file_sha256(write_release(built, "mob", folder=book / folder / "data")))
    assert digests[0] == digests[1]
    assert sum(batches) == 2 * built.n_obs  # of one field of view
    assert not (book / "cache").exists()
    assert {"X_means_200um", "X_random_vit_200um"} <= set(built.obsm)
