import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.arm_inputs import FrozenCache
from beyond_alignment.tokens.batches import TileBatches
from beyond_alignment.tokens.clip_pair import ClipPair
from beyond_alignment.tokens.contrastive import fit_clip
from beyond_alignment.tokens.folds import TileFold
from beyond_alignment.tokens.linear_probe import PENALTIES, probe_genes
from beyond_alignment.tokens.retrieval import recall_at
from tests.tokens.small import PIXELS, folds, plan, tiles, vit


def slow_recall(first, second, k):
    hits = 0
    for i, a in enumerate(first):
        cosines = [float(a @ b) / (np.linalg.norm(a) * np.linalg.norm(b)) for b in second]
        better = sum(c >= cosines[i] for j, c in enumerate(cosines) if j != i)
        hits += better < k
    return hits / len(first)


@pytest.mark.parametrize("k", [1, 3])
def test_recall_is_that_of_the_slow_loop(k):
    rng = np.random.default_rng(0)
    image = rng.normal(size=(24, 4))
    transcripts = image + rng.normal(size=(24, 4))
    found = recall_at(image, transcripts, ks=(k,), batch_size=24, n_draws=2)
    assert found.image_to_transcripts[k] == pytest.approx(slow_recall(image, transcripts, k))
    assert found.transcripts_to_image[k] == pytest.approx(slow_recall(transcripts, image, k))
    assert found.chance[k] == pytest.approx(k / 24)


def test_recall_is_chance_for_strangers_one_for_twins_and_none_for_ties():
    rng = np.random.default_rng(0)
    image, stranger = rng.normal(size=(2, 300, 8))
    found = recall_at(image, stranger, batch_size=20, n_draws=20)
    assert found.n_tiles == 300
    for k in (1, 5):  # 6000 draws that overlap
        assert found.image_to_transcripts[k] == pytest.approx(k / 20, abs=0.04)
    assert recall_at(image, 3.0 * image, batch_size=20).image_to_transcripts == {1: 1.0, 5: 1.0}
    assert recall_at(image, np.ones_like(image), batch_size=20).image_to_transcripts == {1: 0.0, 5: 0.0}


def test_recall_falls_with_the_batch_and_needs_a_whole_one():
    rng = np.random.default_rng(0)
    image = rng.normal(size=(64, 4))
    near = image + rng.normal(size=image.shape)
    small, large = (recall_at(image, near, batch_size=size).image_to_transcripts[1] for size in (8, 64))
    assert small > large
    with pytest.raises(InputError, match="another batch_size"):
        recall_at(image, near, batch_size=65)


def test_the_loss_is_that_of_two_cross_entropies():
    data = tiles(6)
    torch.manual_seed(0)
    pair = ClipPair(vit(), 5, dimension=8).eval()
    batch = TileBatches(data, device=torch.device("cpu"), images=True, granularity="token").of(torch.arange(6))
    image, transcripts = (z.detach().numpy().astype(float) for z in pair(batch))
    np.testing.assert_allclose(np.linalg.norm(image, axis=1), 1.0, rtol=1e-5)
    logits = image @ transcripts.T / 0.07
    wanted = 0.0
    for i in range(6):
        wanted -= logits[i, i] - math.log(np.exp(logits[i]).sum())
        wanted -= logits[i, i] - math.log(np.exp(logits[:, i]).sum())
    assert float(pair.loss(batch).detach()) == pytest.approx(wanted / 12, rel=1e-4)


def paired(n=120, seed=0):
    """Tiles whose grey value and counts of the first gene follow one number; the target is that number."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(0.0, 1.0, n)
    pixels = np.clip(level[:, None, None, None] * 200 + rng.normal(0, 10, (n, 2 * PIXELS, 2 * PIXELS, 3)), 0, 255)
    counts = rng.poisson(0.5, (n, 4, 4))
    counts[:, :, 0] = rng.poisson(15 * level[:, None], (n, 4))
    return tiles(n, counts=counts, pixels=pixels.astype(np.uint8), y=level[:, None])


def test_partners_are_found_and_probed_among_tiles_that_were_not_trained_on():
    data, settings = paired(), plan(epochs=12, batch_size=30, head_rate=1e-2, backbone_rate=3e-3)
    cache = FrozenCache(data, device=torch.device("cpu"), plan=settings)
    for fold in folds(120):
        result = fit_clip(cache, "token", fold, plan=settings, retrieval_batch=20)
        assert result.retrieval.image_to_transcripts[5] > 2 * result.retrieval.chance[5]
        assert result.retrieval.transcripts_to_image[5] > 2 * result.retrieval.chance[5]
        assert np.corrcoef(result.predictions[:, 0], data.targets[fold.test, 0])[0, 1] > 0.9


def test_the_probe_is_ridge_with_the_penalty_of_the_validation_part():
    rng = np.random.default_rng(0)
    z, noise = rng.normal(3.0, 2.0, (80, 10)), rng.normal(size=(80, 2))
    y = z[:, :2] + 2.0 * noise
    rows = TileFold("f", np.arange(40), np.arange(40, 60), np.arange(60, 80))
    scaled = (z - z[:40].mean(axis=0)) / z[:40].std(axis=0)
    models = [Ridge(alpha=40 * penalty).fit(scaled[:40], y[:40]) for penalty in PENALTIES]
    errors = [((model.predict(scaled[40:60]) - y[40:60]) ** 2).mean() for model in models]
    wanted = models[int(np.argmin(errors))].predict(scaled[60:])
    assert 0 < int(np.argmin(errors)) < len(PENALTIES) - 1
    np.testing.assert_allclose(probe_genes(z, y, rows), wanted, rtol=1e-4, atol=1e-5)
