"""The expert of simulated tissue is taught what was drawn, on donors that are not those of a study."""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import torch

from beyond_alignment.errors import InputError
from beyond_alignment.experts.model_card import read_model_card
from beyond_alignment.experts.training.profiles import TrainingPlan
from beyond_alignment.files import file_sha256
from beyond_alignment.project import root
from beyond_alignment.tokens import simulated_tiles
from beyond_alignment.tokens.drawn_nuclei import drawn_nuclei, nuclei_by_patch, nucleus_features
from beyond_alignment.tokens.folds import outer_folds
from beyond_alignment.tokens.frozen import frozen_embedding
from beyond_alignment.tokens.linear_probe import probe_genes
from beyond_alignment.tokens.nucleus_vit import NucleusVitProfile, train_nucleus_vit
from beyond_alignment.tokens.vision_weights import NUCLEUS_VIT, build_vit

module = import_module("beyond_alignment.tokens.nucleus_vit")
PLAN = TrainingPlan(epochs=2, steps_per_epoch=2, learning_rate=1e-3)
PROFILE = NucleusVitProfile(PLAN, 3, size_um=260.0, batch=4)


@pytest.fixture(scope="module")
def study():
    """Tiles of a study as the page makes them, smaller."""
    return simulated_tiles(n_donors=3, size_um=520.0, input_px=128, patch_px=16, stride_um=128.0, seed=0)


def test_a_killed_training_ends_in_the_same_file(tmp_path, monkeypatch):
    whole = train_nucleus_vit(out=tmp_path / "whole", profile=PROFILE, device="cpu", progress=False)
    loop = import_module("beyond_alignment.experts.training.loop")
    with monkeypatch.context() as patched:
        patched.setattr(loop, "write_text", lambda path, text: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):  # after the first checkpoint
            train_nucleus_vit(out=tmp_path / "cut", profile=PROFILE, device="cpu", progress=False)
    resumed = train_nucleus_vit(out=tmp_path / "cut", profile=PROFILE, device="cpu", progress=False)
    assert resumed.weights.read_bytes() == whole.weights.read_bytes()
    vit = build_vit("nucleus_vit", input_px=128, weights=whole.weights)
    assert all(torch.isfinite(value).all() for value in vit.parameters())
    card = read_model_card(whole.weights.with_suffix(".json"))
    assert card.labels_seen
    assert card.parameters == NUCLEUS_VIT.parameters == sum(value.numel() for value in vit.parameters())
    assert {"r2_size", "r2_elongation", "r2_chromatin", "r2_cell_types"} <= set(card.curve[-1])


def test_no_donor_left_to_train_on_is_refused(tmp_path):
    with pytest.raises(InputError, match="simulate more"):
        train_nucleus_vit(out=tmp_path, profile=replace(PROFILE, n_donors=2), progress=False)


def test_images_and_truth_turn_together():
    side, px = 2, 4
    truth = torch.arange(side * side, dtype=torch.float32).view(1, side * side, 1)
    image = truth.view(1, side, side, 1).repeat_interleave(px, 1).repeat_interleave(px, 2).expand(-1, -1, -1, 3)
    seen = set()
    for symmetry in range(8):
        turned, there = module._turned(image, truth, symmetry)
        corners = turned[0, ::px, ::px, 0].flatten()
        assert torch.equal(corners, there.flatten())
        seen.add(tuple(corners.tolist()))
    assert len(seen) == 8  # all symmetries of the square


def test_features_of_patches_are_those_of_the_tile(study):
    by_patch = nuclei_by_patch(study)
    assert by_patch.shape == (len(study.tiles), 64, len(nucleus_features(study)))
    np.testing.assert_allclose(by_patch.sum(axis=1), drawn_nuclei(study)[0])


def test_the_shipped_weights_are_those_of_their_card_and_not_random():
    file = root() / "data" / "experts" / "nucleus_vit.safetensors"
    card = read_model_card(file.with_suffix(".json"))
    assert (card.sha256, card.profile) == (file_sha256(file), "reference")
    assert card.data[0]["seed"] == module.FIELDS_SEED
    assert build_vit("nucleus_vit", input_px=128).weights == f"nucleus_vit, sha256 {card.sha256[:12]}"


def test_its_embedding_tells_of_nuclei_what_random_weights_do_not(study):
    tiles, folds = study.tiles, outer_folds(study.tiles, n_folds=3)
    drawn = drawn_nuclei(study)[0]
    told = {}
    for weights in ("auto", "random"):
        vit = build_vit("nucleus_vit", input_px=128, weights=weights)
        embedding = frozen_embedding(vit, tiles, device=torch.device("cpu"))
        found = np.empty_like(drawn)
        for fold in folds:
            found[fold.test] = probe_genes(embedding, drawn.astype(np.float32), fold)
        told[weights] = [np.corrcoef(found[:, i], drawn[:, i])[0, 1] for i in (-3, -2)]
    assert min(told["auto"]) > 0.6  # sums of size and elongation over tiles of donors that it never saw
    assert np.mean(told["auto"]) > np.mean(told["random"]) + 0.2


def test_weights_that_are_absent_are_not_made_up(monkeypatch):
    weights = import_module("beyond_alignment.tokens.vision_weights")
    monkeypatch.setattr(weights, "_published_file", lambda record: None)
    with pytest.raises(InputError, match="not in data/experts"):
        build_vit("nucleus_vit", input_px=128)
