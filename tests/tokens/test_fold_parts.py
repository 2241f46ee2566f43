"""Folds that were run one at a time are the same result as folds that were run together."""

from itertools import pairwise

import numpy as np
import pytest

from beyond_alignment.tokens.clip_scores import score_clips
from beyond_alignment.tokens.contrastive import run_clip
from beyond_alignment.tokens.fold_parts import join_arm, join_clip
from beyond_alignment.tokens.run import run_arm
from beyond_alignment.tokens.scores import score_genes
from beyond_alignment.tokens.study import compare_arms, run_clips
from tests.tokens.small import folds, plan, tiles

HERE = {"plan": plan(), "device": "cpu"}
FOLDS = folds(30, k=3)


def assert_same(first, second):
    for name in ("fold", "predictions"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    for one, other in zip(first.embeddings, second.embeddings, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (first.curves, first.best_epochs) == (second.curves, second.best_epochs)


@pytest.mark.parametrize("cuts", [[1, 2], [1]], ids=["one by one", "one and two"])
def test_an_arm_is_put_together_from_its_folds(cuts):
    together = run_arm(tiles(), "early_add_trained", FOLDS, progress=False, **HERE)
    bounds = [0, *cuts, len(FOLDS)]
    parts = [FOLDS[start:end] for start, end in pairwise(bounds)]
    apart = join_arm([run_arm(tiles(), "early_add_trained", part, progress=False, **HERE) for part in parts])
    assert_same(apart, together)


def test_tiles_that_no_fold_tests_keep_no_prediction():
    apart = join_arm([run_arm(tiles(), "expression_tile", [fold], progress=False, **HERE) for fold in FOLDS[1:]])
    assert np.isnan(apart.predictions[FOLDS[0].test]).all()
    assert set(apart.fold[FOLDS[0].test]) == {-1}


def test_clip_is_put_together_from_its_folds():
    settings = {**HERE, "retrieval_batch": 8}
    together = run_clip(tiles(), "token", FOLDS, **settings)
    apart = join_clip([run_clip(tiles(), "token", [fold], **settings) for fold in FOLDS])
    np.testing.assert_array_equal(apart.predictions, together.predictions)
    assert apart.retrieval == together.retrieval


def test_studies_run_folds_apart_in_their_order():
    named = [type("Named", (), {"name": f"fold {i}", **vars(fold)})() for i, fold in enumerate(FOLDS)]
    found = compare_arms(tiles(), ["early_add_trained"], named, seeds=[0, 1], **HERE)
    runs = [run_arm(tiles(), "early_add_trained", FOLDS, seed=seed, progress=False, **HERE) for seed in (0, 1)]
    np.testing.assert_allclose(
        found.predictions["early_add_trained"], np.mean([run.predictions for run in runs], axis=0), rtol=1e-6
    )
    clips = run_clips(tiles(), FOLDS, seeds=[0], retrieval_batch=8, **HERE)
    assert [(clip.granularity, clip.seed) for clip in clips] == [("tile", 0), ("token", 0)]
    assert [len(clip.retrieval) for clip in clips] == [3, 3]
    probed = score_clips(tiles(), named, clips)
    assert probed.groupby("arm").size().to_dict() == {"clip_tile": 3, "clip_token": 3}
    test = FOLDS[0].test
    scored = score_genes(tiles().targets[test], clips[1].predictions[test], tiles().addon_genes)
    first = probed[(probed["arm"] == "clip_token") & (probed["fold"] == "fold 0")]
    assert first["spearman"].item() == pytest.approx(scored.mean()["spearman"])
