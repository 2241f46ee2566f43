"""Fine-tuning against a plain loop, on labels that the frozen embedding hides, and on labels that mean nothing."""

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegressionCV
from torch.nn import functional

from beyond_alignment.errors import InputError
from beyond_alignment.experts.finetuning import FinetuneSettings, finetune, finetune_surrogate
from beyond_alignment.experts.finetuning.gene_stages import gene_stages
from beyond_alignment.experts.finetuning.head import PENALTIES, probe_head
from beyond_alignment.experts.finetuning.loop import Diverged
from beyond_alignment.experts.finetuning.lora import LowRank
from beyond_alignment.experts.finetuning.surrogate import SURROGATE
from beyond_alignment.experts.finetuning.trained_part import open_part
from beyond_alignment.experts.schedule import warm_cosine
from tests.experts.finetuning.conftest import DIMENSION

LAST = FinetuneSettings(n_blocks=1, learning_rates=(3e-3,), epochs=14, batch_size=32)
LORA = FinetuneSettings(way="lora", n_blocks=2, learning_rates=(1e-2,), epochs=10, batch_size=32)
WAYS = pytest.mark.parametrize("settings", [LAST, LORA], ids=["last blocks", "lora"])


def fit(stages, raw, labels, groups, settings, **options):
    return finetune(stages, raw, labels, groups, settings=settings, device="cpu", **options)


def read_linearly(values, labels, train, test):
    """Return the share of test spots that a linear probe of an embedding gets right."""
    probe = LogisticRegressionCV(cv=3, l1_ratios=(0,), use_legacy_attributes=False, scoring="accuracy", max_iter=2000)
    return probe.fit(values[train], labels[train]).score(values[test], labels[test])


def split(groups, *held_out):
    test = np.isin(groups, held_out)
    return ~test, test


@WAYS
def test_it_finds_in_patches_what_the_frozen_embedding_has_lost(blind_stages, patches, settings):
    raw, labels, donors = patches
    train, test = split(donors, "E", "F")
    found = fit(blind_stages, raw[train], labels[train], donors[train], settings)
    assert np.mean(found.predict(raw[test]) == labels[test]) > 0.95
    z = blind_stages(torch.from_numpy(raw)).numpy()
    assert read_linearly(z, labels, train, test) < 0.7
    bent = finetune_surrogate(z[train], labels[train], donors[train], device="cpu")
    assert bent.name == SURROGATE
    assert np.mean(bent.predict(z[test]) == labels[test]) < 0.7
    assert read_linearly(found.transform(raw), labels, train, test) > 0.95


def test_it_finds_in_counts_what_the_frozen_embedding_does_not_show(narrow_genes, counts):
    stages, bins = gene_stages(narrow_genes, counts)
    labels, donors = counts.obs["agree"].to_numpy(), counts.obs["donor"].to_numpy()
    train, test = split(donors, "D")
    settings = replace(LORA, epochs=12, batch_size=16)
    found = fit(stages, bins[train], labels[train], donors[train], settings)
    assert np.mean(found.predict(bins[test]) == labels[test]) > 0.9
    z = narrow_genes.embed(counts, device="cpu")[:, :2]
    assert read_linearly(z, labels, train, test) < 0.75


@WAYS
def test_labels_that_mean_nothing_stay_at_chance_on_held_out_donors(stages, patches, settings):
    raw, _, donors = patches
    noise = np.random.default_rng(5).integers(0, 2, len(raw))
    hits, bits = [], []
    for out in (("A", "B"), ("C", "D"), ("E", "F")):
        train, test = split(donors, *out)
        found = fit(stages, raw[train], noise[train], donors[train], settings)
        hits.append(found.predict(raw[test]) == noise[test])
        p = found.predict_proba(raw[test])[np.arange(test.sum()), noise[test]]
        bits.append(1 + np.log2(p).mean())
    n = len(raw)
    assert abs(np.concatenate(hits).mean() - 0.5) < 3.5 * 0.5 / math.sqrt(n)
    assert np.mean(bits) < 0.02


@WAYS
def test_the_last_fit_is_that_of_a_plain_loop_over_the_whole_network(stages, patches, settings):
    raw, labels, donors = (part[:120] for part in patches)
    settings = replace(settings, epochs=3, batch_size=50, patience=3)
    found = fit(stages, raw, labels, donors, settings)
    chosen = found.chosen
    own = copy.deepcopy(stages)
    open_part(own, settings)
    images, codes = torch.from_numpy(raw), torch.from_numpy((labels == "second").astype(np.int64))
    with torch.no_grad():
        frozen = own(images).numpy()
    head = probe_head(frozen, codes, kind="classification", n_outputs=2, penalty=chosen.penalty)
    trained = [p for p in (*own.parameters(), *head.parameters()) if p.requires_grad]
    adam = torch.optim.AdamW(
        [{"params": [p], "weight_decay": settings.weight_decay if p.ndim > 1 else 0.0} for p in trained]
    )
    order, step = torch.Generator().manual_seed(settings.seed), 0
    for _ in range(chosen.epochs):
        torch.randint(1, (len(raw),), generator=order)
        for rows in torch.randperm(len(raw), generator=order).split(50):
            for group in adam.param_groups:
                group["lr"] = chosen.rate * warm_cosine(step, 9, warmup=settings.warmup)
            loss = functional.cross_entropy(head(own(images[rows])), codes[rows])
            adam.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            adam.step()
            step += 1
    assert chosen.epochs > 0
    with torch.no_grad():
        logits = head(own(images)) * chosen.confidence
    np.testing.assert_allclose(found.predict_proba(raw), logits.softmax(dim=1).numpy(), atol=1e-4)


@WAYS
def test_a_fit_repeats_and_leaves_the_frozen_network_alone(stages, patches, settings):
    raw, labels, donors = (part[:120] for part in patches)
    before = {name: value.clone() for name, value in stages.state_dict().items()}
    short = replace(settings, epochs=2)
    first, again = (fit(stages, raw, labels, donors, short) for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(raw), again.predict_proba(raw))
    assert first.chosen == again.chosen
    assert all(torch.equal(before[name], value) for name, value in stages.state_dict().items())
    assert set(before) == set(first.stages.state_dict())
    assert not any(isinstance(module, LowRank) for module in first.stages.modules())


def test_the_number_of_trained_parameters_is_that_of_the_closed_form(stages, patches):
    raw, labels, donors = (part[:60] for part in patches)
    d = DIMENSION
    last = fit(stages, raw, labels, donors, replace(LAST, n_blocks=2, epochs=1))
    assert last.n_parameters == 2 * (12 * d * d + 13 * d) + 2 * d + 2 * d + 2
    lora = fit(stages, raw, labels, donors, replace(LORA, rank=3, epochs=1))
    assert lora.n_parameters == 2 * 3 * 6 * d + 2 * d + 2


def test_a_fit_without_an_epoch_is_the_probe_of_the_frozen_embedding(stages, patches):
    raw, labels, donors = patches
    found = fit(stages, raw, labels, donors, replace(LAST, learning_rates=(1e-9,), epochs=1))
    z = stages(torch.from_numpy(raw)).numpy()
    np.testing.assert_allclose(found.transform(raw), z, atol=1e-5)
    assert found.chosen.penalty in PENALTIES
    codes = torch.from_numpy((labels == "second").astype(np.int64))
    head = probe_head(z, codes, kind="classification", n_outputs=2, penalty=found.chosen.penalty)
    expected = (head(torch.from_numpy(z)).detach() * found.chosen.confidence).softmax(dim=1)
    np.testing.assert_allclose(found.predict_proba(raw), expected, atol=1e-4)


def test_regression_finds_the_same_and_gives_targets_in_their_units(blind_stages, patches):
    raw, labels, donors = patches
    rng = np.random.default_rng(2)
    sign = np.where(labels == "first", 1.0, -1.0)
    targets = np.column_stack([300 + 40 * sign, rng.normal(size=len(raw))])
    train, test = split(donors, "F")
    found = fit(blind_stages, raw[train], targets[train], donors[train], LORA, kind="regression")
    predicted = found.predict(raw[test])
    assert predicted.shape == (test.sum(), 2)
    assert np.corrcoef(predicted[:, 0], targets[test, 0])[0, 1] > 0.9
    assert abs(predicted[:, 0].mean() - targets[test, 0].mean()) < 15
    with pytest.raises(InputError, match="predict"):
        found.predict_proba(raw[test])
    flat = fit(blind_stages, raw[train], targets[train, 0], donors[train], replace(LORA, epochs=1), kind="regression")
    assert flat.predict(raw[test]).shape == (test.sum(),)


def test_a_rate_that_diverges_loses_and_is_named(stages, patches):
    raw, labels, donors = (part[:120] for part in patches)
    with np.errstate(all="ignore"):
        found = fit(stages, raw, labels, donors, replace(LAST, learning_rates=(1e30, 1e-3), epochs=3))
    assert found.chosen.rate == 1e-3
    assert len(found.chosen.notes) == 1
    assert "1e+30 diverged in epoch" in found.chosen.notes[0]
    assert issubclass(Diverged, FloatingPointError)


def test_every_rate_has_a_curve_that_stops_where_nothing_gets_better(stages, patches):
    raw, labels, donors = (part[:120] for part in patches)
    settings = replace(LAST, epochs=4, patience=1, learning_rates=(1e-3, 1e-2))
    found = fit(stages, raw, labels, donors, settings).chosen
    assert set(found.curves) == {1e-3, 1e-2}
    assert all(2 <= len(curve) <= 5 for curve in found.curves.values())
    assert found.n_trained == sum(len(curve) - 1 for curve in found.curves.values()) * 80  # two of three donors


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"way": "head"}, "last_blocks or lora"), ({"epochs": 0}, "1 or more"),
     ({"learning_rates": ()}, "learning rates"), ({"learning_rates": (-1.0,)}, "positive")],
)  # fmt: skip
def test_settings_that_mean_nothing_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        FinetuneSettings(**changes)


def test_one_group_and_too_many_blocks_are_refused(stages, patches):
    raw, labels, donors = patches
    one = donors == "A"
    with pytest.raises(InputError, match="finer groups"):
        fit(stages, raw[one], labels[one], donors[one], LAST)
    with pytest.raises(InputError, match="3 blocks"):
        fit(stages, raw, labels, donors, replace(LAST, n_blocks=4))
