"""Signals that one arm can learn and another cannot, whatever it tries."""

import numpy as np
import pytest
import torch

from beyond_alignment.tokens.arm_inputs import FrozenCache
from beyond_alignment.tokens.arms import get_arm
from beyond_alignment.tokens.fold import fit_arm
from beyond_alignment.tokens.folds import TileFold
from tests.tokens.small import PIXELS, plan, tiles

N = 300
FOLD = TileFold("f", np.arange(200), np.arange(200, 240), np.arange(240, N))


def grey(levels, rng):
    """Tiles (tile, height, width, channel) whose patches have grey levels (tile, patch)."""
    side = np.kron(levels.reshape(-1, 2, 2), np.ones((PIXELS, PIXELS)))
    noisy = side[..., None] + rng.normal(0.0, 5.0, (*side.shape, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def explained(data, arm):
    """Share of the test tiles' variance that an arm explains."""
    settings = plan(epochs=20, batch_size=25, patience=20, head_rate=1e-2, backbone_rate=3e-3, warmup_epochs=2)
    cache = FrozenCache(data, device=torch.device("cpu"), plan=settings)
    predicted, truth = fit_arm(cache, get_arm(arm), FOLD, plan=settings).predictions, data.targets[FOLD.test]
    return 1.0 - ((predicted - truth) ** 2).mean() / truth.var()


@pytest.fixture(scope="module")
def in_one_patch():
    """Two genes in each tile, in the same patches or not: only the patches tell which."""
    rng = np.random.default_rng(0)
    together = rng.integers(0, 2, N)
    counts = np.zeros((N, 4, 2))
    for tile, same in enumerate(together):
        first, second = rng.permutation(4)[:2]
        counts[tile, first, 0] = 6
        counts[tile, first if same else second, 1] = 6
    return tiles(N, counts=counts, pixels=grey(rng.uniform(60, 200, (N, 4)), rng), y=together[:, None])


@pytest.fixture(scope="module")
def in_dark_patches():
    """One gene in two of four patches, two patches dark: the target is how many dark ones hold it."""
    rng = np.random.default_rng(1)
    holds, dark = (rng.permuted(np.tile([1, 1, 0, 0], (N, 1)), axis=1) for _ in range(2))
    y = (holds * dark).sum(axis=1, keepdims=True)
    return tiles(N, counts=holds[:, :, None] * 6, pixels=grey(np.where(dark, 60.0, 200.0), rng), y=y)


def test_tokens_see_what_lies_in_one_patch_and_tiles_do_not(in_one_patch):
    assert explained(in_one_patch, "expression_token") > 0.8
    assert explained(in_one_patch, "expression_tile") < 0.1
    assert explained(in_one_patch, "late_concat_token_frozen") > 0.8


@pytest.mark.parametrize("how", ["add", "gated", "cross_attention"])
def test_early_fusion_sees_what_lies_where(how, in_dark_patches):
    assert explained(in_dark_patches, f"early_{how}_trained") > 0.6


@pytest.mark.parametrize("arm", ["late_concat_token_trained", "morphology_trained", "expression_token"])
def test_what_lies_where_is_hidden_from_late_fusion(arm, in_dark_patches):
    assert explained(in_dark_patches, arm) < 0.1
